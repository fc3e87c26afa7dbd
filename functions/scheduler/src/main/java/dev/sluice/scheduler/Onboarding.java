package dev.sluice.scheduler;

import dev.sluice.domain.Command;
import dev.sluice.domain.TableOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the settings say of tables, as the commands that a scheduler begins with. */
final class Onboarding {

    private Onboarding() {}

    /**
     * Neighbours without options go together; the order stays, since a table is known by the first that names it.
     *
     * @param options by a text that stands among the names
     * @throws IllegalArgumentException if options are for a text that does not
     */
    static List<Command.AddTables> commands(List<String> names, Map<String, TableOptions> options) {
        for (String name : options.keySet()) {
            if (!names.contains(name)) {
                throw new IllegalArgumentException("sluice.source.options has options of «" + name
                        + "», which does not stand in sluice.source.tables: add it there, written alike");
            }
        }
        List<Command.AddTables> commands = new ArrayList<>();
        List<String> plain = new ArrayList<>();
        for (String name : names) {
            if (options.containsKey(name)) {
                addPlain(plain, commands);
                commands.add(new Command.AddTables(List.of(name), Optional.of(options.get(name))));
            } else {
                plain.add(name);
            }
        }
        addPlain(plain, commands);
        return commands;
    }

    private static void addPlain(List<String> plain, List<Command.AddTables> commands) {
        if (!plain.isEmpty()) {
            commands.add(new Command.AddTables(plain));
            plain.clear();
        }
    }
}
