package dev.sluice.postgres;

import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions;
import dev.sluice.postgres.CapturedDefinition.CapturedColumn;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * What became of a table's definition at the source, and whether the destination can follow without a new copy. Pure.
 *
 * <p>It can when every row that the destination has is right afterwards, or is put right by changes that are on their
 * way. An ALTER TABLE that writes the rows anew sends no changes, so what it did to their values nobody can know. VACUUM
 * FULL, CLUSTER and TRUNCATE give the table new storage, too, but leave its columns as they were.
 */
sealed interface DefinitionChange {

    /** @param steps what the destination has to do, in this order; none if nothing concerns it */
    record Followed(List<Step> steps) implements DefinitionChange {
        public Followed {
            steps = List.copyOf(steps);
        }
    }

    /** Only a new backfill helps. */
    record CannotFollow(String reason, String hint) implements DefinitionChange {}

    sealed interface Step {

        /** @param missing what the rows have in it that are there already; empty for NULL */
        record AddColumn(String name, Optional<String> missing) implements Step {}

        record WidenType(String name, String type) implements Step {}

        /** NULL may come. */
        record AllowNull(String name) implements Step {}

        record RenameColumn(String from, String to) implements Step {}

        /** The source has it no more: it goes or stays, by setting. */
        record DropColumn(String name) implements Step {}
    }

    String BACKFILL_HINT = "send retry: the table is backfilled anew, and its table at the destination is fitted to it";

    /** @param target the table at the destination, for hints */
    static DefinitionChange between(CapturedDefinition before, CapturedDefinition now, TableName target) {
        return new Comparison(before, now, target).decide();
    }

    /**
     * What is left of it for a table that is not carried as it is. A name that stands in the options means the column of
     * the time when they were given, so such a column neither comes, goes nor is renamed. Of a row condition nobody
     * knows which columns it names.
     */
    default DefinitionChange under(TableOptions options) {
        if (options.isNone() || !(this instanceof Followed followed)) {
            return this;
        }
        List<Step> steps = new ArrayList<>();
        for (Step step : followed.steps()) {
            boolean names = switch (step) {
                case Step.AddColumn added -> isTransformed(added.name(), options);
                case Step.RenameColumn renamed -> options.where().isPresent()
                        || isNamed(renamed.from(), options)
                        || isNamed(renamed.to(), options);
                case Step.DropColumn gone -> options.where().isPresent() || isNamed(gone.name(), options);
                case Step.WidenType widened -> false;
                case Step.AllowNull allowed -> false;
            };
            if (names) {
                return new CannotFollow(
                        "the definition of the table was changed at the source, in columns that its options name: " + step,
                        "send backfill with the options as they are right for the new definition");
            }
            boolean concerns = switch (step) {
                case Step.AddColumn added -> options.carries(added.name());
                case Step.RenameColumn renamed -> options.carries(renamed.to());
                case Step.DropColumn gone -> options.carries(gone.name());
                case Step.WidenType widened ->
                    options.carries(widened.name()) && !isTransformed(widened.name(), options);
                case Step.AllowNull allowed -> options.carries(allowed.name());
            };
            if (concerns) {
                steps.add(step);
            }
        }
        return new Followed(steps);
    }

    private static boolean isTransformed(String column, TableOptions options) {
        return options.hash().contains(column) || options.mask().containsKey(column);
    }

    private static boolean isNamed(String column, TableOptions options) {
        return isTransformed(column, options)
                || options.key().contains(column)
                || options.include().contains(column)
                || options.exclude().contains(column);
    }

    /** Goes on to the first that cannot be followed. */
    final class Comparison {

        private static final Pattern VARYING = Pattern.compile("(character|bit) varying(?:\\((\\d+)\\))?");
        private static final Pattern NUMERIC = Pattern.compile("numeric\\((\\d+),(-?\\d+)\\)");

        private final CapturedDefinition before;
        private final CapturedDefinition now;
        private final TableName target;
        private final boolean rewritten;
        /** Whether a column came and went since. The queue has its values under a name that nobody knows. */
        private final boolean cameAndWent;

        private final List<Step> steps = new ArrayList<>();

        private Comparison(CapturedDefinition before, CapturedDefinition now, TableName target) {
            this.before = before;
            this.now = now;
            this.target = target;
            this.rewritten = now.storage().isRewrittenSince(before.storage());
            this.cameAndWent = IntStream.rangeClosed(before.places() + 1, now.places())
                    .anyMatch(place -> now.at(place).isEmpty());
        }

        private DefinitionChange decide() {
            Optional<CannotFollow> obstacle = key();
            for (CapturedColumn column : before.columns()) {
                if (obstacle.isEmpty() && now.at(column.place()).isEmpty()) {
                    steps.add(new Step.DropColumn(column.name()));
                }
            }
            for (CapturedColumn column : now.columns()) {
                if (obstacle.isEmpty()) {
                    Optional<CapturedColumn> was = before.at(column.place());
                    obstacle = was.isPresent() ? changed(was.get(), column) : added(column);
                }
            }
            return obstacle.<DefinitionChange>map(cannot -> cannot).orElseGet(() -> new Followed(steps));
        }

        private Optional<CannotFollow> key() {
            List<Integer> places = places(before);
            if (!places.equals(places(now))) {
                return cannot("the key of the table was changed", BACKFILL_HINT);
            }
            for (int i = 0; i < before.key().size(); i++) {
                String from = before.key().get(i);
                String to = now.key().get(i);
                if (!from.equals(to)) {
                    return cannot(
                            "the key's column " + quote(from) + " was renamed to " + quote(to),
                            "run " + rename(from, to) + " at the destination, then send retry: the table is backfilled "
                                    + "anew");
                }
            }
            return Optional.empty();
        }

