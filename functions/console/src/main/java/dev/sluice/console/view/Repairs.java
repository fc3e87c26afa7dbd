package dev.sluice.console.view;

import dev.sluice.console.view.TableDetail.Repair;
import dev.sluice.domain.Verification.Difference;
import dev.sluice.domain.Verification.Findings;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Which ranges of keys a backfill would have to copy to mend what a comparison found. Pure.
 *
 * <p>Keys come in the order in which they were compared, which is the source's. Numbers that are close are put together;
 * how close other keys are only the database knows, so each is a range of its own. Where the list is not whole, a backfill
 * of ranges would mend only a part, so none are offered; the whole table is to be copied then.
 */
final class Repairs {

    static final int RANGES_MAX = 20;

    private static final Pattern NUMBER = Pattern.compile("-?[0-9]{1,30}");
    /** One chunk of a usual size. */
    private static final BigInteger CLOSE = BigInteger.valueOf(10_000);

    private Repairs() {}

    static List<Repair> of(Findings findings) {
        if (findings.hasMore() || findings.keys().isEmpty()) {
            return List.of();
        }
        List<List<String>> keys = findings.keys().stream().map(Difference::key).toList();
        boolean numbers = keys.stream().allMatch(key -> key.size() == 1 && NUMBER.matcher(key.getFirst()).matches());
        List<Repair> ranges = numbers ? together(keys) : keys.stream().map(key -> new Repair(key, key, 1)).toList();
        return ranges.size() <= RANGES_MAX ? ranges : List.of();
    }

    private static List<Repair> together(List<List<String>> keys) {
        List<BigInteger> sorted = keys.stream()
                .map(key -> new BigInteger(key.getFirst()))
                .sorted(Comparator.naturalOrder())
                .toList();
        List<Repair> ranges = new ArrayList<>();
        BigInteger from = sorted.getFirst();
        BigInteger to = from;
        int count = 1;
        for (BigInteger key : sorted.subList(1, sorted.size())) {
            if (key.subtract(to).compareTo(CLOSE) > 0) {
                ranges.add(range(from, to, count));
                from = key;
                count = 0;
            }
            to = key;
            count++;
        }
        ranges.add(range(from, to, count));
        return ranges;
    }

    private static Repair range(BigInteger from, BigInteger to, int keys) {
        return new Repair(List.of(from.toString()), List.of(to.toString()), keys);
    }
}
