package dev.sluice.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Does actions: says first what will happen, asks where it hurts, and tells what became of them. */
final class Actions {

    private static final int SHOWN_MAX = 50;
    private static final int ANSWER_LENGTH_MAX = 100;

    /** When somebody has to say yes. */
    enum Asks {
        /** It hurts nobody, and may be done twice. */
        NEVER,
        /** Where the console says that it would hurt. */
        WHERE_IT_HURTS,
        ALWAYS
    }

    private final ConsoleApi api;
    private final Surroundings surroundings;
    private final Printer printer;
    private final boolean json;

    Actions(Sluice sluice, ConsoleApi api) {
        this.api = api;
        this.surroundings = sluice.surroundings();
        this.printer = sluice.printer();
        this.json = sluice.json();
    }

    /**
     * What the scheduler has made of the commands so far.
     *
     * @param answer of the API; the results of several requests put together
     * @param rejected whether any was
     * @param unanswered offsets of those it has not come to, by table or pattern; the empty text: of the pipeline
     */
    record Sent(String answer, boolean rejected, Map<String, Long> unanswered) {
    }

    /** @return empty: it was a dry run, and {@link #exitCode} is what it came to */
    Optional<Sent> run(List<Action> actions, ActionOptions options, Asks asks) {
        List<ObjectNode> requests = actions.stream().flatMap(action -> action.requests().stream()).toList();
        if (options.dryRun()) {
            dryRun(requests);
            return Optional.empty();
        }
        if (!options.yes() && asks != Asks.NEVER) {
            ask(requests, asks);
        }
        return Optional.of(send(requests));
    }

    private int exitCode = ExitCode.DONE;

    /** Of a dry run. */
    int exitCode() {
        return exitCode;
    }

    private void dryRun(List<ObjectNode> requests) {
        List<Answer> answers = new ArrayList<>();
        List<JsonNode> consequences = consequences(requests, answers);
        if (json) {
            printer.json(together(answers, "consequences"));
        } else {
            consequences.forEach(it -> printer.line(line(it)));
        }
        exitCode = consequences.stream().allMatch(it -> Json.is(it, "possible")) ? ExitCode.DONE : ExitCode.FAILED;
    }

    private List<JsonNode> consequences(List<ObjectNode> requests, List<Answer> answers) {
        List<JsonNode> consequences = new ArrayList<>();
        for (ObjectNode request : requests) {
            Answer answer = api.post("/actions", request.deepCopy().put("dryRun", true));
            answers.add(answer);
            consequences.addAll(Json.list(answer.json(), "consequences"));
        }
        return consequences;
    }

    private void ask(List<ObjectNode> requests, Asks asks) {
        List<JsonNode> consequences = consequences(requests, new ArrayList<>());
        List<JsonNode> possible = consequences.stream().filter(it -> Json.is(it, "possible")).toList();
        boolean hurts = possible.stream().anyMatch(it -> Json.is(it, "warning"));
        if (!consequences.isEmpty() && possible.isEmpty()) {
            show(consequences);
            throw Trouble.failed("nothing of it is possible, nothing was done");
        }
        if (!hurts && asks == Asks.WHERE_IT_HURTS) {
            return;
        }
        show(consequences);
        if (!surroundings.canAsk()) {
            throw Trouble.usage("this wants a yes, and nobody is there to give it: nothing was done; --yes does it without "
                    + "asking");
        }
        surroundings.out().flush();
        surroundings.err().print("Go on? [y/N] ");
        surroundings.err().flush();
        String answer = readLine(surroundings).strip();
        if (!answer.equalsIgnoreCase("y") && !answer.equalsIgnoreCase("yes")) {
            throw Trouble.failed("nothing was done");
        }
    }

    /** A line that somebody types. */
    static String readLine(Surroundings surroundings) {
        var line = new ByteArrayOutputStream();
        try {
            int read = surroundings.in().read();
            while (read >= 0 && read != '\n' && line.size() < ANSWER_LENGTH_MAX) {
                line.write(read);
                read = surroundings.in().read();
            }
        } catch (IOException e) {
            throw Trouble.usage("the answer cannot be read: " + e.getMessage());
        }
        return line.toString(StandardCharsets.UTF_8);
    }

    private void show(List<JsonNode> consequences) {
        consequences.stream().limit(SHOWN_MAX).forEach(it -> printer.aside(line(it)));
        if (consequences.size() > SHOWN_MAX) {
            printer.aside("and " + Figures.count(consequences.size() - SHOWN_MAX) + " more: --dry-run lists all");
        }
    }

    private static String line(JsonNode consequence) {
        String sign = !Json.is(consequence, "possible") ? "not possible: " : Json.is(consequence, "warning") ? "! " : "";
        return Json.text(consequence, "table").map(table -> table + ": ").orElse("") + sign
                + Json.text(consequence, "text").orElse("");
    }

    private Sent send(List<ObjectNode> requests) {
        List<Answer> answers = new ArrayList<>();
        boolean rejected = false;
        Map<String, Long> unanswered = new HashMap<>();
        for (ObjectNode request : requests) {
            Answer answer = sendOne(request, answers.isEmpty());
            answers.add(answer);
            String what = Json.text(request, "action").orElse("");
            rejected |= report(answer, what, unanswered);
        }
        return new Sent(together(answers, "results"), rejected, unanswered);
    }

    private Answer sendOne(ObjectNode request, boolean first) {
        try {
            return api.post("/actions", request);
        } catch (Trouble trouble) {
            throw first
                    ? trouble
                    : new Trouble(trouble.exitCode(), trouble.getMessage() + "; a part of the tables was sent before");
        }
    }

    /** Says what became of each command. Also for the answer to a change of settings, which has the same form. */
    boolean report(Answer answer, String what, Map<String, Long> unanswered) {
        boolean rejected = false;
        for (JsonNode result : Json.list(answer.json(), "results")) {
            Optional<String> table = Json.text(result, "table");
            String subject = table.map(it -> it + ": ").orElse("") + what;
            switch (Json.text(result, "outcome").orElse("")) {
                case "followed" -> {
                    if (!json) {
                        printer.line(subject + " is followed");
                    }
                }
                case "rejected" -> {
                    rejected = true;
                    printer.note(subject + " was rejected: " + Json.text(result, "reason").orElse("no reason is known"));
                }
                case "pending" -> {
                    unanswered.put(table.orElse(""), Json.number(result, "offset").orElse(-1));
                    printer.note(subject + " is sent, the scheduler has not come to it yet: sluice status tells whether it runs");
                }
                default -> printer.note(subject + ": the console's answer is not understood: see what sluice tables shows");
            }
        }
        return rejected;
    }

    private static String together(List<Answer> answers, String list) {
        if (answers.size() == 1) {
            return answers.getFirst().body();
        }
        ArrayNode all = Json.array();
        answers.forEach(answer -> all.addAll(Json.list(answer.json(), list)));
        return Json.write(Json.object().set(list, all));
    }
}
