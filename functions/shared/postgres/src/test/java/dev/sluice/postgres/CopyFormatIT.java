package dev.sluice.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableDefinition.Generation;
import dev.sluice.testing.MatrixTable;
import dev.sluice.testing.PostgresVersion;
import dev.sluice.testing.SharedServers;
import dev.sluice.testing.TypeMatrix;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

class CopyFormatIT {

    /** Each type alone: beside one that travels as text, the others do, too. */
    @Test
    void whatTravelsInBinaryFormIsReadAsItWas() throws Exception {
        String database = SharedServers.freshDatabase(SharedServers.source());
        String otherDatabase = SharedServers.freshDatabase(SharedServers.destination());
        List<String> binary = new ArrayList<>();
        try (Connection source = SharedServers.source().connect(database);
                Connection destination = SharedServers.destination().connect(otherDatabase);
                Statement there = destination.createStatement();
                Statement here = source.createStatement()) {
            MatrixTable.useTextSettings(source);
            MatrixTable.useTextSettings(destination);
            for (TypeMatrix.Entry entry : TypeMatrix.entries(PostgresVersion.NEWEST)) {
                if (entry.type().contains(TypeMatrix.SCHEMA) || !isBinary(here, entry.type())) {
                    continue;
                }
                binary.add(entry.type());
                String table = "CREATE TABLE public.t" + binary.size() + " (v " + entry.type() + ")";
                here.execute(table);
                there.execute(table);
                for (String value : entry.values()) {
                    here.execute("INSERT INTO public.t" + binary.size() + " VALUES (" + ChunkStatements.literal(value) + ")");
                }
                var rows = new ByteArrayOutputStream();
                String copy = "COPY public.t" + binary.size() + " %s (FORMAT binary)";
                source.unwrap(PGConnection.class).getCopyAPI().copyOut(copy.formatted("TO STDOUT"), rows);
                destination.unwrap(PGConnection.class)
                        .getCopyAPI()
                        .copyIn(copy.formatted("FROM STDIN"), new ByteArrayInputStream(rows.toByteArray()));

                String values = "SELECT format('%s', v) FROM public.t" + binary.size();
                assertThat(texts(there, values)).as(entry.type()).isEqualTo(texts(here, values));
            }
        }
        assertThat(binary).contains("integer", "text[]", "tsvector");
    }

    private static boolean isBinary(Statement statement, String type) throws Exception {
        String written = texts(statement, "SELECT format_type(to_regtype(" + ChunkStatements.literal(type) + "), NULL)")
                .getFirst();
        var column = new Column(
                "v", written, false, Generation.NONE, Optional.empty(), Optional.empty(), "1");
        return CopyFormat.between(List.of(column), Map.of("v", column)) == CopyFormat.BINARY;
    }

    private static List<String> texts(Statement statement, String query) throws Exception {
        List<String> texts = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery(query)) {
            while (rows.next()) {
                texts.add(rows.getString(1));
            }
        }
        return texts;
    }
}
