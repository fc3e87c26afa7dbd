package dev.sluice.postgres;

import dev.sluice.domain.TableName;
import dev.sluice.domain.Verification.Findings;
import dev.sluice.postgres.DefinitionQuery.Reading;
import dev.sluice.postgres.Ledger.Applying;
import dev.sluice.postgres.Ledger.Entry;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongConsumer;

/**
 * Compares a table that streams with the source's, while both are written to. Each range of the key is summed up inside
 * each database, by a short statement of its own; what differs is looked at more closely, down to its keys.
 *
 * <p>Blocks, for as long as it takes to read the table at both sides: not for the event loop. Memory is bounded whatever
 * the size of the table. Nothing is written.
 */
@Singleton
public class TableVerification {

    private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(10);

    private final Database source;
    private final Database destination;
    private final SchemaMapping schemas;
    private final Ledger ledger;
    private final SourceCapture capture;
    private final Optional<HashSalt> salt;

    @Inject
    public TableVerification(Databases databases, SchemaMapping schemas, Ledger ledger, SourceCapture capture) {
        this(databases.source(), databases.destination(), schemas, ledger, capture, databases.salt());
    }

    TableVerification(
            Database source,
            Database destination,
            SchemaMapping schemas,
            Ledger ledger,
            SourceCapture capture,
            Optional<HashSalt> salt) {
        this.source = source;
        this.destination = destination;
        this.schemas = schemas;
        this.ledger = ledger;
        this.capture = capture;
        this.salt = salt;
    }

    /**
     * How gently, and how patiently.
     *
     * @param rangeRows rows that one statement reads, 100 to 10,000,000; a table without a key is read by one
     * @param rowsPerSecond of the source at most; empty: as fast as one session reads
     * @param looksMax how often a key that differs is looked at, 2 to 100
     * @param transactionsWait how long a look waits for transactions of the source that write
     * @param statementTimeout the most that one statement may take
     */
    public record Limits(
            int rangeRows,
            OptionalLong rowsPerSecond,
            int looksMax,
            Duration transactionsWait,
            Duration statementTimeout) {

        public Limits {
            if (rangeRows < 100 || rangeRows > 10_000_000) {
                throw new IllegalArgumentException("a range has 100 to 10,000,000 rows, not " + rangeRows);
            }
            if (rowsPerSecond.isPresent() && rowsPerSecond.getAsLong() < 1) {
                throw new IllegalArgumentException("at least one row a second is read, or there is no limit");
            }
            if (looksMax < 2 || looksMax > 100) {
                throw new IllegalArgumentException("a key is looked at 2 to 100 times, not " + looksMax);
            }
        }
    }

    /** Where the destination stands. */
    @FunctionalInterface
    public interface Stream {

        /**
         * Returns once the destination has applied everything of the table that the source had committed when this was
         * called.
         *
         * @throws RefusedException if that takes too long, or the table is not streamed any more
         */
        void passed() throws InterruptedException;
    }

    /**
     * Compares all rows.
     *
     * @param run that the table streams in
     * @param moved hears how many rows of the source are compared, every now and then
     * @throws RefusedException if the table does not stream in this run, its definition changes meanwhile, a side lacks
     *     it or a column, or its rows are hashed with a salt that is not here
     * @throws IllegalStateException if a server fails; its cause says how
     * @throws InterruptedException if the thread is interrupted; a statement under way is waited for
     */
    public Findings verify(TableName table, long run, Limits limits, Stream stream, LongConsumer moved)
            throws InterruptedException {
        try {
            return compare(table, run, limits, stream, moved);
        } catch (SQLException e) {
            throw new IllegalStateException("cannot compare " + table + ": " + e.getMessage(), e);
        }
    }

    private Findings compare(TableName table, long run, Limits limits, Stream stream, LongConsumer moved)
            throws SQLException, InterruptedException {
        Entry entry = ledger.read(table)
                .await()
                .atMost(Database.ANSWER_LIMIT)
                .filter(found -> found.run() == run && found.applying() == Applying.STREAMING)
                .orElseThrow(() -> new RefusedException(
                        table + " does not stream in run " + run, "Verify it once it streams."));
        Optional<HashSalt> needed = HashSalt.require(salt, entry.options().options(), entry.options().saltCheck());
        Map<String, String> settings = needed.map(HashSalt::settings).orElse(Map.of());
        try (Connection here = source.connectForCopy(LOCK_TIMEOUT, limits.statementTimeout(), settings);
                Connection there = destination.connectForCopy(LOCK_TIMEOUT, limits.statementTimeout())) {
            Reading reading = read(here, table, entry);
            Reading made = DefinitionQuery.read(there, schemas.atDestination(table))
                    .orElseThrow(() -> new RefusedException(
                            "the destination has no table " + schemas.atDestination(table), "Backfill it first."));
            VerificationSql.Both sql = VerificationSql.of(
                    reading, new CarriedTable(reading.definition(), entry.options().options(), needed), made);
            String fingerprint = reading.definition().fingerprint();
            var comparison = new LiveComparison(
                    new VerificationSide(here, sql.source()),
                    new VerificationSide(there, sql.destination()),
                    limits,
                    () -> {
                        if (!read(here, table, entry).definition().fingerprint().equals(fingerprint)) {
                            throw new RefusedException(
                                    "the definition of " + table + " changed while its rows were compared",
                                    "Verify it again once the destination has followed the change.");
                        }
                    },
                    capture,
                    stream,
                    moved);
            return sql.source().isRanged() ? comparison.byRanges() : comparison.byBuckets();
        }
    }

    private static Reading read(Connection here, TableName table, Entry entry) throws SQLException {
        return DefinitionQuery.read(here, table, entry.options().options().key())
                .orElseThrow(() -> new RefusedException("the source has no table " + table, "Check the name."));
    }
}
