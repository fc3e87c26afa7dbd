package dev.sluice.domain;

import java.util.List;
import java.util.Optional;

/** What a step of the preparation found or made. */
public sealed interface StepResult {

    /** Nothing that later steps need. */
    record Done() implements StepResult {}

    /**
     * {@link Step#INSPECT}: the definition that every chunk is compared with (R7).
     *
     * @param key empty for a table without one
     * @param whole why the table is copied in one chunk; empty: in chunks of its key
     */
    record Inspected(
            String fingerprint,
            long tableOid,
            List<TableDefinition.KeyColumn> key,
            long rowsEstimated,
            Optional<String> whole)
            implements StepResult {
        public Inspected {
            key = List.copyOf(key);
        }

        public Inspected(String fingerprint, long tableOid, List<TableDefinition.KeyColumn> key, long rowsEstimated) {
            this(fingerprint, tableOid, key, rowsEstimated, Optional.empty());
        }

        /** Empty where only the database knows the order. */
        public Optional<KeyOrder> keyOrder() {
            return TableDefinition.order(key);
        }
    }

    /**
     * {@link Step#QUEUE}: the queue that the table had does not have all changes. Nothing is done about it yet: first
     * it must be known that the table has nothing to go on from but a new copy. Then the step is asked for again, and
     * starts the queue anew.
     */
    record QueueHasHole() implements StepResult {}

    /** Any step but {@link Step#INSPECT}: the table was altered since that one. The preparation starts over. */
    record DefinitionChanged() implements StepResult {}

    /** {@link Step#PUBLISH}: what must stay as it is from now on (R20). */
    record Published(CaptureIdentity identity) implements StepResult {}

    /**
     * {@link Step#BOUNDS}.
     *
     * @param primary no chunk is read from a server that has not replayed this
     * @param highest the highest key; empty for an empty table
     * @param snapshot what the read of the highest key saw: rows above it come by the queue (R8)
     * @param part of the key space that is copied; empty: all of it
     */
    record Bounded(Lsn primary, Optional<Key> highest, PgSnapshot snapshot, Optional<KeyRange> part)
            implements StepResult {

        public Bounded(Lsn primary, Optional<Key> highest, PgSnapshot snapshot) {
            this(primary, highest, snapshot, Optional.empty());
        }

        /** What the first chunk comes after; empty: it begins with the lowest key. */
        public Optional<Key> start() {
            return part.flatMap(KeyRange::after);
        }

        /** Up to where chunks are planned; empty: there is no row to plan for. */
        public Optional<Key> end() {
            return part.flatMap(KeyRange::upTo).or(() -> highest.filter(key -> !start().equals(Optional.of(key))));
        }

        /** Whether what is copied reaches to the end of the key space. */
        public boolean isToTheEnd() {
            return part.flatMap(KeyRange::upTo).isEmpty();
        }
    }
}