        private static List<Integer> places(CapturedDefinition definition) {
            return definition.key().stream()
                    .map(name -> definition.named(name).map(CapturedColumn::place).orElse(0))
                    .toList();
        }

        private Optional<CannotFollow> added(CapturedColumn column) {
            if (isTaken(column)) {
                return nameUsedBefore(column);
            }
            if (column.isCopied() && rewritten) {
                return cannot(
                        "the column " + quote(column.name()) + " was added and the table written anew, so its rows got "
                                + "values that no change tells",
                        BACKFILL_HINT);
            }
            if (column.isCopied() && column.differs()) {
                return cannot(
                        "the column " + quote(column.name()) + " was added, and older rows of one partition have another "
                                + "value in it than those of the next",
                        BACKFILL_HINT);
            }
            steps.add(new Step.AddColumn(column.name(), column.missing()));
            return Optional.empty();
        }

        private Optional<CannotFollow> changed(CapturedColumn was, CapturedColumn is) {
            String name = quote(is.name());
            if (was.isCopied() != is.isCopied() || !is.isCopied() && !was.defaultId().equals(is.defaultId())) {
                return cannot(
                        "the generation expression of the column " + name + " was changed",
                        "change it alike at the destination's table " + target + ", then send retry: the table is "
                                + "backfilled anew");
            }
            if (!is.name().equals(was.name())) {
                if (isTaken(is)) {
                    return nameUsedBefore(is);
                }
                steps.add(new Step.RenameColumn(was.name(), is.name()));
            }
            boolean touched = !was.version().equals(is.version());
            if (rewritten && touched && is.isCopied() && !isExplainedByNewStorage(was, is)) {
                return cannot(
                        "the column " + name + " was altered and the table written anew"
                                + (was.type().equals(is.type()) ? "" : " (" + was.type() + " became " + is.type() + ")")
                                + ", which sends no changes",
                        BACKFILL_HINT);
            }
            // A type that was only renamed leaves the column's row in the catalog alone.
            if (touched && !was.type().equals(is.type())) {
                if (!isWider(was.type(), is.type())) {
                    return cannot(
                            "the type of the column " + name + " was changed from " + was.type() + " to " + is.type(),
                            BACKFILL_HINT);
                }
                steps.add(new Step.WidenType(is.name(), is.type()));
            }
            if (now.key().contains(is.name()) && !was.collation().equals(is.collation())) {
                return cannot("the collation of the key's column " + name + " was changed", BACKFILL_HINT);
            }
            if (was.notNull() && !is.notNull()) {
                steps.add(new Step.AllowNull(is.name()));
            }
            return Optional.empty();
        }

        /**
         * New storage takes away what is noted of rows older than the column, and with it writes the column's row in the
         * catalog. An ALTER of the column would also set its default anew.
         */
        private static boolean isExplainedByNewStorage(CapturedColumn was, CapturedColumn is) {
            return was.missing().isPresent()
                    && is.missing().isEmpty()
                    && was.defaultId().isPresent()
                    && was.defaultId().equals(is.defaultId())
                    && was.type().equals(is.type());
        }

        /** Whether the queue has, or may have, the column's name for another column. */
        private boolean isTaken(CapturedColumn column) {
            Optional<Integer> past = Optional.ofNullable(before.past().get(column.name()));
            Optional<Integer> current = before.named(column.name()).map(CapturedColumn::place);
            return cameAndWent
                    || past.filter(place -> place != column.place()).isPresent()
                    || current.filter(place -> place != column.place()).isPresent();
        }

        private Optional<CannotFollow> nameUsedBefore(CapturedColumn column) {
            return cannot(
                    "the name " + quote(column.name())
                            + (cameAndWent ? " may have been the name of a column that came and went at once"
                                    : " was the name of another column before")
                            + ", and the queue does not tell them apart",
                    BACKFILL_HINT);
        }

        /**
         * Types between which values stay as they are, and whose narrower one refuses what does not fit: until the
         * destination follows, nothing is cut or rounded there.
         */
        private static boolean isWider(String from, String to) {
            Matcher narrow = VARYING.matcher(from);
            Matcher wide = VARYING.matcher(to);
            boolean isCharacter = from.equals("text") || narrow.matches() && narrow.group(1).equals("character");
            if (to.equals("text")) {
                return isCharacter;
            }
            if (wide.matches()) {
                if (wide.group(2) == null) {
                    return wide.group(1).equals("character")
                            ? isCharacter
                            : narrow.matches() && narrow.group(1).equals("bit");
                }
                return narrow.matches()
                        && narrow.group(1).equals(wide.group(1))
                        && narrow.group(2) != null
                        && Integer.parseInt(narrow.group(2)) <= Integer.parseInt(wide.group(2));
            }
            Matcher fewer = NUMERIC.matcher(from);
            Matcher more = NUMERIC.matcher(to);
            return fewer.matches()
                    && more.matches()
                    && fewer.group(2).equals(more.group(2))
                    && Integer.parseInt(fewer.group(1)) <= Integer.parseInt(more.group(1));
        }

        private String rename(String from, String to) {
            return "ALTER TABLE " + target.sql() + " RENAME COLUMN " + quote(from) + " TO " + quote(to);
        }

        private static Optional<CannotFollow> cannot(String what, String hint) {
            return Optional.of(new CannotFollow("the definition of the table was changed at the source: " + what, hint));
        }

        private static String quote(String name) {
            return TableName.quote(name);
        }
    }
}
