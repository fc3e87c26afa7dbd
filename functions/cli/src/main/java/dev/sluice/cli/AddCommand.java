package dev.sluice.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "add", description = "Adds tables of the source to the pipeline, and backfills them. A table that it has stays as it is.")
final class AddCommand implements Callable<Integer> {

    private final Sluice sluice;

    @Parameters(arity = "1..*", paramLabel = "NAME", description = "Tables of the source, by name or pattern such as 'sales.*'.")
    private List<String> names;

    @Mixin
    private OptionsArguments options;

    @Mixin
    private ActionOptions action;

    @Mixin
    private WaitOptions waits;

    AddCommand(Sluice sluice) {
        this.sluice = sluice;
    }

    @Override
    public Integer call() {
        var given = new KnownTables(names);
        ObjectNode more = Json.object();
        options.over(Json.object()).ifPresent(all -> more.set("options", all));
        Predicate<String> which = given.which();
        return new ActionRun(sluice, sluice.api()).run(
                List.of(new Action("add", given.forTheApi(), more)),
                action,
                waits,
                Awaited.Kind.ADDED,
                board -> matching(board, given.names(), which));
    }

    private static Collection<String> matching(Board board, List<String> names, Predicate<String> which) {
        var matching = new TreeSet<>(names);
        board.tables().stream().map(Table::name).filter(which).forEach(matching::add);
        return matching;
    }
}
