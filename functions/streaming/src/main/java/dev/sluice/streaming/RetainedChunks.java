package dev.sluice.streaming;

import dev.sluice.domain.Key;
import dev.sluice.domain.KeyOrder;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.Lsn;
import dev.sluice.postgres.Ledger.RetainedChunk;
import dev.sluice.postgres.Ledger.RowRead;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which changes the destination has already, because a chunk was read that saw them (R9). Several runs may retain
 * chunks of the same key; the chunks of one run do not overlap. Immutable.
 */
final class RetainedChunks {

    private final KeyOrder order;
    /** Of each run, in the order of the key. */
    private final List<List<RetainedChunk>> runs;
    private final TreeMap<Key, RowRead> rowReads;
    /** Of the row reads: what tells for each batch, however many there are, that none of them is passed. */
    private final Optional<Lsn> lowest;

    private RetainedChunks(
            KeyOrder order, List<List<RetainedChunk>> runs, TreeMap<Key, RowRead> rowReads, Optional<Lsn> lowest) {
        this.order = order;
        this.runs = runs;
        this.rowReads = rowReads;
        this.lowest = lowest;
    }

    private static Optional<Lsn> lowest(Collection<RowRead> rowReads) {
        return rowReads.stream().map(RowRead::lsn).min(Comparator.naturalOrder());
    }

    static RetainedChunks of(KeyOrder order, List<RetainedChunk> chunks, List<RowRead> rowReads) {
        Map<Long, List<RetainedChunk>> byRun =
                chunks.stream().collect(Collectors.groupingBy(RetainedChunk::run, TreeMap::new, Collectors.toList()));
        List<List<RetainedChunk>> runs = byRun.values().stream()
                .map(run -> run.stream()
                        .sorted(Comparator.comparing(RetainedChunk::range, byUpperEnd(order)))
                        .toList())
                .toList();
        TreeMap<Key, RowRead> byKey = new TreeMap<>(order);
        // Of keys that are equal and differ in text there may be several; the last one read decides.
        rowReads.forEach(read -> byKey.merge(
                read.key(), read, (one, other) -> one.lsn().compareTo(other.lsn()) < 0 ? other : one));
        return new RetainedChunks(order, runs, byKey, lowest(byKey.values()));
    }

    /** The keys that decide: all of them must have a place where only the database knows the order. */
    Set<Key> keys() {
        return keys(runs.stream().flatMap(List::stream).toList(), rowReads.values());
    }

    static Set<Key> keys(Collection<RetainedChunk> chunks, Collection<RowRead> rowReads) {
        Set<Key> keys = new HashSet<>();
        for (RetainedChunk chunk : chunks) {
            chunk.range().after().ifPresent(keys::add);
            chunk.range().upTo().ifPresent(keys::add);
        }
        rowReads.forEach(read -> keys.add(read.key()));
        return keys;
    }

    /** As these, by an order that knows more keys. */
    RetainedChunks in(KeyOrder other) {
        return of(other, runs.stream().flatMap(List::stream).toList(), List.copyOf(rowReads.values()));
    }

    /** As these, after rows were read from the source. */
    RetainedChunks with(List<RowRead> reads) {
        if (reads.isEmpty()) {
            return this;
        }
        TreeMap<Key, RowRead> all = new TreeMap<>(rowReads);
        reads.forEach(read -> all.put(read.key(), read));
        return new RetainedChunks(
                order, runs, all, Stream.concat(lowest.stream(), lowest(reads).stream()).min(Comparator.naturalOrder()));
    }

    /** As these, without the row reads whose every transaction is passed. */
    RetainedChunks without(Lsn passed) {
        if (lowest.filter(lsn -> passed.compareTo(lsn) > 0).isEmpty()) {
            return this;
        }
        TreeMap<Key, RowRead> left = new TreeMap<>(rowReads);
        left.values().removeIf(read -> passed.compareTo(read.lsn()) > 0);
        return new RetainedChunks(order, runs, left, lowest(left.values()));
    }

    /** As these, once the table is caught up: only single rows decide any more. */
    RetainedChunks withoutChunks() {
        return new RetainedChunks(order, List.of(), rowReads, lowest);
    }

    /** What the destination's row of a key has of a transaction. */
    enum Sight {
        /** A read contains it. */
        CONTAINED,
        /** A read at a standby may contain it or not (R11). */
        UNSURE,
        /** No read contains it. */
        ABSENT
    }

    /** @param transaction its 32 bits */
    Sight sight(Key key, long transaction) {
        RowRead read = rowReads.get(key);
        if (read != null && read.snapshot().sees32(transaction)) {
            return Sight.CONTAINED;
        }
        boolean unsure = false;
        for (List<RetainedChunk> run : runs) {
            Optional<RetainedChunk> chunk = covering(run, key);
            if (chunk.isPresent() && chunk.get().snapshot().sees32(transaction)) {
                return Sight.CONTAINED;
            }
            unsure |= chunk.filter(covering -> mayContain(covering, transaction)).isPresent();
        }
        return unsure ? Sight.UNSURE : Sight.ABSENT;
    }

