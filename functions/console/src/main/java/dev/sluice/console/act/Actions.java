package dev.sluice.console.act;

import dev.sluice.console.ProblemException;
import dev.sluice.console.act.CommandSender.Sending;
import dev.sluice.console.act.CommandSender.Sent;
import dev.sluice.domain.Command;
import dev.sluice.domain.PipelineRecord;
import dev.sluice.domain.TableName;
import dev.sluice.domain.TablePattern;
import dev.sluice.domain.TableRecord;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.StateReader;
import io.quarkus.security.identity.SecurityIdentity;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/** Sends what somebody asks for, and waits a while for what the scheduler makes of it. */
@ApplicationScoped
public class Actions {

    private static final Logger LOG = Logger.getLogger(Actions.class);
    private static final Duration WAIT_MAX = Duration.ofSeconds(5);
    private static final Duration LOOK_INTERVAL = Duration.ofMillis(20);
    private static final int AUTHOR_LENGTH_MAX = 200;
    private static final int SHOWN_MAX = 20;

    private final StateReader states;
    private final CommandSender sender;

    @Inject
    public Actions(StateReader states, CommandSender sender) {
        this.states = states;
        this.sender = sender;
    }

    /** What would happen; nothing is sent. */
    List<Consequence> consequences(Asking asking) {
        if (!states.isComplete()) {
            throw ProblemException.unavailable("The states of the tables are not read yet; try again in a moment.");
        }
        PipelineRecord pipeline = states.pipeline().orElseGet(PipelineRecord::empty);
        return asking.commands().stream()
                .flatMap(command -> switch (command) {
                    case Command.AddTables add -> add.tables().stream()
                            .map(entry -> Consequence.ofAdding(entry, add.options(), known(entry), pipeline));
                    case Command.OfTable ofTable -> Stream.of(
                            Consequence.of(ofTable, states.table(ofTable.table()), pipeline));
                    case Command.PausePipeline pause -> Stream.of(
                            Consequence.ofPausingThePipeline(pipeline));
                    case Command.ResumePipeline resume -> Stream.of(
                            Consequence.ofResumingThePipeline(pipeline));
                    case Command.ChangeSettings change -> Stream.<Consequence>of();
                })
                .toList();
    }

    private Optional<TableRecord> known(String entry) {
        return TablePattern.parse(entry).isName() ? states.table(TableName.parse(entry)) : Optional.empty();
    }

    /**
     * Sends the commands, in order, and waits at most five seconds for the scheduler.
     *
     * @throws ProblemException if Kafka does not take one of them; it says which were sent
     */
    List<Result> send(Asking asking, SecurityIdentity identity) {
        Optional<String> by = author(identity);
        Map<TableName, TableRecord> before = states.tables();
        Sending sending = sender.send(asking.commands(), by);
        log(asking.action(), sending, by);
        sending.failed().ifPresent(failed -> {
            throw ProblemException.unavailable(untaken(failed, sending.sent()));
        });
        awaitDecision(sending.sent());
        // In this order: what the pipeline's record says of is in the tables that are read after it.
        Optional<PipelineRecord> pipeline = states.pipeline();
        Map<TableName, TableRecord> now = states.tables();
        List<Result> results = new ArrayList<>();
        for (Sent sent : sending.sent()) {
            results.addAll(pipeline.filter(it -> Outcomes.isDecided(sent, it))
                    .map(it -> Outcomes.of(sent, by, it, before, now))
                    .orElseGet(() -> Outcomes.undecided(sent, states.trouble())));
        }
        return results;
    }

    private void awaitDecision(List<Sent> sent) {
        long deadline = System.nanoTime() + WAIT_MAX.toNanos();
        while (System.nanoTime() < deadline
                && !states.pipeline()
                        .filter(pipeline -> sent.stream().allMatch(it -> Outcomes.isDecided(it, pipeline)))
                        .isPresent()) {
            LockSupport.parkNanos(LOOK_INTERVAL.toNanos());
            if (Thread.currentThread().isInterrupted()) {
                return;
            }
        }
    }

    /** The user's name as the topic takes it; nobody's without a login. */
    static Optional<String> author(SecurityIdentity identity) {
        if (identity.isAnonymous()) {
            return Optional.empty();
        }
        String name = identity.getPrincipal().getName().replaceAll("\\p{Cntrl}", "·").strip();
        return name.isEmpty()
                ? Optional.empty()
                : Optional.of(name.length() <= AUTHOR_LENGTH_MAX ? name : name.substring(0, AUTHOR_LENGTH_MAX));
    }

    private static void log(String action, Sending sending, Optional<String> by) {
        LOG.infof("asked for action=%s tables=%s user=%s%s",
                action,
                line(names(sending.sent())),
                by.map(Actions::line).orElse("-"),
                sending.failed().isPresent() ? " taken=partly" : "");
    }

    private static String untaken(Command failed, List<Sent> sent) {
        String left = " Kafka did not take the command «" + Messages.name(failed) + "»" + (failed instanceof Command.OfTable of
                        ? " of " + of.table()
                        : "")
                + " in time; whether it arrives is not known, and none behind it was sent. Look at the tables, then send "
                + "what is left.";
        return (sent.isEmpty() ? "Nothing was sent before." : "Sent: " + names(sent) + ".") + left;
    }

    private static String names(List<Sent> sent) {
        List<String> names = sent.stream()
                .flatMap(it -> switch (it.command()) {
                    case Command.AddTables add -> add.tables().stream();
                    case Command.OfTable ofTable -> Stream.of(ofTable.table().toString());
                    case Command.ChangeSettings change ->
                        change.settings().values().keySet().stream().map(setting -> setting.text());
                    case Command.PausePipeline pause -> Stream.<String>of();
                    case Command.ResumePipeline resume -> Stream.<String>of();
                })
                .toList();
        return names.stream().limit(SHOWN_MAX).collect(Collectors.joining(","))
                + (names.size() > SHOWN_MAX ? ",… (" + names.size() + ")" : "");
    }

    /** On one line: names may have any character. */
    private static String line(String text) {
        return '"' + text.replaceAll("[\\p{Cntrl}\\u2028\\u2029]", "·").replace("\"", "'") + '"';
    }
}
