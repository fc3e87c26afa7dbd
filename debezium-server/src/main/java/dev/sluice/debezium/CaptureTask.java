package dev.sluice.debezium;

import io.debezium.DebeziumException;
import io.debezium.connector.postgresql.PostgresConnectorConfig;
import io.debezium.connector.postgresql.PostgresConnectorConfig.AutoCreateMode;
import io.debezium.connector.postgresql.PostgresConnectorTask;
import io.debezium.connector.postgresql.PostgresSchema;
import io.debezium.connector.postgresql.connection.PostgresConnection;
import io.debezium.connector.postgresql.connection.ReplicationConnection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.metrics.PluginMetrics;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTaskContext;
import org.apache.kafka.connect.source.TransactionContext;
import org.apache.kafka.connect.storage.OffsetStorageReader;

/**
 * Streams from the end of a whole transaction, and only from the slot that the stored offset belongs to.
 *
 * <p>Both checks end the process with their reason: going on would lose changes in silence.
 */
public final class CaptureTask extends PostgresConnectorTask {

    private TransactionEndOffsets offsets;
    private KeyingConnection keys;
    private Ordinals ordinals = new Ordinals();

    @Override
    public void initialize(SourceTaskContext context) {
        offsets = new TransactionEndOffsets(context.offsetStorageReader());
        super.initialize(new ContextWithOffsets(context, offsets));
    }

    /**
     * @throws DebeziumException if no offset is stored, the slot is missing or lost, or the slot is past the offset
     * @throws SQLException if the source cannot be asked; Debezium tries again
     */
    @Override
    protected ReplicationConnection buildReplicationConnection(PostgresConnection connection, PostgresSchema schema,
            PostgresConnectorConfig config) throws SQLException {
        requireOwnSlot(connection, config.slotName());
        ordinals = new Ordinals();
        closeKeys();
        keys = new KeyingConnection(config, connection.getTypeRegistry());
        return ReplicationConnection.builder(config)
                .withSlot(config.slotName())
                .withPublication(config.publicationName())
                .withTableFilter(config.getTableFilters())
                // What the prepare step and the scheduler made is used as it is.
                .withPublicationAutocreateMode(AutoCreateMode.DISABLED)
                .withPlugin(config.plugin())
                .dropSlotOnClose(false)
                .createFailOverSlot(false)
                .statusUpdateInterval(Duration.ofMillis(
                        config.getConfig().getInteger(PostgresConnectorConfig.STATUS_UPDATE_INTERVAL_MS)))
                .withTypeRegistry(new TextTypeRegistry(connection))
                .withSchema(schema)
                .jdbcMetadataConnection(keys)
                .build();
    }

    @Override
    public List<SourceRecord> doPoll() throws InterruptedException {
        List<SourceRecord> records = super.doPoll();
        ordinals.number(records);
        return records;
    }

    @Override
    protected void doStop() {
        super.doStop();
        closeKeys();
    }

    private void closeKeys() {
        if (keys != null) {
            keys.close();
            keys = null;
        }
    }

    private void requireOwnSlot(PostgresConnection connection, String slot) throws SQLException {
        long stored = offsets.storedCommitLsn().orElseThrow(() -> new DebeziumException(
                "Kafka holds no offset for slot " + slot + ": Sluice's prepare step stores the first one, so it was "
                        + "not run, or the offsets were lost. Run it; it says what to do"));
        Slot.find(connection.connection(), slot)
                .orElseThrow(() -> new DebeziumException("replication slot " + slot + " is missing, but the stored "
                        + "offset " + Slot.text(stored) + " needs it: changes since then are lost. Delete the stored "
                        + "offset, prepare anew, and backfill every table again"))
                .requireHolds(stored);
    }

    /** Debezium's context, with another reader of offsets. */
    private record ContextWithOffsets(SourceTaskContext context, OffsetStorageReader offsetStorageReader)
            implements SourceTaskContext {

        @Override
        public Map<String, String> configs() {
            return context.configs();
        }

        @Override
        public TransactionContext transactionContext() {
            return context.transactionContext();
        }

        @Override
        public PluginMetrics pluginMetrics() {
            return context.pluginMetrics();
        }
    }
}
