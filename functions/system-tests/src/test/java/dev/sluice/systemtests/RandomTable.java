package dev.sluice.systemtests;

import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableOptions.SoftDelete;
import dev.sluice.systemtests.RandomKinds.Kind;
import dev.sluice.systemtests.RandomKinds.KeyKind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A table whose columns, key, options and shape follow from one seed, and what becomes of it by {@link RandomAlterations}.
 * It speaks SQL only: what is run, and when, is for the caller to decide.
 */
final class RandomTable {

    static final int NUMBERS = 1_000_000;
    private static final int COLUMNS_MAX = 9;
    private static final String MASK = "*** ";
    /** As bytea, tsvector, "char", char(5) and tsquery write it, which take it for a value of theirs. */
    private static final String MASK_READ = "'\\x2a2a2a20', '''***''', '*', '***  ', ''";
    private static final int ROWS_MAX = 1_000;
    /** A table without a key, or with one that is copied as a whole, is scanned and sorted as a whole, too. */
    private static final int ROWS_MAX_WHOLE = 150;
    private static final int CHARACTERS_MAX = 1_500_000;

    /** What tells the rows apart for who captures them. */
    enum Identity {
        PRIMARY_KEY,
        PRIMARY_KEY_AND_FULL,
        /** No primary key. */
        UNIQUE_AND_FULL,
        /** No primary key. */
        INDEX,
        INDEX_BESIDE_PRIMARY_KEY,
        /** The columns that the options name, beside a primary key. */
        NAMED,
        NONE;

        boolean isFull() {
            return this == PRIMARY_KEY_AND_FULL || this == UNIQUE_AND_FULL || this == NAMED || this == NONE;
        }

        boolean hasPrimaryKeyBeside() {
            return this == INDEX_BESIDE_PRIMARY_KEY || this == NAMED;
        }
    }

    enum Partitioning {
        NONE,
        HASH,
        RANGE
    }

    /** @param notNull whether it never is NULL */
    record Column(Kind kind, boolean notNull) {}

    final long seed;
    final TableName name;
    final Identity identity;
    final Partitioning partitioning;
    /** By name, as are all of these. */
    final Map<String, KeyKind> key = new LinkedHashMap<>();
    /** Unique, and not the key: the primary key beside it, or one that may be NULL and goes from row to row. */
    final Map<String, KeyKind> beside = new LinkedHashMap<>();
    final Map<String, Column> columns = new LinkedHashMap<>();
    final Set<String> generated = new HashSet<>();
    final List<String> partitions = new ArrayList<>();
    final Optional<String> base;
    final TableOptions options;
    private final Random random;
    private final List<String> setup = new ArrayList<>();
    /** What the options speak of, or another column is computed from: nothing becomes of it. */
    private final Set<String> fixed = new HashSet<>();
    private final boolean hasIdentityAlways;
    private int columnsMade;
    /** Numbers from this one on have no partition yet. */
    private int numbers = NUMBERS;

