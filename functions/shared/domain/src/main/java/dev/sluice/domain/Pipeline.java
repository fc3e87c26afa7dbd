package dev.sluice.domain;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * The name that everything of one pipeline starts with, so that several share a Kafka, a source or a destination.
 *
 * @param name 1 to 31 lower-case letters and digits, a letter first: what is valid in a topic, a slot and a schema
 */
public record Pipeline(String name) {

    private static final Pattern VALID = Pattern.compile("[a-z][a-z0-9]{0,30}");
    private static final int TOPIC_LENGTH_MAX = 249;

    public Pipeline {
        if (!VALID.matcher(name).matches()) {
            throw new IllegalArgumentException("sluice.pipeline is «" + name
                    + "»: use 1 to 31 lower-case letters and digits, a letter first");
        }
    }

    /** The one topic of commands and events, of one partition: its order is the order of everything. */
    public String commandsAndEventsTopic() {
        return name + ".commands-and-events";
    }

    /** The compacted topic that is the state of the tables. */
    public String tableStateTopic() {
        return name + ".table-state";
    }

    /** The work queue of the chunk-workers: one partition a worker slot. */
    public String chunkTasksTopic() {
        return name + ".chunk-tasks";
    }

    /** The compacted topic of hold, drain and release commands, keyed by table. */
    public String streamCommandsTopic() {
        return name + ".stream-commands";
    }

    /** Where input ends that cannot be understood, with its reason. */
    public String deadLetterTopic() {
        return name + ".dead-letters";
    }

    /** Debezium's stored position, compacted. */
    public String captureOffsetsTopic() {
        return name + ".debezium-offsets";
    }

    /** The topic of logical messages: Sluice's own probes and heartbeats pass through it. */
    public String probeTopic() {
        return name + ".message";
    }

    /** What a logical message of ours is written under, {@code pg_logical_emit_message(true, prefix, …)}. */
    public String probePrefix() {
        return name;
    }

    public String slot() {
        return name + "_slot";
    }

    public String publication() {
        return name + "_publication";
    }

    public String ledgerSchema() {
        return name + "_ledger";
    }

    /**
     * The topic that queues a table's changes: {@code <pipeline>.cdc.<schema>.<table>}.
     *
     * <p>Two tables never get one topic. What Kafka does not allow in a name stands as {@code -XX}, the byte in hex.
     * Kafka also refuses two topics that differ only in {@code .} and {@code _}, so an underscore in the
     * <em>schema</em> is escaped too: the first separator after the schema is then never ambiguous. A name over
     * Kafka's 249 characters is cut and ends in {@code -h} and a hash.
     */
    public String queueTopic(TableName table) {
        String topic = name + ".cdc." + escape(table.schema(), false) + "." + escape(table.name(), true);
        if (topic.length() <= TOPIC_LENGTH_MAX) {
            return topic;
        }
        String hash = "-h" + sha256(topic).substring(0, 40);
        return topic.substring(0, TOPIC_LENGTH_MAX - hash.length()) + hash;
    }

    private static String escape(String identifier, boolean keepUnderscore) {
        var escaped = new StringBuilder();
        for (byte b : identifier.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            boolean keep = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
                    || c == '_' && keepUnderscore;
            if (keep) {
                escaped.append(c);
            } else {
                escaped.append('-').append(HexFormat.of().withUpperCase().toHexDigits(b));
            }
        }
        return escaped.toString();
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
