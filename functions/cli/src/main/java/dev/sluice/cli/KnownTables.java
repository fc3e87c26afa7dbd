package dev.sluice.cli;

import dev.sluice.domain.TableName;
import dev.sluice.domain.TablePattern;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** What a person names tables by: names and patterns, as in SQL. */
record KnownTables(List<String> given) {

    KnownTables {
        given = List.copyOf(given);
        given.forEach(KnownTables::pattern);
    }

    /** @throws Trouble if it is no name */
    static String name(String text) {
        try {
            return TableName.parse(text).toString();
        } catch (IllegalArgumentException e) {
            throw Trouble.usage(Harmless.text(e.getMessage(), 400));
        }
    }

    private static TablePattern pattern(String text) {
        try {
            return TablePattern.parse(text);
        } catch (IllegalArgumentException e) {
            throw Trouble.usage(Harmless.text(e.getMessage(), 400));
        }
    }

    /** As the API wants them: names in the one form that they have, patterns as they are. */
    List<String> forTheApi() {
        return given.stream().map(it -> pattern(it).isName() ? name(it) : it).distinct().toList();
    }

    boolean areNames() {
        return given.stream().allMatch(it -> pattern(it).isName());
    }

    /** Whether a table is one of these; without any given, each is. */
    Predicate<String> which() {
        if (given.isEmpty()) {
            return name -> true;
        }
        List<TablePattern> patterns = given.stream().map(KnownTables::pattern).toList();
        return name -> {
            try {
                TableName table = TableName.parse(name);
                return patterns.stream().anyMatch(pattern -> pattern.matches(table));
            } catch (IllegalArgumentException e) {
                return false;
            }
        };
    }

    /** The names that were given, in the one form that they have, and no patterns. */
    List<String> names() {
        return given.stream().filter(it -> pattern(it).isName()).map(KnownTables::name).distinct().toList();
    }

    /** The tables of the pipeline that these are; a name stands for itself, known or not. */
    List<String> resolve(Iterable<Table> known) {
        // In the order in which they are named: it matters to those that wait for their turn.
        Set<String> resolved = new LinkedHashSet<>();
        for (String one : given) {
            if (pattern(one).isName()) {
                resolved.add(name(one));
                continue;
            }
            Predicate<String> matches = new KnownTables(List.of(one)).which();
            boolean any = false;
            for (Table table : known) {
                if (matches.test(table.name())) {
                    resolved.add(table.name());
                    any = true;
                }
            }
            if (!any) {
                throw Trouble.failed("no table of the pipeline matches " + one + ": sluice tables lists them");
            }
        }
        return List.copyOf(resolved);
    }
}