    RandomTable(long seed) {
        this.seed = seed;
        this.random = of(seed, 1);
        this.name = new TableName(
                pick("public", "public", "Sch ema"), pick("t", "T ", "q\"q", "ünï", "select.") + Long.toHexString(seed));
        this.identity = random.nextInt(2) == 0
                ? Identity.PRIMARY_KEY
                : Identity.values()[random.nextInt(Identity.values().length)];
        int keyColumns = identity == Identity.NONE ? 0 : 1 + random.nextInt(3) / 2 + random.nextInt(4) / 3;
        boolean wantsPartitions = random.nextInt(4) == 0 && !identity.hasPrimaryKeyBeside() && identity != Identity.INDEX;
        for (int i = 0; i < keyColumns; i++) {
            List<KeyKind> kinds = RandomKinds.KEYS.stream()
                    .filter(kind -> !wantsPartitions || kind.isHashed())
                    .toList();
            key.put(
                    pick("id", "Key", "k.") + i,
                    random.nextInt(6) == 0 ? RandomKinds.NUMBER : kinds.get(random.nextInt(kinds.size())));
        }
        Optional<Map.Entry<String, KeyKind>> first = key.entrySet().stream().findFirst();
        boolean ranges = first.filter(it -> it.getValue() == RandomKinds.NUMBER).isPresent() && random.nextBoolean();
        this.partitioning = !wantsPartitions
                ? Partitioning.NONE
                : ranges
                        ? Partitioning.RANGE
                        : first.isEmpty() || first.get().getValue().isHashed() ? Partitioning.HASH : Partitioning.NONE;
        this.hasIdentityAlways = partitioning == Partitioning.NONE
                && first.filter(it -> it.getValue() == RandomKinds.NUMBER).isPresent()
                && random.nextInt(3) == 0;
        if (identity.hasPrimaryKeyBeside()) {
            beside.put("pk", new KeyKind("bigint", "n * 7919", "", false));
        } else if (partitioning == Partitioning.NONE && random.nextInt(4) == 0) {
            beside.put("Unique 1", RandomKinds.KEYS.get(random.nextInt(RandomKinds.KEYS.size())));
        }
        this.base = isPartitioned() && key.isEmpty() || random.nextInt(3) > 0 ? Optional.of("Base") : Optional.empty();
        base.ifPresent(column -> {
            columns.put(column, new Column(RandomKinds.BASE, false));
            fixed.add(column);
        });
        int count = random.nextInt(COLUMNS_MAX) + (keyColumns == 0 && base.isEmpty() ? 1 : 0);
        for (int i = 0; i < count; i++) {
            columns.put(newName(), new Column(RandomKinds.any(random), random.nextInt(6) == 0));
        }
        this.options = random.nextInt(4) == 0 || identity == Identity.NAMED ? randomOptions() : TableOptions.NONE;
        create();
    }

    /** Each concern has its own numbers, so that one more of them leaves the others as they were. */
    static Random of(long seed, int concern) {
        return new Random((seed + concern * 1_000_003L) * 0x9E3779B97F4A7C15L);
    }

    boolean isPartitioned() {
        return partitioning != Partitioning.NONE;
    }

    /** Makes the table, and its first rows. */
    List<String> setup() {
        return List.copyOf(setup);
    }

    int numbers() {
        return numbers;
    }

    /** Makes room for all numbers. */
    String addPartition() {
        numbers = NUMBERS;
        return partition("FROM (0) TO (MAXVALUE)");
    }

    boolean canAddPartition() {
        return numbers < NUMBERS;
    }

    void renameKey(String from, String to) {
        Map<String, KeyKind> renamed = new LinkedHashMap<>();
        key.forEach((column, kind) -> renamed.put(column.equals(from) ? to : column, kind));
        key.clear();
        key.putAll(renamed);
    }

    boolean isFixed(String column) {
        return fixed.contains(column);
    }

    /** Names, values of options and an index mean the columns of the time when they were made. */
    boolean canLoseColumns() {
        return options.where().isEmpty();
    }

    String newName() {
        return pick("c", "Col ", "ç", "order", "t\"") + columnsMade++;
    }

    String index(String what) {
        return TableName.quote(what + " of " + Long.toHexString(seed));
    }

