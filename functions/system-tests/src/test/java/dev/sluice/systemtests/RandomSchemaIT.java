package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testing.TypeMatrix;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Tables of random shape, keys, types, values and options under a random workload, DDL among it: each ends equal, and
 * fails on the way only for what is documented as not followed.
 *
 * <p>{@code -Dsluice.seed} is the seed of the first table (1), {@code -Dsluice.random-tables} how many there are (12), each
 * with a seed of its own. When a table's changes meet the functions is not the seed's to decide.
 */
class RandomSchemaIT {

    /** The same tables in each build: whoever changes something else is not stopped by a seed that nobody has met before. */
    private static final long SEED = 1;

    private static final int TABLES_AT_ONCE = 12;
    private static final int FAILURES_TOLD_MAX = 10;

    @Test
    void randomTablesEndEqual() throws Exception {
        long first = Long.getLong("sluice.seed", SEED);
        int count = Integer.getInteger("sluice.random-tables", 12);
        System.out.println("RandomSchemaIT: " + rerun(first, count));
        var failures = new ConcurrentLinkedQueue<String>();
        var faults = new ConcurrentLinkedQueue<String>();
        var equal = new AtomicInteger();
        try (var stack = SluiceStack.start("random", Map.of(
                "sluice.scheduler.chunk-rows", "100",
                "sluice.scheduler.chunks-per-table", "2",
                "sluice.scheduler.concurrency", Integer.toString(TABLES_AT_ONCE),
                "sluice.scheduler.watch-interval", "1s",
                "sluice.hash-salt", RandomTableLife.SALT))) {
            stack.onSource(TypeMatrix.setup().toArray(String[]::new));
            stack.onDestination(TypeMatrix.extensions().toArray(String[]::new));
            String collation = "CREATE COLLATION " + RandomKinds.CARELESS
                    + " (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";
            stack.onSource(collation, "CREATE SCHEMA \"Sch ema\"");
            stack.onDestination(collation);
            try (var executor = Executors.newFixedThreadPool(TABLES_AT_ONCE, Thread.ofVirtual().factory())) {
                for (long seed = first; seed < first + count; seed++) {
                    long own = seed;
                    executor.execute(() -> {
                        RandomTableLife life = new RandomTableLife(stack, own);
                        try {
                            life.live();
                            System.out.println("RandomSchemaIT: seed " + own + " is equal, the "
                                    + equal.incrementAndGet() + ". of " + count);
                        } catch (Throwable e) {
                            failures.add(e + "\n  " + life.story() + "\n  again: " + rerun(own, 1));
                            System.out.println("RandomSchemaIT: failed: " + e + "\n  again: " + rerun(own, 1));
                        }
                        faults.addAll(life.faults());
                    });
                }
                executor.shutdown();
                assertThat(executor.awaitTermination(1, TimeUnit.DAYS)).isTrue();
            }
        }
        Map<String, Integer> reasons = new TreeMap<>();
        faults.forEach(fault -> reasons.merge(kind(fault), 1, Integer::sum));
        System.out.println("RandomSchemaIT: " + equal + " of " + count + " tables are equal; failed on the way for what "
                + "was done to them:");
        reasons.forEach((reason, times) -> System.out.println("  " + times + " × " + reason));
        assertThat(List.copyOf(failures).subList(0, Math.min(failures.size(), FAILURES_TOLD_MAX)))
                .as("%d of %d tables did not end equal", failures.size(), count)
                .isEmpty();
    }

    /** A reason without names, so that like ones are counted together. */
    private static String kind(String reason) {
        return reason.replaceAll("\"[^ ]*(\"[^ ]*)*\"", "…").replaceAll("\\(.*\\)", "(…)");
    }

    private static String rerun(long seed, int tables) {
        return "local-dev/test -pl functions/system-tests -am -Dit.test=RandomSchemaIT -Dtest=none "
                + "-Dsurefire.failIfNoSpecifiedTests=false -Dfailsafe.failIfNoSpecifiedTests=false -Dsluice.seed=" + seed
                + " -Dsluice.random-tables=" + tables;
    }
}
