package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/** The way of every action: sent, told, and waited for where that is asked. */
final class ActionRun {

    private final Sluice sluice;
    private final ConsoleApi api;

    ActionRun(Sluice sluice, ConsoleApi api) {
        this.sluice = sluice;
        this.api = api;
    }

    /** Sends, and does not wait. */
    int run(Action action, ActionOptions options, Actions.Asks asks) {
        var actions = new Actions(sluice, api);
        return actions.run(List.of(action), options, asks)
                .map(sent -> {
                    if (sluice.json()) {
                        sluice.printer().json(sent.answer());
                    }
                    return sent.rejected() ? ExitCode.FAILED : ExitCode.DONE;
                })
                .orElseGet(actions::exitCode);
    }

    /**
     * Sends, and waits if the options say so.
     *
     * @param names of the tables to wait for
     */
    int run(
            List<Action> asked,
            ActionOptions options,
            WaitOptions waits,
            Awaited.Kind kind,
            Function<Board, Collection<String>> names) {
        var limit = waits.limit();
        var before = new Board();
        if (waits.isAsked() && !options.dryRun()) {
            before.apply(api.get("/overview").json(), true);
        }
        var actions = new Actions(sluice, api);
        Optional<Actions.Sent> sent = actions.run(asked, options, asks(kind));
        if (sent.isEmpty()) {
            return actions.exitCode();
        }
        if (!waits.isAsked() || sent.get().rejected()) {
            if (sluice.json()) {
                sluice.printer().json(sent.get().answer());
            }
            return sent.get().rejected() ? ExitCode.FAILED : ExitCode.DONE;
        }
        Map<String, Table> tables = new HashMap<>();
        before.tables().forEach(table -> tables.put(table.name(), table));
        var awaited = new Awaited(kind, tables, sent.get().unanswered(), names);
        var board = new Board();
        Predicate<String> shown = name -> names.apply(board).contains(name);
        List<Ending> endings = new Watcher(api, sluice.printer())
                .watch(board, sluice.display(), shown, awaited::look, limit, true)
                .orElse(List.of());
        return tell(board, kind, endings);
    }

    private static Actions.Asks asks(Awaited.Kind kind) {
        return switch (kind) {
            case ADDED, STREAMING -> Actions.Asks.NEVER;
            case BACKFILLED, RETRIED, VERIFIED -> Actions.Asks.WHERE_IT_HURTS;
        };
    }

    private int tell(Board board, Awaited.Kind kind, List<Ending> endings) {
        boolean verified = kind == Awaited.Kind.VERIFIED;
        if (sluice.json()) {
            ArrayNode tables = Json.array();
            for (Ending ending : endings) {
                if (verified && board.table(ending.table()).isPresent()) {
                    tables.add(api.get("/tables/" + ConsoleAddress.encode(ending.table())).json());
                } else {
                    board.table(ending.table()).ifPresent(table -> tables.add(table.json()));
                }
            }
            sluice.printer().json(Json.write(tables));
        }
        for (Ending ending : endings) {
            String line = (ending.table().isEmpty() ? "" : ending.table() + " ") + ending.text();
            if (!ending.well()) {
                sluice.printer().note(line);
            } else if (!sluice.json()) {
                sluice.printer().line(line);
            }
            if (verified && !ending.well() && !sluice.json() && board.table(ending.table()).isPresent()) {
                var detail = api.get("/tables/" + ConsoleAddress.encode(ending.table())).json();
                new TableDetail(sluice, detail).printFindings();
            }
        }
        return endings.stream().allMatch(Ending::well) ? ExitCode.DONE : ExitCode.FAILED;
    }
}
