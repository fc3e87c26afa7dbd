package dev.sluice.postgres;

import dev.sluice.domain.CaptureIdentity;
import dev.sluice.domain.Lsn;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableName;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Change capture as the source has it: slot, publication, the messages of ours in its WAL, and the barrier.
 */
@Singleton
public class SourceCapture {

    /** Joining and leaving need a lock that VACUUM holds for its whole time: better to try again than to queue. */
    private static final String LOCK_TIMEOUT = "SET LOCAL lock_timeout = '5s'";

    private static final Pattern EPOCH = Pattern.compile("sluice scheduler epoch (\\d{1,18})");

    private final Database source;
    private final Pipeline pipeline;
    private final String publication;
    private final CaptureCheck check;

    @Inject
    public SourceCapture(Databases databases, Pipeline pipeline) {
        this(databases.source(), pipeline);
    }

    SourceCapture(Database source, Pipeline pipeline) {
        this.source = source;
        this.pipeline = pipeline;
        this.publication = TableName.quote(pipeline.publication());
        this.check = new CaptureCheck(source, pipeline);
    }

    /**
     * Writes a logical message into the source's WAL, in a transaction of its own: once the slot has passed it, all
     * that was committed before is captured.
     *
     * @return where the message stands
     */
    public Uni<Lsn> probe() {
        return emit("probe");
    }

    /** As {@link #probe()}, written every few seconds so that the slot moves where only other tables are written. */
    public Uni<Lsn> heartbeat() {
        return emit("heartbeat");
    }

    private Uni<Lsn> emit(String content) {
        // Transactional: only the end of a transaction moves the slot.
        return source.query("SELECT pg_logical_emit_message(true, $1, $2::text)::text",
                Tuple.of(pipeline.probePrefix(), content))
                .map(rows -> Lsn.parse(rows.iterator().next().getString(0)));
    }

    public Uni<SlotStatus> slot() {
        return source.query("""
                        SELECT active, confirmed_flush_lsn::text, restart_lsn::text, plugin::text,
                               coalesce(wal_status, ''),
                               greatest(coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0), 0)::int8
                        FROM pg_replication_slots
                        WHERE slot_name = $1 AND slot_type = 'logical' AND database = current_database()""",
                                Tuple.of(pipeline.slot()))
                .map(rows -> Ledger.first(rows)
                        .map(row -> new SlotStatus(
                                true,
                                row.getBoolean(0),
                                Optional.ofNullable(row.getString(1)).map(Lsn::parse),
                                Optional.ofNullable(row.getString(2)).map(Lsn::parse),
                                row.getString(3),
                                row.getString(4),
                                row.getLong(5)))
                        .orElseGet(SlotStatus::missing));
    }

    /**
     * Everything up to here is acknowledged by Kafka.
     *
     * @throws RefusedException (in the Uni) if there is no such slot
     */
    public Uni<Lsn> confirmedFlush() {
        return slot().map(slot -> slot.confirmedFlush()
                .orElseThrow(() -> new RefusedException(
                        "the source has no replication slot " + pipeline.slot(), CaptureCheck.SLOT_HINT)));
    }

    /**
     * A transaction id taken now, in a transaction of its own: taken after the table joined the publication, every
     * transaction that might have missed that has a lower one (R2).
     *
     * @return 64 bits
     */
    public Uni<Long> barrierTransaction() {
        return source.query("SELECT pg_current_xact_id()::text::int8", Tuple.tuple())
                .map(rows -> rows.iterator().next().getLong(0));
    }

