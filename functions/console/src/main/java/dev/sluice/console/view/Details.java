package dev.sluice.console.view;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.console.view.TableDetail.ChunkShown;
import dev.sluice.console.view.TableDetail.Difference;
import dev.sluice.console.view.TableDetail.Found;
import dev.sluice.console.view.TableDetail.Repair;
import dev.sluice.console.view.TableDetail.Run;
import dev.sluice.console.view.TableDetail.Strip;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Key;
import dev.sluice.domain.KeyRange;
import dev.sluice.domain.PastRun;
import dev.sluice.domain.TableOptions;
import dev.sluice.domain.TableRecord;
import dev.sluice.domain.TableState.Backfilling;
import dev.sluice.domain.TableState.OpenChunk;
import dev.sluice.domain.Verification;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** What a table's page shows beside its summary. Pure. */
final class Details {

    private Details() {}

    static TableDetail of(
            TableRecord table,
            TableSummary summary,
            List<History.Copied> copied,
            Columns.Shown columns,
            List<TableDetail.Told> events) {
        return new TableDetail(
                summary,
                table.runs().stream().map(Details::run).toList(),
                strip(table, copied),
                columns.columns(),
                columns.trouble(),
                options(table.options()),
                table.optionsAsked().map(Details::options),
                found(table),
                events);
    }

    private static Run run(PastRun run) {
        Optional<Long> speed = run.ended()
                .map(ended -> Duration.between(run.began(), ended).toMillis())
                .filter(millis -> millis > 0 && run.rows() > 0)
                .map(millis -> run.rows() * 1_000 / millis);
        return new Run(
                run.run(), run.began(), run.ended(), run.outcome().name(), run.rows(), run.bytes(), run.chunks(),
                run.reason(), run.by(), speed);
    }

    private static Strip strip(TableRecord table, List<History.Copied> copied) {
        List<ChunkShown> chunks = new ArrayList<>();
        for (History.Copied chunk : copied) {
            chunks.add(new ChunkShown(
                    chunk.chunk(), "copied", chunk.range().flatMap(KeyRange::after).map(Key::values),
                    chunk.range().flatMap(KeyRange::upTo).map(Key::values), Optional.of(chunk.rows()),
                    Optional.of(chunk.millis()), chunk.attempt(), Optional.empty(), Optional.empty()));
        }
        boolean planned = table.progress().copyFinished().isPresent();
        int done = table.progress().chunksCopied();
        if (table.state() instanceof Backfilling backfilling) {
            planned = backfilling.plan().complete();
            done = backfilling.plan().chunksCopied();
            List<Integer> known = copied.stream().map(History.Copied::chunk).toList();
            backfilling.plan().open().stream().filter(chunk -> !known.contains(chunk.chunk())).map(Details::open)
                    .forEach(chunks::add);
        }
        chunks.sort(Comparator.comparingInt(ChunkShown::chunk));
        return new Strip(planned, chunks, Math.max(0, done - copied.size()));
    }

    private static ChunkShown open(OpenChunk chunk) {
        String status = chunk.inFlight() ? "inFlight" : Summaries.isFailing(chunk) ? "failing" : "waiting";
        return new ChunkShown(
                chunk.chunk(), status, chunk.range().after().map(Key::values), chunk.range().upTo().map(Key::values),
                chunk.rows().map(Integer::longValue), Optional.empty(), chunk.attempt().number(),
                chunk.attempt().last().map(Fault::reason), chunk.attempt().notBefore());
    }

    /** As in a command. */
    static ObjectNode options(TableOptions options) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        names(json, "key", options.key());
        names(json, "include", options.include());
        names(json, "exclude", options.exclude());
        names(json, "hash", options.hash());
        if (!options.mask().isEmpty()) {
            ObjectNode mask = json.putObject("mask");
            options.mask().forEach((column, text) -> mask.put(column, text.orElse(null)));
        }
        options.where().ifPresent(where -> json.put("where", where));
        options.softDelete().ifPresent(mark -> json.putObject("softDelete")
                .put("column", mark.column())
                .put("type", mark.type().name()));
        return json;
    }

    private static void names(ObjectNode json, String field, List<String> names) {
        if (!names.isEmpty()) {
            names.forEach(json.withArray("/" + field)::add);
        }
    }

    private static Optional<Found> found(TableRecord table) {
        return table.verification()
                .map(Verification::stage)
                .flatMap(stage -> stage instanceof Verification.Compared compared
                        ? Optional.of(found(compared))
                        : Optional.empty());
    }

    private static Found found(Verification.Compared compared) {
        Verification.Findings findings = compared.findings();
        return new Found(
                findings.rows(),
                findings.ranges(),
                findings.differing(),
                findings.unsettled(),
                findings.keys().stream().map(it -> new Difference(it.key(), it.kind().name())).toList(),
                findings.differing() - findings.keys().size(),
                // What was found before a backfill says nothing of the rows that are there now.
                compared.stale() ? List.of() : Repairs.of(findings));
    }
}
