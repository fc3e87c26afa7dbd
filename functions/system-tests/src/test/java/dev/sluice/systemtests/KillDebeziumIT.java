package dev.sluice.systemtests;

import static dev.sluice.systemtests.TestTable.BY_NUMBER;
import static dev.sluice.systemtests.TestTable.BY_PAIR;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.sql.Connection;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/** Debezium Server is killed again and again under load: what it sends again is dropped, and nothing is lost (R3, R4). */
class KillDebeziumIT {

    private static final int ROWS = 20_000;
    private static final int KILLS = 3;

    @Test
    void killedUnderInterleavingTransactionsNothingIsLostAndNoRowGoesBackwards() throws Exception {
        try (var stack = SluiceStack.start("killdebezium", Map.of())) {
            BY_NUMBER.create(stack, ROWS);
            BY_PAIR.create(stack, ROWS);
            stack.onSource("CREATE TABLE public.copied (id bigint PRIMARY KEY, n int, text text)");
            stack.add(BY_NUMBER.tableName(), BY_PAIR.tableName(), "public.copied");
            stack.awaitStreaming(BY_NUMBER.tableName());
            stack.awaitStreaming(BY_PAIR.tableName());
            stack.awaitStreaming("public.copied");

            try (var reader = BackwardsReader.start(stack, BY_NUMBER, BY_PAIR)) {
                try (var writes = LiveWrites.start(stack, 6, ROWS, BY_NUMBER, BY_PAIR)) {
                    for (int kill = 0; kill < KILLS; kill++) {
                        long before = writes.transactions();
                        copyIn(stack, kill * 5_000, 5_000);
                        SluiceStack.awaitTrue(
                                "the writers go on", SluiceStack.LONG, () -> writes.transactions() > before + 200);
                        stack.debezium().kill();
                        stack.debezium().restart();
                    }
                }
                for (String table : new String[] {BY_NUMBER.tableName(), BY_PAIR.tableName(), "public.copied"}) {
                    stack.assertEqual(table);
                }
                reader.close();
                assertThat(reader.backwards()).as("rows that went backwards").isEmpty();
            }
        }
    }

    /** Many rows in few WAL records, in one transaction with changes of its own. */
    private static void copyIn(SluiceStack stack, int from, int rows) throws Exception {
        var text = new StringBuilder();
        for (int i = from; i < from + rows; i++) {
            text.append(i).append('\t').append(i % 100).append("\tcopied ").append(i).append('\n');
        }
        try (Connection connection = stack.source(); var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            connection.unwrap(PGConnection.class)
                    .getCopyAPI()
                    .copyIn("COPY public.copied FROM STDIN", new StringReader(text.toString()));
            var savepoint = connection.setSavepoint();
            statement.execute("UPDATE public.copied SET id = -id - 1 WHERE n = 7 AND id >= " + from);
            connection.releaseSavepoint(savepoint);
            savepoint = connection.setSavepoint();
            statement.execute("DELETE FROM public.copied WHERE n = 9");
            connection.rollback(savepoint);
            statement.execute("DELETE FROM public.copied WHERE n = 8 AND id >= " + from);
            connection.commit();
        }
    }
}
