package dev.sluice.console.view;

import dev.sluice.console.view.TableDetail.ColumnShown;
import dev.sluice.domain.TableDefinition;
import dev.sluice.domain.TableDefinition.Column;
import dev.sluice.domain.TableDefinition.Generation;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.postgres.RefusedException;
import dev.sluice.postgres.SourceTables;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Columns of tables as the source has them, and how their values arrive. */
@Singleton
public class Columns {

    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(3);
    private static final Duration FRESH = Duration.ofSeconds(30);
    private static final int TABLES_MAX = 100;

    private final SourceTables source;
    private final Map<TableName, Known> known = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<TableName, Known> eldest) {
            return size() > TABLES_MAX;
        }
    };

    /** @param trouble why they are not known */
    record Shown(List<ColumnShown> columns, Optional<String> trouble) {}

    private record Known(TableOptions options, Shown shown, long atNanos) {}

    @Inject
    public Columns(SourceTables source) {
        this.source = source;
    }

    /** Blocks, for a few seconds at most. */
    Shown of(TableName table, TableOptions options) {
        synchronized (known) {
            Known before = known.get(table);
            if (before != null && before.options().equals(options)
                    && System.nanoTime() - before.atNanos() <= FRESH.toNanos()) {
                return before.shown();
            }
        }
        Shown shown = ask(table, options);
        synchronized (known) {
            known.put(table, new Known(options, shown, System.nanoTime()));
        }
        return shown;
    }

    private Shown ask(TableName table, TableOptions options) {
        try {
            TableDefinition definition = source.inspect(table, options).await().atMost(ANSWER_LIMIT);
            return new Shown(
                    definition.columns().stream().map(column -> shown(column, definition, options)).toList(),
                    Optional.empty());
        } catch (RefusedException e) {
            return new Shown(List.of(), Optional.of(e.fault().reason() + ": " + e.fault().hint()));
        } catch (RuntimeException e) {
            return new Shown(List.of(), Optional.of("The source could not be asked for the columns."));
        }
    }

    private static ColumnShown shown(Column column, TableDefinition definition, TableOptions options) {
        String name = column.name();
        boolean key = definition.keyColumns().contains(name);
        boolean left = options.exclude().contains(name)
                || !options.include().isEmpty() && !options.include().contains(name) && !key;
        if (left) {
            return new ColumnShown(name, column.type(), key, "left out", Optional.empty());
        }
        if (options.hash().contains(name)) {
            return new ColumnShown(name, column.type(), key, "hashed", Optional.of("SHA-256 of salt and value, as text"));
        }
        if (options.mask().containsKey(name)) {
            return new ColumnShown(name, column.type(), key, "masked", Optional.of(
                    options.mask().get(name).map(text -> "arrives as «" + text + "»").orElse("arrives as NULL")));
        }
        return new ColumnShown(
                name, column.type(), key,
                column.generation() == Generation.STORED || column.generation() == Generation.VIRTUAL ? "generated" : "as it is",
                column.isCopied() ? Optional.empty() : Optional.of("computed by the destination"));
    }
}