    private static boolean mayContain(RetainedChunk chunk, long transaction) {
        return chunk.later().filter(later -> later.sees32(transaction)).isPresent();
    }

    /** The last place in the source's WAL where a row was read that may be ahead of the others. */
    Optional<Lsn> lastRowRead() {
        return rowReads.values().stream().map(RowRead::lsn).max(Comparator.naturalOrder());
    }

    /** A map in which keys of the same row are one, whatever their text. Empty. */
    <T> Map<Key, T> byKey() {
        return new TreeMap<>(order);
    }

    /**
     * Whether the whole table was read when the transaction was visible already: without a key there is no part.
     *
     * @throws IllegalStateException if a chunk may contain the transaction or not: without a key no such chunk is copied
     */
    boolean containAll(long transaction) {
        boolean contained = runs.stream()
                .flatMap(List::stream)
                .anyMatch(chunk -> chunk.range().equals(KeyRange.ALL) && chunk.snapshot().sees32(transaction));
        if (!contained) {
            requireSure(transaction, "changed rows without a key");
        }
        return contained;
    }

    private void requireSure(long transaction, String did) {
        runs.stream()
                .flatMap(List::stream)
                .filter(chunk -> !chunk.snapshot().sees32(transaction) && mayContain(chunk, transaction))
                .findFirst()
                .ifPresent(chunk -> {
                    throw new IllegalStateException("the chunk " + chunk.range() + " of run " + chunk.run()
                            + " was read from the replica while transaction " + transaction + " " + did);
                });
    }

    /**
     * The part of the key space where a transaction was not visible yet: what its TRUNCATE still has to empty (R12).
     *
     * @param ranges in order, without overlap; empty if the chunks saw it everywhere
     * @param except keys in those ranges whose row was read when the transaction was visible
     */
    record Unseen(List<KeyRange> ranges, List<Key> except) {}

    /** @throws IllegalStateException if a chunk may contain the TRUNCATE or not: no such chunk is ever copied */
    Unseen unseen(long transaction) {
        requireSure(transaction, "truncated the table");
        List<KeyRange> seen = runs.stream()
                .flatMap(List::stream)
                .filter(chunk -> chunk.snapshot().sees32(transaction))
                .map(RetainedChunk::range)
                .sorted(byLowerEnd(order))
                .toList();
        List<KeyRange> unseen = new ArrayList<>();
        Optional<Key> covered = Optional.empty();
        boolean toTheEnd = false;
        for (KeyRange range : seen) {
            if (toTheEnd) {
                break;
            }
            // Covered up to and including; nothing yet where it is empty.
            boolean gap = range.after().isPresent()
                    && (covered.isEmpty() || order.compare(range.after().get(), covered.get()) > 0);
            if (gap) {
                unseen.add(new KeyRange(covered, range.after()));
            }
            if (range.upTo().isEmpty()) {
                toTheEnd = true;
            } else if (covered.isEmpty() || order.compare(range.upTo().get(), covered.get()) > 0) {
                covered = range.upTo();
            }
        }
        if (!toTheEnd) {
            unseen.add(new KeyRange(covered, Optional.empty()));
        }
        List<Key> except = rowReads.values().stream()
                .filter(read -> read.snapshot().sees32(transaction))
                .map(RowRead::key)
                .filter(key -> unseen.stream().anyMatch(range -> range.contains(key, order)))
                .toList();
        return new Unseen(unseen, except);
    }

    private Optional<RetainedChunk> covering(List<RetainedChunk> run, Key key) {
        int low = 0;
        int high = run.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            boolean below = run.get(middle).range().upTo().map(upTo -> order.compare(key, upTo) > 0).orElse(false);
            if (below) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low < run.size() && run.get(low).range().contains(key, order)
                ? Optional.of(run.get(low))
                : Optional.empty();
    }

    private static Comparator<KeyRange> byUpperEnd(KeyOrder order) {
        return (a, b) -> a.upTo().isEmpty() || b.upTo().isEmpty()
                ? Boolean.compare(a.upTo().isEmpty(), b.upTo().isEmpty())
                : order.compare(a.upTo().get(), b.upTo().get());
    }

    private static Comparator<KeyRange> byLowerEnd(KeyOrder order) {
        return (a, b) -> a.after().isEmpty() || b.after().isEmpty()
                ? Boolean.compare(a.after().isPresent(), b.after().isPresent())
                : order.compare(a.after().get(), b.after().get());
    }
}
