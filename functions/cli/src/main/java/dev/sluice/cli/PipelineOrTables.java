package dev.sluice.cli;

import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What is paused or resumed: some tables, or all there is. */
final class PipelineOrTables {

    @Mixin
    private TableArguments tables;

    @Option(names = "--pipeline", description = "The pipeline as a whole, instead of tables.")
    private boolean pipeline;

    /** @param name {@code pause} or {@code resume} */
    Action action(String name, ConsoleApi api) {
        if (!pipeline) {
            return Action.of(name, tables.resolve(api));
        }
        if (!tables.isEmpty()) {
            throw Trouble.usage("--pipeline and tables exclude each other: give one of them");
        }
        return Action.ofPipeline(name + "-pipeline");
    }
}