    /** Whether every transaction below this id is over, prepared ones and those of other databases included. */
    public Uni<BarrierStatus> barrierStatus(long transaction) {
        // The catalogs know 32 bits of an id: the distance back from the barrier, below 2^31, tells old from new.
        return source.query("""
                        WITH now AS MATERIALIZED (SELECT pg_current_snapshot() AS snapshot),
                        open AS (
                          SELECT (($1::int8 - backend_xid::text::int8) % 4294967296 + 4294967296) % 4294967296 AS behind,
                                 format('process %s (application «%s», user %s, database %s), open for %s s',
                                   pid, application_name, coalesce(usename, '?'), coalesce(datname, '?'),
                                   coalesce(extract(epoch FROM clock_timestamp() - xact_start)::int8::text, '?')) AS who
                          FROM pg_stat_activity WHERE backend_xid IS NOT NULL
                          UNION ALL
                          SELECT (($1::int8 - transaction::text::int8) % 4294967296 + 4294967296) % 4294967296,
                                 format('the prepared transaction «%s» of user %s in database %s, prepared %s s ago: '
                                   'COMMIT PREPARED or ROLLBACK PREPARED ends it', gid, owner, database,
                                   extract(epoch FROM clock_timestamp() - prepared)::int8)
                          FROM pg_prepared_xacts)
                        SELECT pg_snapshot_xmin(snapshot)::text::int8 >= $1,
                               (SELECT count(*)::int4 FROM pg_snapshot_xip(snapshot) x WHERE x::text::int8 < $1),
                               (SELECT who FROM open WHERE behind BETWEEN 1 AND 2147483647
                                ORDER BY behind DESC LIMIT 1)
                        FROM now""", Tuple.of(transaction))
                .map(rows -> {
                    Row row = rows.iterator().next();
                    boolean passed = row.getBoolean(0);
                    return new BarrierStatus(
                            passed, row.getInteger(1), passed ? Optional.empty() : Optional.ofNullable(row.getString(2)));
                });
    }

    /**
     * Adds the table to the publication if it is not in it, whole and without a row filter, and claims the
     * publication for this epoch either way.
     *
     * @param definition of the table as it was inspected
     * @param named the columns that the user has named as its key; empty: its own
     * @param epoch of the scheduler that asks; they rise
     * @param topicId Kafka's id of the table's topic, for the identity
     * @param captureId Kafka's id of the topic of Debezium's offsets, for the identity
     * @return what must stay as it is from now on (R20)
     * @throws Ledger.FencedException (in the Uni) if a scheduler of a later epoch was here
     * @throws RefusedException (in the Uni) if the publication is missing or not fit for this
     */
    public Uni<CaptureIdentity> join(
            TableDefinition definition, List<String> named, long epoch, String topicId, String captureId) {
        return source.inTransaction(connection -> claim(connection, epoch)
                .chain(() -> requireFit(connection))
                .chain(() -> definition.isPartitioned()
                        // For ordinary tables it makes no difference.
                        ? execute(connection, "ALTER PUBLICATION " + publication + " SET (publish_via_partition_root)")
                        : Uni.createFrom().voidItem())
                .chain(() -> member(connection, definition.oid()))
                .chain(member -> {
                    if (member.filter(Member::isWhole).isPresent()) {
                        return Uni.createFrom().item(member.get());
                    }
                    String name = definition.table().sql();
                    // A member with a filter or a column list leaves first: changes were not captured in full.
                    Uni<?> leave = member.isPresent()
                            ? execute(connection, "ALTER PUBLICATION " + publication + " DROP TABLE ONLY "
                                    + member.get().table().sql())
                            : Uni.createFrom().voidItem();
                    return leave.chain(() -> execute(
                                    connection, "ALTER PUBLICATION " + publication + " ADD TABLE ONLY " + name))
                            .chain(() -> member(connection, definition.oid()))
                            .map(joined -> joined.orElseThrow(() -> new RefusedException(
                                    definition.table() + " is another table now than the one that was inspected",
                                    "start a new backfill of the table")));
                })
                .chain(member -> connection
                        .query("SELECT system_identifier::text FROM pg_control_system()")
                        .execute()
                        .map(rows -> new CaptureIdentity(
                                definition.oid(),
                                definition.fingerprint(),
                                member.oid(),
                                rows.iterator().next().getString(0),
                                topicId,
                                captureId,
                                Optional.of(named).filter(columns -> !columns.isEmpty())))));
    }

    /**
     * Takes the table out of the publication if it is in it, and claims the publication for this epoch either way.
     *
     * @param tableOid the one that joined: a table that was renamed leaves too, and a new one of its name stays. Empty
     *     if it is not known; then the name decides
     * @throws Ledger.FencedException (in the Uni) if a scheduler of a later epoch was here
     */
    public Uni<Void> leave(TableName table, OptionalLong tableOid, long epoch) {
        return source.inTransaction(connection -> claim(connection, epoch)
                .chain(() -> tableOid.isPresent()
                        ? Uni.createFrom().item(Optional.of(tableOid.getAsLong()))
                        : connection
                                .preparedQuery("SELECT c.oid::int8 FROM pg_class c JOIN pg_namespace n "
                                        + "ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2")
                                .execute(Tuple.of(table.schema(), table.name()))
                                .map(rows -> Ledger.first(rows).map(row -> row.getLong(0))))
                .chain(oid -> oid.isPresent()
                        ? member(connection, oid.get())
                        : Uni.createFrom().item(Optional.<Member>empty()))
                .chain(member -> member.isEmpty()
                        ? Uni.createFrom().voidItem()
                        : execute(connection, "ALTER PUBLICATION " + publication + " DROP TABLE ONLY "
                                + member.get().table().sql())));
    }

