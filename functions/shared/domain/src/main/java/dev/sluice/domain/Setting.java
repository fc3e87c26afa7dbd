package dev.sluice.domain;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/** What can be changed while a pipeline runs: the catalogue behind the command, the API, the page and the documents. */
public enum Setting {
    TABLES_AT_ONCE(
            "tablesAtOnce",
            "Tables at once",
            new Whole("tables", 1, 1_000, Optional.empty()),
            Optional.of(10),
            "sluice.scheduler.concurrency",
            "Tables between Queued and Streaming; more share the same worker slots, and with fewer those under way go on "
                    + "until they stream."),
    CHUNKS_PER_TABLE(
            "chunksPerTable",
            "Chunk workers per table",
            new Whole("chunks", 1, 256, Optional.empty()),
            Optional.of(4),
            "sluice.scheduler.chunks-per-table",
            "Chunks of one table that are copied at once; more copy one table faster and leave fewer worker slots to "
                    + "others."),
    CHUNK_ROWS(
            "chunkRows",
            "Rows per chunk",
            new Whole("rows", 100, 10_000_000, Optional.empty()),
            Optional.of(50_000),
            "sluice.scheduler.chunk-rows",
            "Rows of a chunk that is planned from now on; more cost less overhead a row, a failed chunk repeats more, and "
                    + "a transaction at the source lasts longer."),
    CHUNK_SECONDS(
            "chunkSeconds",
            "Target time per chunk",
            new Whole("seconds", 1, 300, Optional.of("by rows only")),
            Optional.empty(),
            "",
            "Plans as many rows a chunk, from 100 to chunkRows, as the chunks before took in this time."),
    ROWS_PER_SECOND(
            "rowsPerSecond",
            "Rows per second",
            new Whole("rows/s", 1, 100_000_000, Optional.of("no limit")),
            Optional.empty(),
            "",
            "Backfills of the whole pipeline copy no more than this on average: the next chunk goes out when the ones "
                    + "before are paid for, and chunks are planned no larger than five seconds of it."),
    READ_REPLICA(
            "readReplica",
            "Read from the replica",
            new OnOff(),
            Optional.of(true),
            "",
            "On: chunks are read at the standby of sluice.source.replica.url, where that is set; off: at the source."),
    SOURCE_SESSIONS_MAX(
            "sourceSessionsMax",
            "Rest above active sessions",
            new Whole("sessions", 1, 100_000, Optional.of("off")),
            Optional.empty(),
            "",
            "No chunk goes out while more sessions than this are active at the source, Sluice's own not counted, until "
                    + "they are a fifth fewer."),
    REPLICA_LAG_SECONDS_MAX(
            "replicaLagSecondsMax",
            "Rest above replica lag",
            new Whole("seconds", 1, 86_400, Optional.of("off")),
            Optional.empty(),
            "",
            "No chunk goes out while the replica or a streaming standby of the source is further behind than this, until "
                    + "it is a fifth less."),
    BACKFILL_ON_ADD(
            "backfillOnAdd",
            "Backfill on adding",
            new OnOff(),
            Optional.of(true),
            "",
            "On: a table that is added gets its place in the queue; off: it waits, paused, until somebody resumes or "
                    + "backfills it."),
    JOIN_PATTERNS(
            "joinPatterns",
            "Tables that join by themselves",
            new Patterns(100),
            Optional.of(List.of()),
            "",
            "Tables of the source that match are added within half a minute, also those that are made later; an entry "
                    + "«!pattern» leaves out what matches it."),
    MISSING_ROWS(
            "missingRows",
            "Rows that the source no longer has",
            new Choice(MissingRows.texts()),
            Optional.of(MissingRows.DELETE.text()),
            "",
            "When a range is copied anew: delete takes such rows off the destination (or marks them, where the table "
                    + "marks rows), keep leaves them as they are, also those that it "
                    + "deletes, truncates or gives another key while the backfill runs; not for a backfill with other options.");

    /** What a value of a setting looks like. */
    public sealed interface Kind {}

    /** @param whenEmpty what holds when the setting has no value; empty: it always has one */
    public record Whole(String unit, int min, int max, Optional<String> whenEmpty) implements Kind {}

    public record OnOff() implements Kind {}

    public record Choice(List<String> choices) implements Kind {}

    /** @param max how many, with at most {@value #LENGTH_MAX} characters each */
    public record Patterns(int max) implements Kind {
        /** As a name in {@link Command.AddTables}, and the exclamation mark. */
        public static final int LENGTH_MAX = 258;
    }

    /** Of a value that cannot be, in a message. */
    private static final int SHOWN_LENGTH_MAX = 100;

    private final String text;
    private final String title;
    private final Kind kind;
    private final Optional<Object> builtIn;
    private final String configuredBy;
    private final String effect;

