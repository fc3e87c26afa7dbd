package dev.sluice.debezium;

import dev.sluice.domain.Pipeline;
import java.util.Map;
import java.util.Properties;

/**
 * Makes what Debezium Server needs to find at its first start: its two topics, the publication, the slot, and the
 * first stored offset. Run it before every start; what is there already is left as it is.
 *
 * <p>Where going on would lose changes it makes nothing, says why, and ends with code 1.
 */
public final class Prepare {

    private Prepare() {
    }

    /** Reads the same environment as {@code conf/application.properties}; takes no arguments. */
    public static void main(String[] arguments) {
        try {
            String done = run(System.getenv());
            System.out.println("prepare: " + done);
        } catch (RefusedException e) {
            System.err.println("prepare: refused: " + e.getMessage());
            System.exit(1);
        } catch (Exception e) {
            System.err.println("prepare: failed");
            e.printStackTrace();
            System.exit(1);
        }
    }

    /**
     * @param environment see {@code conf/application.properties} for the names and defaults
     * @return what was found or made, for the log
     * @throws RefusedException if what is there does not fit together, so that changes are or would be lost
     */
    static String run(Map<String, String> environment) throws Exception {
        var pipeline = new Pipeline(environment.getOrDefault("SLUICE_PIPELINE", "sluice"));
        try (var topics = new CaptureTopics(pipeline,
                environment.getOrDefault("SLUICE_KAFKA_BOOTSTRAP_SERVERS", "localhost:9092"));
                var source = SourceDatabase.connect(pipeline, jdbcUrl(environment), credentials(environment))) {
            topics.create();
            return run(topics, source);
        }
    }

    private static String run(CaptureTopics topics, SourceDatabase source) throws Exception {
        var stored = topics.storedCommitLsn();
        var slot = source.slot();
        if (stored.isPresent()) {
            long lsn = stored.getAsLong();
            if (slot.isEmpty()) {
                throw new RefusedException("Kafka holds the offset " + Slot.text(lsn) + " of a slot that is missing at "
                        + "the source. A new slot would begin later: the changes in between would be lost. To begin "
                        + "anew, delete topic " + topics.offsetsTopic() + ", prepare again, and backfill every table");
            }
            slot.get().requireHolds(lsn);
            source.createPublication();
            return "slot at " + Slot.text(slot.get().confirmedFlushLsn()) + ", stored offset " + Slot.text(lsn);
        }
        // Without an offset only a beginning is safe. A publication without tables is one: no table expects changes.
        if (slot.isPresent() && source.publicationHasTables()) {
            throw new RefusedException("a slot and published tables are there, but Kafka holds no offset: topic "
                    + topics.offsetsTopic() + " was lost. To begin anew, take the tables out of the publication, drop "
                    + "the slot, prepare again, and backfill every table");
        }
        source.createPublication();
        if (slot.isEmpty()) {
            slot = java.util.Optional.of(source.createSlot());
        }
        long beginning = slot.get().confirmedFlushLsn();
        topics.storeCommitLsn(beginning);
        return "slot made at " + Slot.text(beginning) + ", first offset stored";
    }

    private static String jdbcUrl(Map<String, String> environment) {
        return "jdbc:postgresql://" + environment.getOrDefault("SLUICE_SOURCE_HOST", "localhost") + ":"
                + environment.getOrDefault("SLUICE_SOURCE_PORT", "5432") + "/"
                + environment.getOrDefault("SLUICE_SOURCE_DATABASE", "postgres");
    }

    private static Properties credentials(Map<String, String> environment) {
        var credentials = new Properties();
        credentials.setProperty("user", environment.getOrDefault("SLUICE_SOURCE_USER", "postgres"));
        String password = environment.getOrDefault("SLUICE_SOURCE_PASSWORD", "");
        if (!password.isEmpty()) {
            credentials.setProperty("password", password);
        }
        credentials.setProperty("ApplicationName", "sluice-prepare");
        return credentials;
    }
}
