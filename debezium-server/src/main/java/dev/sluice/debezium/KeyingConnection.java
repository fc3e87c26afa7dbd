package dev.sluice.debezium;

import io.debezium.connector.postgresql.PostgresConnectorConfig;
import io.debezium.connector.postgresql.TypeRegistry;
import io.debezium.connector.postgresql.connection.PostgresConnection;
import io.debezium.relational.TableId;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Says which columns Debezium keys the records of a table by: the primary key where that is the replica identity, and
 * else none.
 *
 * <p>By itself it would take the primary key, or the unique index that comes first by name, whatever the WAL has of
 * them. With REPLICA IDENTITY FULL or an index, the record has the row before the change, or its identity; whoever
 * applies it takes the key from there, and a key change stays one record.
 */
final class KeyingConnection extends PostgresConnection {

    private static final String IDENTITY = "SELECT c.relreplident = 'd' FROM pg_catalog.pg_class c "
            + "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ? AND c.relname = ?";

    KeyingConnection(PostgresConnectorConfig config, TypeRegistry types) {
        super(config, types, "sluice-capture-keys");
    }

    @Override
    public List<String> readPrimaryKeyNames(DatabaseMetaData metadata, TableId table) throws SQLException {
        boolean isIdentity = prepareQueryAndMap(
                IDENTITY,
                statement -> {
                    statement.setString(1, table.schema());
                    statement.setString(2, table.table());
                },
                rows -> rows.next() && rows.getBoolean(1));
        return isIdentity ? super.readPrimaryKeyNames(metadata, table) : new ArrayList<>();
    }

    @Override
    public List<String> readTableUniqueIndices(DatabaseMetaData metadata, TableId table) {
        return new ArrayList<>();
    }
}
