package dev.sluice.console.act;

import dev.sluice.console.act.CommandSender.Sent;
import dev.sluice.domain.Command;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.PipelineRecord.Rejection;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TablePattern;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState.Failed;
import dev.sluice.messaging.Messages;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What became of commands, by what the scheduler wrote down. Pure.
 *
 * <p>The pipeline's record keeps the last rejections only. Where it has lost some that may have been of a command, the
 * table's own record tells whether that was followed.
 */
final class Outcomes {

    private static final String ADD = "add-tables ";

    private Outcomes() {}

    /** Whether the scheduler has come to an end with it. */
    static boolean isDecided(Sent sent, PipelineRecord pipeline) {
        return pipeline.inputOffset() > sent.offset()
                && pipeline.requests().stream().noneMatch(request -> request.offset() == sent.offset());
    }

    /**
     * @param before the tables as they were when it was sent
     * @param now the tables after the scheduler has decided
     */
    static List<Result> of(
            Sent sent,
            Optional<String> by,
            PipelineRecord pipeline,
            Map<TableName, TableRecord> before,
            Map<TableName, TableRecord> now) {
        List<Rejection> rejections = pipeline.rejections().stream()
                .filter(rejection -> rejection.command() == sent.offset())
                .toList();
        boolean lost = pipeline.rejections().size() >= PipelineRecord.REJECTIONS_MAX
                && pipeline.rejections().getFirst().offset() > sent.offset();
        return switch (sent.command()) {
            case Command.AddTables add -> added(add, sent.offset(), rejections, lost, before, now);
            case Command.OfTable ofTable -> List.of(ofTable(ofTable, sent.offset(), by, rejections, lost, before, now));
            case Command.ChangeSettings change -> List.of(ofPipeline(sent.offset(), rejections));
            case Command.PausePipeline pause -> List.of(ofPipeline(sent.offset(), rejections));
            case Command.ResumePipeline resume -> List.of(ofPipeline(sent.offset(), rejections));
        };
    }

    /** One that the scheduler has not come to. */
    static List<Result> undecided(Sent sent, Optional<String> why) {
        String reason = why.orElse("The scheduler has not come to it yet; it stays on the topic.");
        return switch (sent.command()) {
            case Command.AddTables add -> add.tables().stream()
                    .map(entry -> Result.pending(
                            Optional.of(entry), sent.offset(), why.orElse("The source has not been asked about it yet.")))
                    .toList();
            case Command.OfTable ofTable -> List.of(
                    Result.pending(Optional.of(ofTable.table().toString()), sent.offset(), reason));
            case Command.ChangeSettings change -> List.of(Result.pending(Optional.empty(), sent.offset(), reason));
            case Command.PausePipeline pause -> List.of(Result.pending(Optional.empty(), sent.offset(), reason));
            case Command.ResumePipeline resume -> List.of(Result.pending(Optional.empty(), sent.offset(), reason));
        };
    }

    private static Result ofPipeline(long offset, List<Rejection> rejections) {
        return rejections.isEmpty()
                ? Result.followed(Optional.empty(), offset)
                : Result.rejected(Optional.empty(), offset, rejections.getFirst().reason());
    }

    private static Result ofTable(
            Command.OfTable command,
            long offset,
            Optional<String> by,
            List<Rejection> rejections,
            boolean lost,
            Map<TableName, TableRecord> before,
            Map<TableName, TableRecord> now) {
        Optional<String> table = Optional.of(command.table().toString());
        if (!rejections.isEmpty()) {
            return Result.rejected(table, offset, rejections.getFirst().reason());
        }
        if (!lost || isAsked(command, by, before.get(command.table()), now.get(command.table()))) {
            return Result.followed(table, offset);
        }
        return Result.pending(table, offset, "More commands were rejected at once than the pipeline remembers, this one "
                + "perhaps among them; the scheduler's log has the reason.");
    }

    private static boolean isAsked(Command command, Optional<String> by, TableRecord before, TableRecord now) {
        if (now == null) {
            return command instanceof Command.Remove && before != null;
        }
        return now.asked()
                .filter(asked -> asked.command().equals(Messages.name(command)) && asked.by().equals(by))
                .filter(asked -> before == null || !before.asked().equals(Optional.of(asked)))
                .isPresent();
    }

    private static List<Result> added(
            Command.AddTables add,
            long offset,
            List<Rejection> rejections,
            boolean lost,
            Map<TableName, TableRecord> before,
            Map<TableName, TableRecord> now) {
        List<Result> results = new ArrayList<>();
        for (String entry : add.tables()) {
            Optional<Rejection> rejected = rejections.stream()
                    .filter(rejection -> isOf(rejection, entry))
                    .findFirst();
            boolean isName = TablePattern.parse(entry).isName();
            TableRecord table = isName ? now.get(TableName.parse(entry)) : null;
            if (rejected.isPresent()) {
                results.add(Result.rejected(Optional.of(entry), offset, rejected.get().reason()));
            } else if (isName && before.get(TableName.parse(entry)) == null && table != null
                    && table.state() instanceof Failed failed) {
                results.add(Result.rejected(Optional.of(entry), offset, failed.fault().reason()
                        + "; it is listed as Failed: " + failed.fault().hint()));
            } else if (lost && table == null) {
                results.add(Result.pending(Optional.of(entry), offset, "More was rejected at once than the pipeline "
                        + "remembers, this perhaps among it; the scheduler's log has the reason."));
            } else {
                results.add(Result.followed(Optional.of(entry), offset));
            }
        }
        // A table that a pattern matched and that is known with other options.
        rejections.stream()
                .filter(rejection -> add.tables().stream().noneMatch(entry -> isOf(rejection, entry)))
                .forEach(rejection -> results.add(Result.rejected(
                        Optional.of(rejection.what().substring(Math.min(ADD.length(), rejection.what().length()))),
                        offset,
                        rejection.reason())));
        return results;
    }

    /** Of this entry, or of the whole request: that is written as a list, which no name begins like. */
    private static boolean isOf(Rejection rejection, String entry) {
        return rejection.what().equals(ADD + entry)
                || rejection.what().startsWith(ADD + "[")
                || !rejection.what().startsWith(ADD);
    }
}
