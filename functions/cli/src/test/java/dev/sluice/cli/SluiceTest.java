package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every command, against a server that speaks as the console does. */
@Timeout(60)
class SluiceTest {

    private static final String TABLES =
            """
            [{"name":"public.orders","state":"Streaming","since":"2026-05-04T09:00:00Z","run":1,
              "rows":{"copied":1234567,"estimated":1200000,"percent":100},"queue":{"waiting":12,"delayMillis":350}},
             {"name":"sales.items","state":"Backfilling","since":"2026-05-04T09:00:00Z","run":1,
              "rows":{"copied":300,"estimated":1000,"percent":30.5},"rowsPerSecond":1000.4,"eta":"2026-05-04T10:02:00Z"},
             {"name":"sales.\\"Bad\\u001b[2J\\"","state":"Failed","since":"2026-05-04T09:00:00Z","run":1,
              "error":{"reason":"has no\\nkey","hint":"give it one"}}]""";
    private static final String FOLLOWED = "{\"results\":[{\"table\":\"public.orders\",\"offset\":7,\"outcome\":\"followed\"}]}";

    @TempDir
    private Path home;

    private final FakeConsole console = new FakeConsole();

    @AfterEach
    void close() {
        console.close();
    }

    private Run run() {
        return new Run(console, home);
    }

    @Test
    void tablesAreListedAndWhatComesFromElsewhereIsHarmless() {
        console.answer("GET /tables", 200, TABLES);

        Run run = run().sluice("tables");

        assertThat(run.out().lines().map(String::stripTrailing)).containsExactly(
                "TABLE                 STATE        ROWS COPIED                 SPEED       LEFT  QUEUE  DELAY  NOTE",
                "public.orders         Streaming    1,234,567                                        12  0.4 s",
                "sales.items           Backfilling  300 of ~1,000  30 %  1,000 rows/s  2 min 0 s",
                "sales.\"Bad\\u{1b}[2J\"  Failed" + " ".repeat(67) + "has no key; give it one");
    }

