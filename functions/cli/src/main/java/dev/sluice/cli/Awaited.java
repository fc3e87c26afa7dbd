package dev.sluice.cli;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Knows from what a table was before, and what it is now, whether a wait for it is over. */
final class Awaited {

    /** What the wait is for. */
    enum Kind {
        /** That it streams, however it came to that. */
        STREAMING,
        /** That a table which was added streams. */
        ADDED,
        /** That a backfill that was asked for is through. */
        BACKFILLED,
        /** That what had failed streams. */
        RETRIED,
        /** That a comparison is through. */
        VERIFIED
    }

    private final Kind kind;
    private final Map<String, Table> before;
    private final Map<String, Long> unanswered;
    private final Function<Board, Collection<String>> names;
    private final Set<String> moved = new HashSet<>();
    private boolean added;

    /**
     * @param before the tables as they were before the command was sent
     * @param unanswered offsets of commands that were not followed yet when the console answered, by table or pattern
     * @param names of the tables to wait for, as they are known now
     */
    Awaited(Kind kind, Map<String, Table> before, Map<String, Long> unanswered, Function<Board, Collection<String>> names) {
        this.kind = kind;
        this.before = Map.copyOf(before);
        this.unanswered = Map.copyOf(unanswered);
        this.names = names;
    }

    /** How it ended for each table; empty while it goes on for one of them. */
    Optional<List<Ending>> look(Board board) {
        if (!board.isKnown()) {
            return Optional.empty();
        }
        boolean over = !mayBringTables(board);
        List<Ending> endings = new ArrayList<>();
        for (String name : names.apply(board)) {
            Optional<Ending> ending = rejection(name, board)
                    .map(reason -> new Ending(name, false, "was rejected: " + reason))
                    .or(() -> look(name, board));
            ending.ifPresent(endings::add);
            over &= ending.isPresent();
        }
        return over ? Optional.of(List.copyOf(endings)) : Optional.empty();
    }

    private Optional<String> rejection(String name, Board board) {
        return Optional.ofNullable(unanswered.get(name)).flatMap(offset -> board.rejection(offset, name));
    }

    /** Whether a request to add tables is still to be answered by the source, or not even seen by the scheduler. */
    private boolean mayBringTables(Board board) {
        added |= board.isAdding();
        return switch (kind) {
            case ADDED -> board.isAdding()
                    || !added && unanswered.keySet().stream().anyMatch(entry -> isOpen(entry, board));
            case STREAMING -> board.isAdding();
            case BACKFILLED, RETRIED, VERIFIED -> false;
        };
    }

    private boolean isOpen(String entry, Board board) {
        return board.table(entry).isEmpty() && rejection(entry, board).isEmpty();
    }

    private Optional<Ending> look(String name, Board board) {
        Optional<Table> now = board.table(name);
        if (now.isEmpty()) {
            return mayBringTables(board)
                    ? Optional.empty()
                    : Optional.of(new Ending(name, false, "is not known: sluice add " + name));
        }
        Table table = now.get();
        Optional<Table> was = Optional.ofNullable(before.get(name));
        if (was.isPresent() && !was.get().since().equals(table.since()) || was.isPresent() && !was.get().state().equals(table.state())) {
            moved.add(name);
        }
        return switch (kind) {
            case STREAMING -> ended(table);
            case ADDED -> table.isIn("Queued") && table.paused().isPresent()
                    ? Optional.of(new Ending(name, false, "waits paused: sluice resume " + name))
                    : ended(table);
            case BACKFILLED -> backfilled(table, was);
            case RETRIED -> moved.contains(name) ? ended(table) : Optional.empty();
            case VERIFIED -> verified(table, was);
        };
    }

    private static Optional<Ending> ended(Table table) {
        return switch (table.state()) {
            case "Streaming" -> Optional.of(new Ending(table.name(), true, "streams"));
            case "Failed" -> Optional.of(new Ending(table.name(), false, "failed: " + table.errorText().orElse("no reason is known")));
            case "Cancelled" -> Optional.of(new Ending(table.name(), false, "was cancelled"));
            case "Leaving" -> Optional.of(new Ending(table.name(), false, "is being removed"));
            default -> Optional.empty();
        };
    }

    private Optional<Ending> backfilled(Table table, Optional<Table> was) {
        // One that waited already keeps its place in the queue, and with it the number of its run.
        boolean keptItsPlace = was.filter(it -> it.isIn("Queued")).isPresent() && moved.contains(table.name());
        boolean newRun = was.isEmpty() || table.run() > was.get().run() || keptItsPlace;
        boolean askedElse = table.askedFor().equals("cancel") && !table.asked().equals(was.map(Table::asked).orElse(""));
        if (table.isIn("Streaming")) {
            if (askedElse) {
                return Optional.of(new Ending(table.name(), false, "streams, its backfill was cancelled"));
            }
            if (!newRun) {
                return Optional.empty();
            }
        }
        return newRun || moved.contains(table.name()) ? ended(table) : Optional.empty();
    }

    private Optional<Ending> verified(Table table, Optional<Table> was) {
        String status = table.verificationStatus();
        if (status.equals("running")) {
            moved.add(table.name() + " verified");
            return Optional.empty();
        }
        boolean isNew = moved.contains(table.name() + " verified")
                || !table.verificationAt().equals(was.map(Table::verificationAt).orElse(""));
        if (!status.isEmpty() && isNew) {
            return Optional.of(new Ending(table.name(), status.equals("verified"), TableText.verified(table)));
        }
        return table.isIn("Streaming") && table.paused().isEmpty()
                ? Optional.empty()
                : Optional.of(new Ending(table.name(), false, "is " + TableText.state(table) + ": only a table that streams is verified"));
    }
}
