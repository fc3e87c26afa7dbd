package dev.sluice.domain;

import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Values of settings: those that were changed, those that hold by default, or those that hold.
 *
 * @param values by setting, each as {@link Setting#require} gives it. A setting without a value is not among them
 */
public record Settings(Map<Setting, Object> values) {

    public static final Settings NONE = new Settings(Map.of());

    /** @throws IllegalArgumentException if a value is none that its setting can have */
    public Settings {
        Map<Setting, Object> required = new EnumMap<>(Setting.class);
        values.forEach((setting, value) -> required.put(setting, setting.require(value)));
        values = Collections.unmodifiableMap(required);
    }

    /** What holds where nobody configured or changed anything. */
    public static Settings builtIn() {
        Map<Setting, Object> values = new EnumMap<>(Setting.class);
        for (Setting setting : Setting.values()) {
            setting.builtIn().ifPresent(value -> values.put(setting, value));
        }
        return new Settings(values);
    }

    /** These, with another value for one. */
    public Settings with(Setting setting, Object value) {
        return with(new Change(Map.of(setting, Optional.of(value))));
    }

    /** These, after a change. */
    public Settings with(Change change) {
        Map<Setting, Object> changed = new EnumMap<>(Setting.class);
        changed.putAll(values);
        change.values().forEach((setting, value) -> {
            changed.remove(setting);
            value.ifPresent(it -> changed.put(setting, it));
        });
        return new Settings(changed);
    }

    /** These, and the others for what these do not have. */
    public Settings over(Settings others) {
        Map<Setting, Object> all = new EnumMap<>(Setting.class);
        all.putAll(others.values);
        all.putAll(values);
        return new Settings(all);
    }

    public Optional<Object> value(Setting setting) {
        return Optional.ofNullable(values.get(setting));
    }

    public Optional<Integer> tablesAtOnce() {
        return value(Setting.TABLES_AT_ONCE, Integer.class);
    }

    public Optional<Integer> chunksPerTable() {
        return value(Setting.CHUNKS_PER_TABLE, Integer.class);
    }

    public Optional<Integer> chunkRows() {
        return value(Setting.CHUNK_ROWS, Integer.class);
    }

    public Optional<Integer> chunkSeconds() {
        return value(Setting.CHUNK_SECONDS, Integer.class);
    }

    public Optional<Integer> rowsPerSecond() {
        return value(Setting.ROWS_PER_SECOND, Integer.class);
    }

    public Optional<Boolean> readReplica() {
        return value(Setting.READ_REPLICA, Boolean.class);
    }

    public Optional<Integer> sourceSessionsMax() {
        return value(Setting.SOURCE_SESSIONS_MAX, Integer.class);
    }

    public Optional<Integer> replicaLagSecondsMax() {
        return value(Setting.REPLICA_LAG_SECONDS_MAX, Integer.class);
    }

    public Optional<Boolean> backfillOnAdd() {
        return value(Setting.BACKFILL_ON_ADD, Boolean.class);
    }

    public Optional<List<String>> joinPatterns() {
        return value(Setting.JOIN_PATTERNS)
                .map(value -> ((List<?>) value).stream().map(String.class::cast).toList());
    }

    public Optional<MissingRows> missingRows() {
        return value(Setting.MISSING_ROWS, String.class).map(MissingRows::of);
    }

    /** Only these settings. */
    public Settings only(Setting... some) {
        Map<Setting, Object> kept = new EnumMap<>(Setting.class);
        for (Setting setting : some) {
            value(setting).ifPresent(value -> kept.put(setting, value));
        }
        return new Settings(kept);
    }

    private <T> Optional<T> value(Setting setting, Class<T> type) {
        return value(setting).map(type::cast);
    }

    /**
     * What is to become of some settings.
     *
     * @param values by setting; empty: back to its default
     */
    public record Change(Map<Setting, Optional<Object>> values) {

        /** @throws IllegalArgumentException if a value is none that its setting can have, or nothing is to be changed */
        public Change {
            if (values.isEmpty()) {
                throw new IllegalArgumentException("no setting is named that is to be changed");
            }
            Map<Setting, Optional<Object>> required = new EnumMap<>(Setting.class);
            values.forEach((setting, value) -> required.put(setting, value.map(setting::require)));
            values = Collections.unmodifiableMap(required);
        }
    }
}