    @Test
    void tablesAreChosenByPatternAndState() {
        console.answer("GET /tables", 200, TABLES);

        assertThat(run().sluice("tables", "sales.*", "--state", "backfilling").out()).contains("sales.items").doesNotContain("Bad", "orders");
        Run json = run().sluice("tables", "--json", "--state=failed,streaming");
        assertThat(Json.list(Json.read(json.out()).orElseThrow())).hasSize(2);
        assertThat(run().sluice("tables", "--state", "broken").exitCode()).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void jsonIsWhatTheApiAnswered() {
        console.answer("GET /tables", 200, "[ {\"name\":\"a\",\"x\":1.50,  \"new\":[]} ]");

        Run run = run().sluice("--json", "tables");

        assertThat(run.out()).isEqualTo("[ {\"name\":\"a\",\"x\":1.50,  \"new\":[]} ]\n");
        assertThat(run.err()).isEmpty();
    }

    @Test
    void aTableIsAskedForByItsCanonicalName() {
        console.answer("GET /tables/%22Sales%22.%22a%2Fb%20%C3%A9%22", 200, """
                {"name":"\\"Sales\\".\\"a/b é\\"","state":"Streaming","since":"2026-05-04T09:00:00Z",
                 "runs":[{"run":2,"began":"2026-05-04T08:00:00Z","outcome":"COPIED","rows":5,"bytes":2048,"chunks":1,"by":"ann"}],
                 "strip":{"planned":true,"chunks":[{"chunk":4,"status":"failing","from":["1"],"to":["9"],"attempt":3,"failure":"gone"}]},
                 "columns":[{"name":"id","type":"bigint","key":true,"travels":"as it is"}],
                 "events":[{"at":"2026-05-04T08:30:00Z","text":"caught up","kind":"good"}]}""");

        Run run = run().sluice("table", "\"Sales\".\"a/b é\"");

        assertThat(run.exitCode()).isZero();
        assertThat(run.out())
                .contains("\"Sales\".\"a/b é\"  Streaming  since 2026-05-04 11:00:00")
                .contains("copied", "2.0 KiB", "ann")
                .contains("failing", "from 1 to 9", "gone")
                .contains("bigint", "as it is")
                .contains("2026-05-04 10:30:00  caught up");
        assertThat(run().sluice("table", "Sales.x").err()).contains("double-quote");
    }

    @ParameterizedTest
    @CsvSource({"ok,0", "degraded,1", "down,1"})
    void theExitCodeOfStatusIsTheHealth(String status, int exitCode) {
        console.answer("GET /overview", 200, """
                {"pipeline":{"name":"sluice","paused":{"by":"ann","since":"2026-05-04T09:00:00Z"},
                   "rejections":[{"offset":3,"what":"cancel public.x","reason":"no backfill"}]},
                 "health":{"status":"%s","checks":[{"name":"kafka","status":"ok","summary":"answers"}],
                   "slot":{"name":"s","active":true,"lagBytes":5000000},"workers":{"slots":8,"busy":3}},
                 "tables":[{"name":"a","state":"Streaming"},{"name":"b","state":"Streaming"},{"name":"c","state":"Failed"}]}"""
                .formatted(status));

        Run run = run().sluice("status");

        assertThat(run.exitCode()).isEqualTo(exitCode);
        assertThat(run.out())
                .startsWith(status + "  pipeline sluice\n")
                .contains("paused since 2026-05-04 11:00:00 by ann", "3 tables: 1 Failed, 2 Streaming", "4.8 MiB", "3 of 8 slots")
                .contains("no backfill");
    }

    @ParameterizedTest
    @CsvSource({
        "401,4,sluice login",
        "403,4,what the console says",
        "400,1,what the console says",
        "404,1,what the console says",
        "503,1,what the console says"
    })
    void whatTheConsoleRefusesEndsInOneLineAndAnExitCode(int status, int exitCode, String said) {
        console.problem("GET /tables", status, "what the console says\u001b]0;x");

        Run run = run().sluice("tables");

        assertThat(run.exitCode()).isEqualTo(exitCode);
        assertThat(run.err()).startsWith("sluice: ").contains(said).hasLineCount(1).doesNotContain("\u001b");
        assertThat(run.out()).isEmpty();
    }

    @Test
    void aFieldThatIsWrongIsNamed() {
        console.answer("GET /settings", 200, "{\"settings\":[{\"name\":\"chunkRows\",\"type\":\"integer\"}]}");
        console.answer("PATCH /settings", 400, "{\"detail\":\"7 is not from 100 on\",\"field\":\"chunkRows\"}");

        Run run = run().sluice("settings", "set", "chunkRows=7");

        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(run.err()).isEqualTo("sluice: chunkRows: 7 is not from 100 on\n");
    }

    @Test
    void whatIsNoConsoleIsNotReached() throws IOException {
        console.tell("GET /tables", new FakeConsole.Told(200, "text/html", "<html>", List.of()));
        assertThat(run().sluice("tables").exitCode()).isEqualTo(ExitCode.NOT_REACHABLE);

        int free;
        try (var socket = new ServerSocket(0)) {
            free = socket.getLocalPort();
        }
        Run nobody = run().sluice("tables", "--url", "http://127.0.0.1:" + free);
        assertThat(nobody.exitCode()).isEqualTo(ExitCode.NOT_REACHABLE);
        assertThat(nobody.err()).contains("nothing listens there", "--url").hasLineCount(1);
        assertThat(run().sluice("tables", "--url=http://no.such.host.invalid").exitCode()).isEqualTo(ExitCode.NOT_REACHABLE);
    }

    @Test
    void aRedirectIsNotFollowedAndTheTokenStaysHere() {
        try (var other = new FakeConsole()) {
            console.tell("GET /tables", new FakeConsole.Told(302, "text/plain", "", List.of("Location", other.url() + "/api/v1/tables")));

            Run run = run().with("SLUICE_TOKEN", "secret").sluice("tables");

            assertThat(run.exitCode()).isEqualTo(ExitCode.NOT_REACHABLE);
            assertThat(run.err()).contains("points to another address");
            assertThat(console.asked("GET /tables").getFirst().header("Authorization")).isEqualTo("Bearer secret");
            assertThat(other.asked()).isEmpty();
        }
    }

    @Test
    void secretsDoNotGoOverAnOpenLine() {
        Run run = run().with("SLUICE_TOKEN", "secret").sluice("tables", "--url", "http://sluice.example");

        assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("https://", "--allow-http").doesNotContain("secret");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "frobnicate", "table", "backfill", "backfill a b --from 1", "backfill a --from=1 --where=x",
        "backfill --all a", "pause a --pipeline", "pause", "backfill a --timeout 3m", "backfill a --wait --timeout 3x",
        "add Upper", "watch --until done", "backfill a --options [1]", "login", "tables --url nonsense", "verify a --cancel --wait"})
    void aWrongCommandLineIsRefusedBeforeAnythingIsAsked(String arguments) {
        Run run = run().sluice(arguments.isEmpty() ? new String[0] : arguments.split(" "));

        assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).startsWith("sluice: ").hasLineCount(1);
        assertThat(console.asked()).isEmpty();
    }

    @Test
    void anActionIsSentAsTheContractSays() {
        console.answer("POST /actions", 202, FOLLOWED);

        Run run = run().sluice("backfill", "orders", "--from=-5", "--from", "a b", "--to=7", "--yes");

        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).isEqualTo("public.orders: backfill is followed\n");
        assertThat(console.asked()).hasSize(1);
        assertThat(console.asked().getFirst().json()).isEqualTo(Json.object("""
                {"action":"backfill","tables":["public.orders"],"keys":{"from":["-5","a b"],"to":["7"]}}""", "x"));
    }

    @Test
    void whatHurtsIsDoneOnlyAfterAYes() {
        String consequences = """
                {"consequences":[{"table":"public.orders","possible":true,"text":"its rows stay, incomplete","warning":true}]}""";
        console.answer("POST /actions", 200, consequences);

        Run refused = run().sluice("cancel", "orders");
        assertThat(refused.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(refused.err()).contains("public.orders: ! its rows stay, incomplete\n", "--yes");
        Run no = run().typing("\n").sluice("cancel", "orders");
        assertThat(no.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(no.err()).contains("Go on? [y/N] ", "nothing was done");
        assertThat(console.asked()).hasSize(2).allMatch(asked -> asked.json().path("dryRun").asBoolean());

        console.answer("POST /actions", 200, consequences);
        console.answer("POST /actions", 202, FOLLOWED);
        Run yes = run().typing("y\n").sluice("cancel", "orders", "--drop-queue");
        assertThat(yes.exitCode()).isZero();
        assertThat(console.asked().getLast().json())
                .isEqualTo(Json.object("{\"action\":\"cancel\",\"tables\":[\"public.orders\"],\"dropQueue\":true}", "x"));
    }

    @Test
    void whatDoesNotHurtIsNotAskedAndWhatIsImpossibleIsNotSent() {
        console.answer("POST /actions", 200, "{\"consequences\":[{\"table\":\"public.orders\",\"possible\":true,\"text\":\"t\",\"warning\":false}]}");
        console.answer("POST /actions", 202, FOLLOWED);
        assertThat(run().sluice("resume", "orders").exitCode()).isZero();
        assertThat(console.asked()).hasSize(2);

        console.answer("POST /actions", 200, "{\"consequences\":[{\"table\":\"public.x\",\"possible\":false,\"text\":\"it is not paused\"}]}");
        run().sluice("resume", "x");
        Run impossible = run().sluice("resume", "x");
        assertThat(impossible.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(impossible.err()).contains("public.x: not possible: it is not paused");
        assertThat(console.asked().getLast().json().path("dryRun").asBoolean()).isTrue();
    }

    @Test
    void aDryRunSaysWhatWouldHappen() {
        console.answer("POST /actions", 200, "{\"consequences\":[{\"table\":\"a\",\"possible\":false,\"text\":\"no\"},{\"table\":\"b\",\"possible\":true,\"text\":\"yes\"}]}");

        Run run = run().sluice("remove", "a", "b", "--dry-run");

        assertThat(run.out()).isEqualTo("a: not possible: no\nb: yes\n");
        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    }

    @Test
    void whatTheSchedulerRejectsIsAFailureAndWhatItHasNotSeenIsSaid() {
        console.answer("POST /actions", 202, """
                {"results":[{"table":"public.a","offset":1,"outcome":"rejected","reason":"it does not stream"},
                            {"table":"public.b","offset":2,"outcome":"pending"}]}""");

        Run run = run().sluice("verify", "a", "b", "--yes", "--json");

        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(run.err()).contains("public.a: verify was rejected: it does not stream", "public.b: verify is sent");
        assertThat(Json.read(run.out())).isPresent();
    }

    @Test
    void manyTablesGoInAsManyRequestsAsTheyNeed() {
        console.answer("GET /tables", 200, IntStream.range(0, 2_300)
                .mapToObj(i -> "{\"name\":\"public.t" + i + "\",\"state\":\"Streaming\"}")
                .collect(Collectors.joining(",", "[", "]")));
        console.answer("POST /actions", 202, FOLLOWED);

        Run run = run().sluice("pause", "--all", "--yes", "--json");

        assertThat(console.asked("POST /actions"))
                .extracting(asked -> asked.json().get("tables").size())
                .containsExactly(1_000, 1_000, 300);
        assertThat(Json.list(Json.read(run.out()).orElseThrow(), "results")).hasSize(3);
    }

    @Test
    void patternsAreTheTablesOfThePipelineThatMatch() {
        console.answer("GET /tables", 200, TABLES);
        console.answer("POST /actions", 202, FOLLOWED);

        run().sluice("retry", "sales.i*", "orders", "--yes");
        assertThat(console.asked().getLast().json().get("tables").toString()).isEqualTo("[\"sales.items\",\"public.orders\"]");

        Run none = run().sluice("retry", "other.*", "--yes");
        assertThat(none.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(none.err()).contains("other.*");
    }

    @Test
    void addingIsSentWithoutBeingTriedFirst() {
        console.answer("POST /actions", 202, FOLLOWED);

        assertThat(run().sluice("add", "orders", "sales.*").exitCode()).isZero();
        assertThat(console.asked()).hasSize(1);
        assertThat(console.asked().getFirst().json())
                .isEqualTo(Json.object("{\"action\":\"add\",\"tables\":[\"public.orders\",\"sales.*\"]}", "x"));
    }

    @Test
    void aConditionAloneLeavesTheOtherOptionsOfEachTableAsTheyAre() {
        console.answer("GET /tables/public.a", 200, "{\"name\":\"public.a\",\"options\":{\"mask\":{\"phone\":null},\"where\":\"old\"}}");
        console.answer("GET /tables/public.b", 200, "{\"name\":\"public.b\"}");
        console.answer("POST /actions", 202, FOLLOWED);

        run().sluice("backfill", "a", "b", "--where", "amount > 0", "--yes");

        assertThat(console.asked("POST /actions")).extracting(asked -> asked.json().get("options").toString()).containsExactly(
                "{\"mask\":{\"phone\":null},\"where\":\"amount > 0\"}", "{\"where\":\"amount > 0\"}");
    }

    @Test
    void aBackfillIsWaitedFor() {
        console.answer("GET /overview", 200, overview("Streaming", 1, "t1", ""));
        console.answer("POST /actions", 202, FOLLOWED);
        console.event("overview", overview("Queued", 1, "t2", ""));
        console.event("change", overview("Backfilling", 2, "t3", ",\"rows\":{\"copied\":50,\"estimated\":100,\"percent\":50.0}"));
        console.cut();
        console.event("overview", overview("Draining", 2, "t4", ""));
        console.event("change", overview("Streaming", 2, "t5", ""));

        Run run = run().sluice("backfill", "orders", "--yes", "--wait");

        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out().lines()).containsSubsequence(
                "public.orders: backfill is followed",
                "12:00:00  public.orders  Queued",
                "12:00:00  public.orders  Backfilling  50 %  50 of ~100 rows",
                "12:00:00  public.orders  Draining",
                "public.orders streams");
    }

    @Test
    void aWaitThatEndsInAFailureOrInNothingSaysSo() {
        console.answer("GET /overview", 200, overview("Streaming", 1, "t1", ""));
        console.answer("POST /actions", 202, FOLLOWED);
        console.event("overview", overview("Failed", 2, "t2", ",\"error\":{\"reason\":\"no key\",\"hint\":\"give it one\"}"));
        Run failed = run().sluice("backfill", "orders", "--yes", "--wait", "--json");
        assertThat(failed.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(failed.err()).isEqualTo("sluice: public.orders failed: no key; give it one\n");
        assertThat(Json.list(Json.read(failed.out()).orElseThrow())).hasSize(1);
    }

    @Test
    void aWaitHasALimit() {
        console.answer("GET /overview", 200, overview("Streaming", 1, "t1", ""));
        console.answer("POST /actions", 202, FOLLOWED);
        console.event("overview", overview("Queued", 1, "t2", ""));

        Run late = run().sluice("backfill", "orders", "--yes", "--wait", "--timeout", "1s");

        assertThat(late.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(late.err()).contains("not within 1.0 s");
    }

    @Test
    void verifyWaitsAndPrintsWhatDiffersAndHowToMendIt() {
        console.answer("GET /overview", 200, overview("Streaming", 1, "t1", ""));
        console.answer("POST /actions", 202, FOLLOWED);
        console.event("overview", overview("Streaming", 1, "t1", ",\"verification\":{\"status\":\"running\",\"at\":\"t2\"}"));
        String differs = ",\"verification\":{\"status\":\"differs\",\"at\":\"t3\",\"rowsCompared\":1000,\"differing\":101}";
        console.event("change", overview("Streaming", 1, "t1", differs));
        console.answer("GET /tables/public.orders", 200, """
                {"name":"public.orders","state":"Streaming","verificationFound":{"differing":101,"more":100,
                 "keys":[{"key":["5","x; rm"],"kind":"MISSING_AT_DESTINATION"}],
                 "repairs":[{"from":["5","it's; rm"],"to":["9"],"keys":101}]}}""");

        Run run = run().sluice("verify", "orders", "--wait", "--yes");

        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(run.err()).contains("public.orders differs in 101 keys of 1,000 rows");
        assertThat(run.out())
                .contains("(5, x; rm)  missing at destination", "and 100 more keys")
                .contains("sluice backfill public.orders --from=5 --from='it'\\''s; rm' --to=9");
    }

    @Test
    void watchWritesWhatIsNewAndEndsWhenAllStream() {
        console.event("overview", overview("Preparing", 1, "t1", ",\"waitingFor\":\"2 transactions\""));
        for (int percent = 0; percent <= 100; percent++) {
            console.event("change", overview("Backfilling", 1, "t2", ",\"rows\":{\"copied\":" + percent + ",\"percent\":" + percent + "}"));
        }
        console.event("change", overview("Streaming", 1, "t3", ""));

        Run run = run().sluice("watch", "orders", "--until", "streaming", "--timeout", "1m");

        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out().lines().filter(line -> line.contains("Backfilling"))).hasSize(11);
        assertThat(run.out()).contains("Preparing  waits: 2 transactions").doesNotContain("\u001b");
    }

    @Test
    void watchDrawsInPlaceOnATerminalAndLeavesItAsItWas() {
        console.event("overview", overview("Backfilling", 1, "t1", ",\"rows\":{\"copied\":5,\"percent\":50}"));
        console.event("change", "{\"tables\":[],\"gone\":[\"public.other\"]}");
        console.event("overview", overview("Failed", 1, "t3", ",\"error\":{\"reason\":\"no\\u001b]0;key\"}"));

        Run run = run().onATerminal().sluice("watch", "--until=streaming");

        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(run.out()).contains("▕████████████            ▏  50 %", "\u001b[2A", "\u001b[36m").endsWith("\u001b[?7h\u001b[?25h");
        assertThat(run.out()).doesNotContain("\u001b]0");
    }

    @Test
    void coloursAreLeftOutWhereNobodyWantsThem() {
        console.answer("GET /tables", 200, TABLES);

        assertThat(run().onATerminal().sluice("tables").out()).contains("\u001b[31m");
        assertThat(run().onATerminal().with("NO_COLOR", "1").sluice("tables").out()).doesNotContain("\u001b");
        assertThat(run().onATerminal().with("TERM", "dumb").sluice("tables").out()).doesNotContain("\u001b");
    }

    @Test
    void watchAsJsonIsALineForEachEvent() {
        console.event("overview", "{\"tables\":\ndata: []}");
        console.event("change", overview("Failed", 1, "t1", ""));

        Run run = run().sluice("watch", "--json", "orders", "--until", "streaming");

        assertThat(run.out().lines()).allMatch(line -> Json.read(line).isPresent());
        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    }

    @Test
    void watchEndsWhenNobodyReadsAnyMore() {
        console.event("overview", overview("Streaming", 1, "t1", ""));
        var closed = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("Broken pipe");
            }
        };

        assertThat(run().writingTo(closed).sluice("watch").exitCode()).isZero();
    }

    @Test
    void settingsAreListedChangedAndReset() {
        console.answer("GET /settings", 200, """
                {"settings":[{"name":"chunkRows","effect":"Rows.","type":"integer","unit":"rows","default":50000,"value":20000,"changed":true,"bounds":"from 100"},
                 {"name":"rowsPerSecond","effect":"Pace.","type":"integer","unit":"rows/s","changed":false,"whenEmpty":"no limit","bounds":"from 1"},
                 {"name":"readReplica","effect":"Replica.","type":"boolean","default":true,"value":true,"changed":false,"bounds":"b"},
                 {"name":"joinPatterns","effect":"Join.","type":"list","default":[],"value":["sales.*"],"changed":true,"bounds":"b"},
                 {"name":"missingRows","effect":"Missing.","type":"choice","choices":["delete","keep"],"default":"delete","value":"delete","bounds":"b"}]}""");
        console.answer("PATCH /settings", 202, "{\"results\":[{\"offset\":1,\"outcome\":\"followed\"}]}");

        assertThat(run().sluice("settings").out()).contains("20,000", "no limit", "sales.*", "changed", "chunkRows: Rows.");
        Run set = run().sluice(
                "settings", "set", "chunkRows=20_000", "readReplica=off", "joinPatterns=sales.*,!\"a,b\".*", "missingRows=keep");
        assertThat(set.exitCode()).as(set.err()).isZero();
        assertThat(console.asked().getLast().json()).isEqualTo(Json.object(
                "{\"chunkRows\":20000,\"readReplica\":false,\"joinPatterns\":[\"sales.*\",\"!\\\"a,b\\\".*\"],\"missingRows\":\"keep\"}", "x"));
        run().sluice("settings", "reset", "chunkRows", "rowsPerSecond");
        assertThat(console.asked().getLast().body()).isEqualTo("{\"chunkRows\":null,\"rowsPerSecond\":null}");

        int before = console.asked("PATCH /settings").size();
        for (String wrong : List.of("chunkRows", "chunkRows=many", "chunkRows=", "nonsense=1", "readReplica=perhaps", "=1")) {
            assertThat(run().sluice("settings", "set", wrong).exitCode()).as(wrong).isEqualTo(ExitCode.USAGE);
        }
        assertThat(console.asked("PATCH /settings")).hasSize(before);
    }

    @Test
    void tablesOfTheSourceAreSearched() {
        console.answer("GET /source/tables?search=or%26ders%20*", 200, """
                {"tables":[{"name":"public.orders","rowsEstimated":1000,"bytes":8192,"partitioned":false,"known":true},
                 {"name":"public.odd","partitioned":false,"known":false,"refused":"it is a view"}],"more":true}""");

        Run run = run().sluice("source-tables", "or&ders *");

        assertThat(run.out()).contains("~1,000", "8.0 KiB", "in the pipeline", "cannot be carried: it is a view");
        assertThat(run.err()).contains("there are more");
    }

    @Test
    void aSessionIsKeptForItsOwnerAloneAndSentToItsConsoleOnly() throws IOException {
        Path state = home.resolve("state");
        console.tell("POST /login", new FakeConsole.Told(204, "application/json", "",
                List.of("Set-Cookie", "sluice=abc.def; Path=/; HttpOnly; SameSite=Strict", "Set-Cookie", "gone=; Max-Age=0")));
        console.answer("GET /tables", 200, TABLES);
        console.tell("POST /logout", new FakeConsole.Told(204, "application/json", "", List.of()));

        Run login = run().with("XDG_STATE_HOME", state.toString()).reading("se cret\n").sluice("login", "--user=ann", "--password-stdin");

        assertThat(login.exitCode()).as(login.err()).isZero();
        assertThat(console.asked("POST /login").getFirst().body()).isEqualTo("{\"user\":\"ann\",\"password\":\"se cret\"}");
        Path file = state.resolve("sluice/sessions.json");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.getParent()))).isEqualTo("rwx------");
        run().with("XDG_STATE_HOME", state.toString()).sluice("tables");
        assertThat(console.asked().getLast().header("Cookie")).isEqualTo("sluice=abc.def");
        try (var other = new FakeConsole()) {
            run().with("XDG_STATE_HOME", state.toString()).sluice("tables", "--url", other.url());
            assertThat(other.asked().getLast().header("Cookie")).isEmpty();
        }

        assertThat(run().with("XDG_STATE_HOME", state.toString()).sluice("logout").exitCode()).isZero();
        assertThat(console.asked().getLast().header("Cookie")).isEqualTo("sluice=abc.def");
        assertThat(Files.readString(file)).doesNotContain("abc");
    }

    @Test
    void aWrongPasswordIsSaidWithoutIt() {
        console.problem("POST /login", 401, "user or password is wrong");

        Run run = run().reading("secret").sluice("login", "-u", "ann", "--password-stdin");

        assertThat(run.exitCode()).isEqualTo(ExitCode.NOT_ALLOWED);
        assertThat(run.err()).isEqualTo("sluice: not logged in: user or password is wrong\n");
    }

    @Test
    void theCompletionKnowsEveryCommand() {
        assertThat(run().sluice("completion").out()).contains("complete -F", "to-front", "--drop-queue", "settings_reset");
    }

    private static String overview(String state, int run, String since, String more) {
        ObjectNode overview = Json.object();
        overview.putObject("pipeline").put("name", "sluice");
        overview.putArray("tables").add(Json.object(
                "{\"name\":\"public.orders\",\"state\":\"" + state + "\",\"run\":" + run + ",\"since\":\"" + since + "\"" + more + "}", "x"));
        return Json.write(overview);
    }
}
