package dev.sluice.postgres;

import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Verification.Difference;
import dev.sluice.domain.Verification.Findings;
import dev.sluice.postgres.Settling.Seen;
import dev.sluice.postgres.TableVerification.Limits;
import dev.sluice.postgres.TableVerification.Stream;
import dev.sluice.postgres.VerificationSide.Checksum;
import dev.sluice.postgres.VerificationSql.Part;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongConsumer;

/**
 * One comparison of two tables that are written to. The destination is always read after it has applied what the source
 * was seen to have, so that it lacks nothing that it should have: only what was written after that can look different,
 * and {@link Settling} tells it from what differs.
 */
final class LiveComparison {

    /** Parts whose sums wait together for the stream. */
    private static final int PARTS_AT_ONCE = 32;
    /** Rows of a part that is read row by row. */
    private static final int LEAF_ROWS = 2_000;
    /** Rows that are read row by row together: what memory holds. */
    private static final int SEEN_ROWS_MAX = 40_000;
    /** A part may have grown since it was counted. */
    private static final int PART_ROWS_MAX = 60_000;
    private static final Duration LOOK_INTERVAL = Duration.ofMillis(50);

    /** Throws if the table is not the one any more that the statements were made for. */
    @FunctionalInterface
    interface Check {
        void requireSame() throws SQLException;
    }

    private final VerificationSide source;
    private final VerificationSide destination;
    private final Limits limits;
    private final Check check;
    private final SourceCapture capture;
    private final Stream stream;
    private final LongConsumer moved;

    private final List<Difference> told = new ArrayList<>();
    private long rows;
    private int ranges;
    private long differing;
    private long unsettled;

    LiveComparison(
            VerificationSide source,
            VerificationSide destination,
            Limits limits,
            Check check,
            SourceCapture capture,
            Stream stream,
            LongConsumer moved) {
        this.source = source;
        this.destination = destination;
        this.limits = limits;
        this.check = check;
        this.capture = capture;
        this.stream = stream;
        this.moved = moved;
    }

    /** A part that differs, and how many rows it has at the side that has more. */
    private record Differing(Part part, long rows, boolean moreAtSource) {}

    Findings byRanges() throws SQLException, InterruptedException {
        Optional<Key> after = Optional.empty();
        boolean atEnd = false;
        while (!atEnd) {
            check.requireSame();
            List<Key> cuts = source.cuts(new KeyRange(after, Optional.empty()), limits.rangeRows(), PARTS_AT_ONCE);
            atEnd = cuts.size() < PARTS_AT_ONCE;
            List<Part> parts = parts(new KeyRange(after, Optional.empty()), cuts, atEnd);
            List<Differing> found = compare(parts, true);
            moved.accept(rows);
            narrow(found, LEAF_ROWS);
            if (!cuts.isEmpty()) {
                after = Optional.of(cuts.getLast());
            }
        }
        return findings();
    }

    Findings byBuckets() throws SQLException, InterruptedException {
        check.requireSame();
        Map<String, Checksum> here = source.buckets();
        stream.passed();
        Map<String, Checksum> there = destination.buckets();
        rows = here.values().stream().mapToLong(Checksum::rows).sum();
        Set<String> names = new TreeSet<>(here.keySet());
        names.addAll(there.keySet());
        ranges = names.size();
        moved.accept(rows);
        Set<String> group = new TreeSet<>();
        long size = 0;
        for (String name : names) {
            Checksum one = here.getOrDefault(name, Checksum.NONE);
            Checksum other = there.getOrDefault(name, Checksum.NONE);
            if (one.equals(other)) {
                continue;
            }
            long larger = Math.max(one.rows(), other.rows());
            if (!group.isEmpty() && size + larger > SEEN_ROWS_MAX) {
                settle(List.of(new Part.Buckets(Set.copyOf(group))));
                group.clear();
                size = 0;
            }
            group.add(name);
            size += larger;
        }
        if (!group.isEmpty()) {
            settle(List.of(new Part.Buckets(Set.copyOf(group))));
        }
        return findings();
    }

    private Findings findings() throws SQLException {
        check.requireSame();
        return new Findings(rows, ranges, differing, unsettled, told);
    }

    private static List<Part> parts(KeyRange range, List<Key> cuts, boolean toTheEnd) {
        List<Part> parts = new ArrayList<>();
        Optional<Key> after = range.after();
        for (Key cut : cuts) {
            parts.add(new Part.Range(new KeyRange(after, Optional.of(cut))));
            after = Optional.of(cut);
        }
        if (toTheEnd) {
            parts.add(new Part.Range(new KeyRange(after, range.upTo())));
        }
        return parts;
    }

