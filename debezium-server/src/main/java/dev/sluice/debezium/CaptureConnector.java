package dev.sluice.debezium;

import io.debezium.connector.postgresql.PostgresConnector;
import org.apache.kafka.connect.connector.Task;

/** Debezium's PostgreSQL connector with exact values and offsets that name only ends of transactions. */
public final class CaptureConnector extends PostgresConnector {

    @Override
    public Class<? extends Task> taskClass() {
        return CaptureTask.class;
    }
}