    private void create() {
        List<String> parts = new ArrayList<>();
        key.forEach((column, kind) -> parts.add(TableName.quote(column) + " " + kind.type() + " NOT NULL"
                + (hasIdentityAlways && kind == RandomKinds.NUMBER && column.equals(key.keySet().iterator().next())
                        ? " GENERATED ALWAYS AS IDENTITY"
                        : "")));
        beside.forEach((column, kind) -> parts.add(
                TableName.quote(column) + " " + kind.type() + (identity.hasPrimaryKeyBeside() ? " PRIMARY KEY" : " UNIQUE")));
        columns.forEach((column, of) -> parts.add(TableName.quote(column) + " " + of.kind().type()
                + (of.notNull() ? " NOT NULL" : "")
                + (random.nextInt(4) == 0 ? " DEFAULT " + of.kind().constant(random).orElse("NULL") : "")));
        if (base.isPresent() && !identity.isFull() && random.nextInt(3) == 0) {
            String column = "Computed";
            generated.add(column);
            parts.add(TableName.quote(column) + " bigint GENERATED ALWAYS AS (" + TableName.quote(base.get())
                    + "::bigint * 3) " + pick("STORED", "VIRTUAL"));
        }
        shuffle(parts);
        String keyList = keyList();
        if (identity == Identity.PRIMARY_KEY || identity == Identity.PRIMARY_KEY_AND_FULL) {
            parts.add("CONSTRAINT " + index("key") + " PRIMARY KEY (" + keyList + ")");
        }
        setup.add("CREATE TABLE " + name.sql() + " (" + String.join(", ", parts) + ")" + partitionBy());
        if (identity.hasPrimaryKeyBeside() || identity == Identity.INDEX || identity == Identity.UNIQUE_AND_FULL) {
            setup.add("CREATE UNIQUE INDEX " + index("key") + " ON " + name.sql() + " (" + keyList + ")");
        }
        switch (partitioning) {
            case NONE -> { }
            case RANGE -> {
                setup.add(partition("FROM (MINVALUE) TO (-250000)"));
                setup.add(partition("FROM (-250000) TO (0)"));
                numbers = NUMBERS / 2;
            }
            case HASH -> {
                for (int i = 0; i < 3; i++) {
                    setup.add(partition("WITH (MODULUS 3, REMAINDER " + i + ")"));
                }
            }
        }
        if (identity.isFull()) {
            setup.add("ALTER TABLE " + name.sql() + " REPLICA IDENTITY FULL");
            partitions.forEach(partition -> setup.add("ALTER TABLE " + partition + " REPLICA IDENTITY FULL"));
        } else if (identity != Identity.PRIMARY_KEY) {
            setup.add("ALTER TABLE " + name.sql() + " REPLICA IDENTITY USING INDEX " + index("key"));
        }
        columns.forEach((column, of) -> {
            if (of.kind().type().equals("text") && random.nextInt(3) == 0) {
                setup.add("ALTER TABLE " + name.sql() + " ALTER COLUMN " + TableName.quote(column) + " SET STORAGE EXTERNAL");
            }
        });
    }

    /** How many rows to begin with: none at times, and fewer of large ones. */
    int rows() {
        int length = 50 + columns.values().stream().mapToInt(column -> column.kind().length()).sum();
        boolean isWhole = key.isEmpty() || key.values().stream().anyMatch(KeyKind::isUnranged);
        int most = Math.min(isWhole ? ROWS_MAX_WHOLE : ROWS_MAX, CHARACTERS_MAX / length + 10);
        return random.nextInt(6) == 0 ? 0 : random.nextInt(most);
    }

    private String partitionBy() {
        return switch (partitioning) {
            case NONE -> "";
            case RANGE -> " PARTITION BY RANGE (" + TableName.quote(key.keySet().iterator().next()) + ")";
            case HASH -> " PARTITION BY HASH ("
                    + TableName.quote(key.keySet().stream().findFirst().or(() -> base).orElseThrow()) + ")";
        };
    }

    private String partition(String values) {
        String partition = TableName.quote(name.schema()) + "."
                + TableName.quote(Long.toHexString(seed) + " partition " + partitions.size());
        partitions.add(partition);
        return "CREATE TABLE " + partition + " PARTITION OF " + name.sql() + " FOR VALUES " + values;
    }

    private String keyList() {
        List<String> names = new ArrayList<>(key.keySet());
        shuffle(names);
        return names.stream().map(TableName::quote).collect(Collectors.joining(", "));
    }

