package dev.sluice.traces;

import dev.sluice.domain.TableName;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;

/**
 * The ids of traces and spans: hashes of what they are of, so that whoever tells a span again tells the same one.
 *
 * @param topicId Kafka's id of the topic of commands and events. Runs are numbered by its offsets, so that it tells the
 *     runs of two pipelines apart that have one name
 */
record Ids(String topicId) {

    private static final int TRACE_HEX_LENGTH = 32;
    private static final int SPAN_HEX_LENGTH = 16;

    String trace(TableName table, long run) {
        return hash(TRACE_HEX_LENGTH, "trace", table, run);
    }

    /** @param again what set the run going again after it had ended: an offset; 0 for the run from its beginning */
    String root(TableName table, long run, long again) {
        return hash(SPAN_HEX_LENGTH, "root", table, run, again);
    }

    String phase(TableName table, long run, String phase, Instant since) {
        return hash(SPAN_HEX_LENGTH, "phase", table, run, phase, since);
    }

    String step(TableName table, long run, int attempt) {
        return hash(SPAN_HEX_LENGTH, "step", table, run, attempt);
    }

    String chunk(TableName table, long run, int chunk, int attempt) {
        return hash(SPAN_HEX_LENGTH, "chunk", table, run, chunk, attempt);
    }

    private String hash(int length, Object... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(topicId.getBytes(StandardCharsets.UTF_8));
            for (Object part : parts) {
                digest.update((byte) 0);
                digest.update(part.toString().getBytes(StandardCharsets.UTF_8));
            }
            return HexFormat.of().formatHex(digest.digest()).substring(0, length);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