    /**
     * Finds the tables whose capture or definition is not what it was when they joined (R20), with a query for each
     * table. Kafka's side is not looked at.
     */
    public Uni<CaptureFindings> look(Map<TableName, CaptureIdentity> identities) {
        return look(identities, Map.of());
    }

    /**
     * As the other, in a fixed number of queries as long as nothing changes.
     *
     * @param known by table, what {@link CaptureFindings#touched} said when it was last taken care of; none of a table
     *     with another identity since
     */
    public Uni<CaptureFindings> look(Map<TableName, CaptureIdentity> identities, Map<TableName, String> known) {
        return check.look(identities, known);
    }

    /** A row of {@code pg_publication_rel}. */
    private record Member(long oid, TableName table, boolean isWhole) {}

    private Uni<Optional<Member>> member(SqlConnection connection, long tableOid) {
        return connection
                .preparedQuery("SELECT m.oid::int8, n.nspname::text, c.relname::text, "
                        + "(to_jsonb(m) ->> 'prqual') IS NULL AND (to_jsonb(m) ->> 'prattrs') IS NULL "
                        + "FROM pg_publication_rel m JOIN pg_publication p ON p.oid = m.prpubid "
                        + "JOIN pg_class c ON c.oid = m.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
                        + "WHERE p.pubname = $1 AND m.prrelid = $2::int8::oid")
                .execute(Tuple.of(pipeline.publication(), tableOid))
                .map(rows -> Ledger.first(rows)
                        .map(row -> new Member(
                                row.getLong(0), new TableName(row.getString(1), row.getString(2)), row.getBoolean(3))));
    }

    /**
     * Holds the publication until the end of the transaction, and leaves our epoch there: a scheduler that was
     * thought dead finds a later one and changes nothing (R18). Without a publication there is nothing to claim.
     */
    private Uni<Void> claim(SqlConnection connection, long epoch) {
        return execute(connection, LOCK_TIMEOUT)
                .chain(() -> connection
                        .preparedQuery("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))::text")
                        .execute(Tuple.of(pipeline.publication())))
                .chain(() -> connection
                        .preparedQuery("SELECT obj_description(oid, 'pg_publication') FROM pg_publication "
                                + "WHERE pubname = $1")
                        .execute(Tuple.of(pipeline.publication())))
                .chain(rows -> {
                    Optional<Row> row = Ledger.first(rows);
                    if (row.isEmpty()) {
                        return Uni.createFrom().voidItem();
                    }
                    String comment = row.get().getString(0);
                    Matcher newest = EPOCH.matcher(comment == null ? "" : comment);
                    if (newest.matches() && Long.parseLong(newest.group(1)) > epoch) {
                        throw new Ledger.FencedException("the scheduler of epoch " + epoch
                                + " may not change the publication " + pipeline.publication() + ": epoch "
                                + newest.group(1) + " was here");
                    }
                    return execute(connection, "COMMENT ON PUBLICATION " + publication + " IS 'sluice scheduler epoch "
                            + epoch + "'");
                });
    }

    private Uni<Void> requireFit(SqlConnection connection) {
        return connection
                .preparedQuery("SELECT puballtables, pubinsert AND pubupdate AND pubdelete AND pubtruncate "
                        + "FROM pg_publication WHERE pubname = $1")
                .execute(Tuple.of(pipeline.publication()))
                .map(rows -> {
                    Row row = Ledger.first(rows)
                            .orElseThrow(() -> new RefusedException(
                                    "the source has no publication " + pipeline.publication(),
                                    CaptureCheck.PUBLICATION_HINT));
                    if (row.getBoolean(0)) {
                        throw new RefusedException(
                                "the publication " + pipeline.publication() + " is FOR ALL TABLES",
                                "drop it and create it empty: CREATE PUBLICATION " + publication);
                    }
                    if (!row.getBoolean(1)) {
                        throw new RefusedException(
                                "the publication " + pipeline.publication() + " leaves out some kinds of changes",
                                CaptureCheck.allKindsHint(publication));
                    }
                    return null;
                });
    }

    private static Uni<Void> execute(SqlConnection connection, String statement) {
        return connection.query(statement).execute().replaceWithVoid();
    }
}
