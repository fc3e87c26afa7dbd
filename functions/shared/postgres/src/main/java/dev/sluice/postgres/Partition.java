package dev.sluice.postgres;

import dev.sluice.domain.Fault;
import dev.sluice.domain.TableName;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A partition that holds rows of a partitioned table, as the source's catalogs have it.
 *
 * <p>Of a partition's life only its rows stand in the WAL under the partitioned table's name. That rows came or went
 * with the partition itself (ATTACH, DETACH, DROP, TRUNCATE) is told by nothing but a comparison of what there was
 * with what there is (R21).
 *
 * @param trace what stays as long as nothing but changes of rows happened to it
 * @param isClean whether every row that is or was in it came by the partitioned table; said of one that is seen for the
 *     first time
 * @param unfit why its rows cannot be captured; empty if they can
 */
record Partition(long oid, Trace trace, boolean isClean, Optional<Fault> unfit) {

    private static final String HINT = "start a new backfill of the table";

    /**
     * @param attached the transactions that attached it and the partitioned tables above it, from the root down
     * @param file where its rows are stored: another one after TRUNCATE, VACUUM FULL and CLUSTER
     */
    record Trace(TableName name, String attached, long file) {
        boolean isOf(Trace other) {
            return attached.equals(other.attached) && file == other.file;
        }
    }

    /**
     * Why the table's rows are not what its changes say; empty if they are.
     *
     * @param known by OID: the partitions there were, all of them captured in full
     * @param now those there are
     */
    static Optional<Fault> difference(Map<Long, Trace> known, List<Partition> now) {
        Map<Long, Trace> gone = new LinkedHashMap<>(known);
        int rewritten = 0;
        List<Fault> faults = new ArrayList<>();
        for (Partition partition : now) {
            Trace name = partition.trace();
            Optional<Trace> before = Optional.ofNullable(gone.remove(partition.oid()));
            if (before.isEmpty() && !partition.isClean()) {
                faults.add(Fault.refused(
                        "the partition " + name.name() + " came with rows, or was emptied before it was seen first, and "
                                + "neither is in the changes",
                        HINT + ". A partition made by CREATE TABLE … PARTITION OF needs none, nor does one that is "
                                + "attached empty and gets its first row after the next look at it (every "
                                + "sluice.scheduler.watch-interval)"));
            } else if (before.isPresent() && !before.get().attached().equals(name.attached())) {
                faults.add(Fault.refused(
                        "the partition " + name.name() + " was detached and attached again; what happened to its rows "
                                + "in between is not in the changes",
                        HINT));
            } else if (before.isPresent() && !before.get().isOf(name)) {
                rewritten++;
                faults.add(Fault.refused(
                        "the partition " + name.name() + " was rewritten, by TRUNCATE, VACUUM FULL, CLUSTER or ALTER "
                                + "TABLE; a TRUNCATE of it is not in the changes",
                        HINT));
            }
            partition.unfit().ifPresent(faults::add);
        }
        if (!gone.isEmpty()) {
            return Optional.of(Fault.refused(
                    "the partition " + gone.values().iterator().next().name()
                            + " was detached or dropped, which is not in the changes: the destination still has its rows",
                    HINT));
        }
        if (rewritten > 0 && rewritten == known.size()) {
            return Optional.of(Fault.refused(
                    "every partition was rewritten, by TRUNCATE of the table or of each of them, VACUUM FULL, CLUSTER or "
                            + "ALTER TABLE; whether their rows went is not in the changes",
                    HINT));
        }
        return faults.stream().findFirst();
    }

    /** Those seen for the first time: from now on they are known. */
    static Map<Long, Trace> added(Map<Long, Trace> known, List<Partition> now) {
        Map<Long, Trace> added = new LinkedHashMap<>();
        now.stream()
                .filter(partition -> !known.containsKey(partition.oid()))
                .forEach(partition -> added.put(partition.oid(), partition.trace()));
        return added;
    }
}