    private TableOptions randomOptions() {
        List<String> free = new ArrayList<>(columns.keySet());
        base.ifPresent(free::remove);
        shuffle(free);
        List<String> exclude = new ArrayList<>();
        List<String> hash = new ArrayList<>();
        Map<String, Optional<String>> mask = new LinkedHashMap<>();
        for (String column : free.subList(0, Math.min(free.size(), random.nextInt(4)))) {
            switch (random.nextInt(3)) {
                case 0 -> exclude.add(column);
                case 1 -> hash.add(column);
                default -> mask.put(column, random.nextBoolean() ? Optional.of(MASK) : Optional.empty());
            }
            fixed.add(column);
        }
        Optional<String> large = columns.entrySet().stream()
                .filter(column -> column.getValue().kind().type().equals("text") && !fixed.contains(column.getKey()))
                .map(Map.Entry::getKey)
                .findFirst();
        boolean hasCondition = !key.isEmpty() && random.nextInt(3) == 0;
        Optional<String> where = Optional.empty();
        if (hasCondition && large.isPresent()) {
            where = Optional.of("length(" + TableName.quote(large.get()) + ") % 2 = 0");
        } else if (hasCondition && base.isPresent()) {
            where = Optional.of(TableName.quote(base.get()) + pick(" % 3 <> 1", " > 5", " IS NOT NULL", " IN (1, 2, 3, 4, 5, 6)"));
        }
        where.ifPresent(condition -> large.ifPresent(fixed::add));
        boolean marks = !key.isEmpty() && random.nextInt(3) == 0;
        boolean names = identity == Identity.NAMED;
        List<String> named = names ? new ArrayList<>(key.keySet()) : List.of();
        if (names) {
            shuffle(named);
        }
        boolean carriesNothing = key.isEmpty() && exclude.size() == columns.size();
        return new TableOptions(
                named,
                List.of(),
                carriesNothing ? List.of() : exclude,
                hash,
                mask,
                where,
                marks
                        ? Optional.of(new SoftDelete("Gone at", pick(SoftDelete.Type.BOOLEAN, SoftDelete.Type.TIMESTAMPTZ)))
                        : Optional.empty());
    }

    /** What the source's rows are to be like at the destination, as a list for SELECT. */
    String expected(String salt) {
        return all().stream()
                .filter(options::carries)
                .map(column -> {
                    String quoted = TableName.quote(column);
                    if (options.hash().contains(column)) {
                        return "CASE WHEN format('%L', " + quoted + ") <> 'NULL' THEN encode(sha256(convert_to(format('%s%s', "
                                + RandomKinds.quote(salt) + ", " + quoted + "), 'UTF8')), 'hex') END";
                    }
                    return options.mask().containsKey(column)
                            ? options.mask().get(column).map(RandomKinds::quote).orElse("NULL") + "::text"
                            : quoted;
                })
                .collect(Collectors.joining(", "));
    }

    /** The same of the destination's. */
    String carried() {
        return all().stream()
                .filter(options::carries)
                .map(column -> {
                    String quoted = TableName.quote(column);
                    return options.mask().containsKey(column)
                            ? "CASE WHEN format('%L', " + quoted + ") = 'NULL' THEN NULL WHEN format('%s', " + quoted
                                    + ") IN (" + MASK_READ + ") THEN " + RandomKinds.quote(MASK) + " ELSE format('%s', "
                                    + quoted + ") END"
                            : quoted;
                })
                .collect(Collectors.joining(", "));
    }

    /** Which of the destination's rows the source still has, as a condition. */
    String notMarked() {
        return options.softDelete()
                .map(mark -> mark.type() == SoftDelete.Type.BOOLEAN
                        ? "NOT " + TableName.quote(mark.column())
                        : TableName.quote(mark.column()) + " IS NULL")
                .orElse("true");
    }

    private List<String> all() {
        List<String> all = new ArrayList<>(key.keySet());
        all.addAll(beside.keySet());
        all.addAll(columns.keySet());
        all.addAll(generated);
        return all;
    }

    boolean needsOverriding() {
        return hasIdentityAlways;
    }

    private void shuffle(List<?> list) {
        Collections.shuffle(list, random);
    }

    @SafeVarargs
    private <T> T pick(T... choices) {
        return choices[random.nextInt(choices.length)];
    }

    @Override
    public String toString() {
        return name + " (seed " + seed + ", " + identity + ", partitions by " + partitioning + ", key " + key.values() + ", "
                + (options.isNone() ? "no options" : options) + ")";
    }
}
