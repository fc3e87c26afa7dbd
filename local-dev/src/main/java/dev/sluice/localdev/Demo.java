package dev.sluice.localdev;

import dev.sluice.testing.LiveWriter;
import dev.sluice.testing.PostgresServer;
import dev.sluice.testing.Shop;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/** The demo tables at the source, and what writes to them all the time. */
final class Demo {

    private static final int CONNECTIONS = 4;
    private static final Duration PAUSE = Duration.ofMillis(25);

    private final PostgresServer source;
    private LiveWriter writer;
    private Instant measuredAt = Instant.now();
    private long measured;
    private double perSecond;

    private Demo(PostgresServer source) {
        this.source = source;
    }

    static Demo create(PostgresServer source, int rows) {
        try (Connection connection = source.connect(Installation.DATABASE)) {
            Shop.create(connection, rows);
        } catch (SQLException e) {
            throw new IllegalStateException("the demo tables cannot be made: " + e.getMessage(), e);
        }
        return new Demo(source);
    }

    void startWriting() {
        measuredAt = Instant.now();
        writer = LiveWriter.start(() -> source.connect(Installation.DATABASE), Shop.transactions(),
                new LiveWriter.Settings(CONNECTIONS, PAUSE, System.nanoTime()));
    }

    LiveWriter writer() {
        return writer;
    }

    /** What the writer does, for a person. */
    String line(Instant now) {
        LiveWriter.Counts counts = writer.counts();
        double seconds = Duration.between(measuredAt, now).toMillis() / 1_000.0;
        if (seconds >= 1) {
            perSecond = (counts.committed() - measured) / seconds;
            measured = counts.committed();
            measuredAt = now;
        }
        return writer.trouble().orElseGet(() -> String.format(Locale.ROOT,
                "the live writer commits %,d transactions/s on %d connections: %,d committed, %,d rolled back, "
                        + "%,d in conflict",
                Math.round(perSecond), CONNECTIONS, counts.committed(), counts.rolledBack(), counts.conflicts()));
    }
}
