package dev.sluice.domain;

import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What the scheduler knows beside the tables: one record of the compacted topic.
 *
 * @param epoch how many times a scheduler took over; a change of the publication by an older one is refused (R18)
 * @param inputOffset the next input to fold (R16)
 * @param requests requests to add tables that the source has not been asked about yet, oldest first
 * @param slots which chunk each busy worker slot has
 * @param rejections the last inputs that could not be followed, oldest first, at most {@value #REJECTIONS_MAX}
 * @param settings those that were changed by command
 * @param defaults what the configuration of the scheduler that leads says of the others
 * @param resting why no chunk goes out although there are some; empty: nothing keeps them
 * @param pace when the next chunk may go out, under a limit of rows per second
 * @param pause if all of it rests: nothing is written to the destination
 */
public record PipelineRecord(
        long epoch,
        long inputOffset,
        List<Request> requests,
        Map<Integer, SlotTask> slots,
        List<Rejection> rejections,
        Settings settings,
        Settings defaults,
        Optional<String> resting,
        Optional<Pace> pace,
        Optional<Pause> pause) {

    public static final int REJECTIONS_MAX = 20;
    /** More unanswered requests than this are rejected. */
    public static final int REQUESTS_MAX = 100;
    /** More characters than this in the names of all unanswered requests are rejected. */
    public static final int REQUESTS_LENGTH_MAX = 300_000;

    public PipelineRecord {
        requests = List.copyOf(requests);
        slots = Collections.unmodifiableMap(new TreeMap<>(slots));
        rejections = List.copyOf(rejections);
    }

    public static PipelineRecord empty() {
        return new PipelineRecord(
                0, 0, List.of(), Map.of(), List.of(), Settings.NONE, Settings.NONE, Optional.empty(), Optional.empty(),
                Optional.empty());
    }

    /** The settings that hold. */
    public Settings effective() {
        return settings.over(defaults);
    }

    /** @param by who asked, as far as that is known */
    public record Request(
            long offset, List<String> tables, Optional<TableOptions> options, Attempt attempt, Optional<String> by) {
        public Request {
            tables = List.copyOf(tables);
        }

        public Request(long offset, List<String> tables, Optional<TableOptions> options, Attempt attempt) {
            this(offset, tables, options, attempt, Optional.empty());
        }

        /** How much the request adds to the record. */
        public int length() {
            return tables.stream().mapToInt(String::length).sum()
                    + options.map(TableOptions::length).orElse(0);
        }
    }

    public record SlotTask(TableName table, long run, int chunk, int attempt) {}

    /**
     * @param notBefore when all that has gone out is paid for
     * @param reserved by busy worker slot: how many rows its chunk was taken for
     */
    public record Pace(Instant notBefore, Map<Integer, Long> reserved) {
        public Pace {
            reserved = Collections.unmodifiableMap(new TreeMap<>(reserved));
        }
    }

    /**
     * Texts come from whoever sent the input, so they are cut: the record must stay one that Kafka takes.
     *
     * @param offset of the input that could not be followed
     * @param request the command that it answers, where it is the answer to one: an add-tables is followed only when the
     *     source has been asked. Empty: it is the command itself
     */
    public record Rejection(long offset, String what, String reason, Optional<Long> request) {

        private static final int TEXT_LENGTH_MAX = 500;

        public Rejection {
            what = cut(what);
            reason = cut(reason);
        }

        public Rejection(long offset, String what, String reason) {
            this(offset, what, reason, Optional.empty());
        }

        /** The offset of the command that was rejected. */
        public long command() {
            return request.orElse(offset);
        }

        private static String cut(String text) {
            return text.length() <= TEXT_LENGTH_MAX ? text : text.substring(0, TEXT_LENGTH_MAX) + "…";
        }
    }
}
