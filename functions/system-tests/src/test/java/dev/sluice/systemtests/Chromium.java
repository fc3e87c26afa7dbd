package dev.sluice.systemtests;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.deque.html.axecore.playwright.AxeBuilder;
import com.deque.html.axecore.results.AxeResults;
import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/** A real browser, the one that is installed. What a page says on its console as an error is kept. */
final class Chromium implements AutoCloseable {

    private static final int ACTION_MILLIS_MAX = 20_000;

    private final Playwright playwright;
    private final Browser browser;
    private final List<String> errors = new CopyOnWriteArrayList<>();

    private Chromium(Path program) {
        // The driver comes from Maven; it must not fetch browsers of its own.
        playwright = Playwright.create(
                new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
        browser = playwright.chromium().launch(new BrowserType.LaunchOptions()
                .setExecutablePath(program)
                .setHeadless(true)
                .setArgs(List.of(
                        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                        "--disable-background-networking", "--disable-component-update", "--disable-sync")));
    }

    /** Where the browser is: the environment's {@code CHROMIUM}, or the first of the usual names on the path. */
    static Optional<Path> program() {
        Stream<Path> named = Stream.ofNullable(System.getenv("CHROMIUM")).map(Path::of);
        Stream<Path> onPath = Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
                .flatMap(folder -> Stream.of("chromium", "chromium-browser", "google-chrome")
                        .map(name -> Path.of(folder, name)));
        return Stream.concat(named, onPath).filter(Files::isExecutable).findFirst();
    }

    /** Leaves a test out where there is none. */
    static void assumeInstalled() {
        assumeTrue(program().isPresent(), "needs Chromium: install it, or name it by CHROMIUM");
    }

    static Chromium start() {
        return new Chromium(program().orElseThrow(() -> new AssertionError(
                "no Chromium on the PATH: install it, or name it by the environment variable CHROMIUM")));
    }

    /** A window of a person of their own: no cookies of others. */
    Page open(String url) {
        return open(url, new Browser.NewContextOptions().setViewportSize(1280, 900));
    }

    Page open(String url, Browser.NewContextOptions options) {
        BrowserContext context = browser.newContext(options.setLocale("en-GB").setTimezoneId("Europe/Zurich"));
        context.setDefaultTimeout(ACTION_MILLIS_MAX);
        Page page = context.newPage();
        page.onConsoleMessage(message -> {
            if (message.type().equals("error")) {
                errors.add(message.text());
            }
        });
        page.onPageError(errors::add);
        page.navigate(url);
        return page;
    }

    /** What pages said went wrong, such as a script that the security policy kept out. */
    List<String> errors() {
        return List.copyOf(errors);
    }

    void forgetErrors() {
        errors.clear();
    }

    /** What axe finds wrong with a page as it stands, one line each. */
    static List<String> violations(Page page) {
        AxeResults results = new AxeBuilder(page).analyze();
        return results.getViolations().stream()
                .flatMap(rule -> rule.getNodes().stream().map(node ->
                        rule.getId() + ": " + rule.getHelp() + " at " + node.getTarget() + " " + node.getHtml()))
                .toList();
    }

    @Override
    public void close() {
        browser.close();
        playwright.close();
    }
}