    Setting(String text, String title, Kind kind, Optional<Object> builtIn, String configuredBy, String effect) {
        this.text = text;
        this.title = title;
        this.kind = kind;
        this.builtIn = builtIn;
        this.configuredBy = configuredBy;
        this.effect = effect;
    }

    /** As it stands in commands and state: {@code chunkRows}. */
    public String text() {
        return text;
    }

    public String title() {
        return title;
    }

    public Kind kind() {
        return kind;
    }

    /** What holds where nobody configured or changed anything: an Integer, Boolean, String or List of String. */
    public Optional<Object> builtIn() {
        return builtIn;
    }

    /** The setting of the scheduler's process that its default is taken from, if there is one. */
    public Optional<String> configuredBy() {
        return configuredBy.isEmpty() ? Optional.empty() : Optional.of(configuredBy);
    }

    /** What it does, in one sentence. */
    public String effect() {
        return effect;
    }

    /** {@code integer}, {@code boolean}, {@code choice} or {@code list}. */
    public String type() {
        return switch (kind) {
            case Whole whole -> "integer";
            case OnOff onOff -> "boolean";
            case Choice choice -> "choice";
            case Patterns patterns -> "list";
        };
    }

    public Optional<String> unit() {
        return kind instanceof Whole whole ? Optional.of(whole.unit()) : Optional.empty();
    }

    /** The lowest value of a whole number. */
    public OptionalInt min() {
        return kind instanceof Whole whole ? OptionalInt.of(whole.min()) : OptionalInt.empty();
    }

    /** The highest value of a whole number, or the most entries of a list. */
    public OptionalInt max() {
        return switch (kind) {
            case Whole whole -> OptionalInt.of(whole.max());
            case Patterns patterns -> OptionalInt.of(patterns.max());
            case OnOff onOff -> OptionalInt.empty();
            case Choice choice -> OptionalInt.empty();
        };
    }

    public List<String> choices() {
        return kind instanceof Choice choice ? choice.choices() : List.of();
    }

    /** What holds while it has no value; empty for one that always has a value. */
    public Optional<String> whenEmpty() {
        return kind instanceof Whole whole ? whole.whenEmpty() : Optional.empty();
    }

    /** What a value must be, in words. */
    public String bounds() {
        return switch (kind) {
            case Whole whole -> "a whole number from " + whole.min() + " to " + whole.max() + " (" + whole.unit() + ")";
            case OnOff onOff -> "true or false";
            case Choice choice -> "one of " + choice.choices();
            case Patterns patterns -> "a list of at most " + patterns.max() + " names or patterns of tables, of 1 to "
                    + Patterns.LENGTH_MAX + " characters each";
        };
    }

    /** @throws IllegalArgumentException if there is none of this name; the message lists those that there are */
    public static Setting named(String text) {
        return Arrays.stream(values())
                .filter(setting -> setting.text.equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no setting «" + shown(text) + "»; there are "
                        + Arrays.stream(values()).map(Setting::text).collect(Collectors.joining(", "))));
    }

    /**
     * The value as it is kept: an Integer, Boolean, String or List of String.
     *
     * @param value as JSON has it
     * @throws IllegalArgumentException if it cannot be one; the message names the setting, the value and its bounds
     */
    public Object require(Object value) {
        return switch (kind) {
            case Whole whole when value instanceof Integer number && whole.min() <= number && number <= whole.max() ->
                number;
            case Whole whole when value instanceof Long number && whole.min() <= number && number <= whole.max() ->
                number.intValue();
            case OnOff onOff when value instanceof Boolean ->
                value;
            case Choice choice when value instanceof String && choice.choices().contains(value) ->
                value;
            case Patterns patterns when value instanceof List<?> entries && entries.size() <= patterns.max() ->
                entries.stream().map(this::requirePattern).distinct().toList();
            case Kind others ->
                throw wrong(value, bounds());
        };
    }

    private String requirePattern(Object entry) {
        if (!(entry instanceof String pattern) || pattern.isBlank() || pattern.length() > Patterns.LENGTH_MAX) {
            throw wrong(entry, bounds());
        }
        try {
            JoinPatterns.of(List.of(pattern));
        } catch (IllegalArgumentException e) {
            throw wrong(entry, bounds() + "; " + e.getMessage());
        }
        return pattern;
    }

    private IllegalArgumentException wrong(Object value, String bounds) {
        return new IllegalArgumentException(text + " is " + shown(String.valueOf(value)) + ": it must be " + bounds);
    }

    private static String shown(String value) {
        return value.length() <= SHOWN_LENGTH_MAX ? value : value.substring(0, SHOWN_LENGTH_MAX) + "…";
    }
}
