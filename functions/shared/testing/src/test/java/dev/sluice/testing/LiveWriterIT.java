package dev.sluice.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.testing.LiveWriter.Counts;
import dev.sluice.testing.LiveWriter.Settings;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class LiveWriterIT {

    private static final long SEED = 20_260_101;

    @Test
    void everyTransactionOfTheShopWorks() throws Exception {
        PostgresServer server = SharedServers.source();
        String database = SharedServers.freshDatabase(server);
        try (Connection connection = server.connect(database)) {
            Shop.create(connection, 2_000);
            assertThat(rows(connection)).isEqualTo("400 1000 2000 2000 20 200");

            List<LiveWriter.Transaction> transactions = Shop.transactions();
            for (LiveWriter.Transaction transaction : transactions) {
                Counts counts = writeUntil(server, database, List.of(transaction), 20);
                assertThat(counts.connectionsLost()).isZero();
            }

            assertThat(rows(connection)).isNotEqualTo("400 1000 2000 2000 20 200");
        }
    }

    @Test
    void nothingIsOpenAnyMoreOnceTheWriterHasStopped() throws Exception {
        PostgresServer server = SharedServers.source();
        String database = SharedServers.freshDatabase(server);
        try (Connection connection = server.connect(database)) {
            Shop.create(connection, 2_000);

            Counts counts = writeUntil(server, database, Shop.transactions(), 500);

            assertThat(counts.rolledBack()).as("rolled back on purpose").isPositive();
            await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> assertThat(text(connection,
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'live writer'")).isEqualTo("0"));
            String before = rows(connection);
            assertThat(rows(connection)).isEqualTo(before);
        }
    }

    @Test
    void itGoesOnWhenTheServerComesBack() throws Exception {
        try (PostgresServer server =
                PostgresServer.start(SharedServers.folder("live-writer"), 0, SharedServers.FAST_POSTGRES)) {
            server.createDatabase("shop");
            try (Connection connection = server.connect("shop")) {
                Shop.create(connection, 100);
            }
            try (LiveWriter writer = LiveWriter.start(() -> server.connect("shop"), Shop.transactions(),
                    new Settings(3, Duration.ofMillis(1), SEED))) {
                await().until(() -> writer.counts().committed() > 50);
                server.kill();
                await().until(() -> writer.trouble().isPresent());
                server.restart();
                long before = writer.counts().committed();
                await().until(() -> writer.counts().committed() > before + 50);
                assertThat(writer.counts().connectionsLost()).isPositive();
                assertThat(writer.trouble()).isEmpty();
            }
        }
    }

    @Test
    void aMistakeInATransactionIsNotHidden() {
        PostgresServer server = SharedServers.source();
        String database = SharedServers.freshDatabase(server);
        LiveWriter writer = LiveWriter.start(() -> server.connect(database), List.of((connection, random) -> {
            connection.createStatement().execute("INSERT INTO missing VALUES (1)");
            return true;
        }), new Settings(2, Duration.ZERO, SEED));

        await().until(() -> writer.trouble().isPresent());

        assertThatThrownBy(writer::stop).hasMessageContaining("seed " + SEED).hasMessageContaining("\"missing\"");
    }

    private static Counts writeUntil(PostgresServer server, String database, List<LiveWriter.Transaction> transactions,
            long count) {
        LiveWriter writer = LiveWriter.start(
                () -> server.connect(database), transactions, new Settings(4, Duration.ofMillis(1), SEED));
        await().atMost(Duration.ofMinutes(1)).until(() -> {
            Counts counts = writer.counts();
            return writer.trouble().isPresent() || counts.committed() + counts.rolledBack() > count;
        });
        return writer.stop();
    }

    private static String rows(Connection connection) throws Exception {
        return text(connection, """
                SELECT concat_ws(' ', (SELECT count(*) FROM shop.customers), (SELECT count(*) FROM shop.orders),
                  (SELECT count(*) FROM shop.order_lines), (SELECT count(*) FROM shop.events),
                  (SELECT count(*) FROM shop.documents), (SELECT count(*) FROM shop."Price List"))""");
    }

    private static String text(Connection connection, String query) throws Exception {
        try (var statement = connection.createStatement(); var rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getString(1);
        }
    }
}