    /** @param counted whether these rows are counted as compared */
    private List<Differing> compare(List<Part> parts, boolean counted) throws SQLException, InterruptedException {
        List<Checksum> here = new ArrayList<>();
        for (Part part : parts) {
            long started = System.nanoTime();
            Checksum checksum = source.checksum(part);
            here.add(checksum);
            rest(checksum.rows(), Duration.ofNanos(System.nanoTime() - started));
            if (counted) {
                rows += checksum.rows();
                ranges++;
            }
        }
        stream.passed();
        List<Differing> differ = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            Checksum there = destination.checksum(parts.get(i));
            if (!there.equals(here.get(i))) {
                boolean moreAtSource = here.get(i).rows() >= there.rows();
                differ.add(new Differing(
                        parts.get(i), Math.max(here.get(i).rows(), there.rows()), moreAtSource));
            }
        }
        return differ;
    }

    private void rest(long read, Duration took) throws InterruptedException {
        if (limits.rowsPerSecond().isPresent()) {
            Duration least = Duration.ofMillis(read * 1_000 / limits.rowsPerSecond().getAsLong());
            if (least.compareTo(took) > 0) {
                Thread.sleep(least.minus(took));
            }
        }
        if (Thread.interrupted()) {
            throw new InterruptedException("no longer wanted");
        }
    }

    /**
     * Cuts what differs into smaller parts until they can be read row by row.
     *
     * @param rowsMax of a part that is read so. It doubles with every cut: a part into which somebody writes is larger
     *     each time it is counted, and would be cut for as long as that goes on
     */
    private void narrow(List<Differing> found, int rowsMax) throws SQLException, InterruptedException {
        List<Part> leaves = new ArrayList<>();
        long seen = 0;
        for (Differing differing : found) {
            if (differing.rows() <= rowsMax || rowsMax >= PART_ROWS_MAX) {
                if (!leaves.isEmpty() && seen + differing.rows() > SEEN_ROWS_MAX) {
                    settle(leaves);
                    leaves.clear();
                    seen = 0;
                }
                leaves.add(differing.part());
                seen += differing.rows();
                continue;
            }
            // A part's more rows decide: the destination may have any number of rows between two keys of the source.
            VerificationSide side = differing.moreAtSource() ? source : destination;
            KeyRange left = ((Part.Range) differing.part()).range();
            boolean atEnd = false;
            while (!atEnd) {
                List<Key> cuts = side.cuts(left, LEAF_ROWS, PARTS_AT_ONCE);
                atEnd = cuts.size() < PARTS_AT_ONCE;
                narrow(compare(parts(left, cuts, atEnd), false), 2 * rowsMax);
                if (!atEnd) {
                    left = new KeyRange(Optional.of(cuts.getLast()), left.upTo());
                }
            }
        }
        if (!leaves.isEmpty()) {
            settle(leaves);
        }
    }

    private void settle(List<Part> parts) throws SQLException, InterruptedException {
        Map<Part, Settling> open = new LinkedHashMap<>();
        parts.forEach(part -> open.put(part, new Settling()));
        for (int look = 1; look <= limits.looksMax() && !open.isEmpty(); look++) {
            check.requireSame();
            // The first look has none before it that it could prove anything with.
            boolean counts = look > 1 && transactionsEnded();
            Map<Part, Map<List<String>, Seen>> here = new HashMap<>();
            for (Part part : open.keySet()) {
                here.put(part, source.rows(part, PART_ROWS_MAX));
            }
            stream.passed();
            for (Part part : List.copyOf(open.keySet())) {
                Map<List<String>, Seen> one = here.get(part);
                Map<List<String>, Seen> other = destination.rows(part, PART_ROWS_MAX);
                if (one.size() == PART_ROWS_MAX || other.size() == PART_ROWS_MAX) {
                    // Not all of it was read.
                    unsettled += Math.max(one.size(), other.size());
                    open.remove(part);
                    continue;
                }
                Settling settling = open.get(part);
                settling.look(one, other, counts).forEach(this::differs);
                if (settling.unsettled() == 0) {
                    open.remove(part);
                }
            }
        }
        open.values().forEach(settling -> unsettled += settling.unsettled());
    }

    private void differs(Difference difference) {
        differing++;
        if (told.size() < Findings.KEYS_MAX) {
            told.add(difference);
        }
    }

    /**
     * Waits until the source shows all that the destination may have: a change can be decoded, sent and applied before
     * its transaction is visible at the source, where a standby is waited for (R2).
     */
    private boolean transactionsEnded() throws InterruptedException {
        long transaction = capture.barrierTransaction().await().atMost(Database.ANSWER_LIMIT);
        long deadline = System.nanoTime() + limits.transactionsWait().toNanos();
        while (!capture.barrierStatus(transaction).await().atMost(Database.ANSWER_LIMIT).passed()) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            Thread.sleep(LOOK_INTERVAL);
        }
        return true;
    }
}
