package dev.sluice.systemtests;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.microsoft.playwright.Browser.NewContextOptions;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions.ContainsTextOptions;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import dev.sluice.domain.TableState;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Makes the pictures of the page that the documents show, of a pipeline that really works: {@code local-dev/screenshots}.
 * Left out otherwise: a picture is never the same twice.
 */
class ScreenshotsIT {

    private static final Path PICTURES = Path.of("../docs/pictures");

    @Test
    void makesThem() throws Exception {
        assumeTrue(Boolean.getBoolean("sluice.pictures.write"), "run local-dev/screenshots to make the pictures anew");
        try (var stack = SluiceStack.start("pictures", Map.of(
                        "sluice.scheduler.chunk-rows", "500", "sluice.scheduler.concurrency", "2"));
                var chromium = Chromium.start()) {
            String url = "http://127.0.0.1:" + stack.functions().httpPort() + "/";
            for (String table : new String[] {"customers", "orders", "order_lines", "events", "documents"}) {
                stack.onSource(
                        "CREATE TABLE public." + table + " (id bigint PRIMARY KEY, note text, amount numeric)",
                        "INSERT INTO public." + table + " SELECT g, 'note ' || g, g * 1.1 FROM generate_series(1, 60000) g",
                        "ANALYZE public." + table);
            }
            stack.onSource("CREATE TABLE public.visits (at timestamptz, page text)");
            picture(chromium.open(url), "overview-empty", "No tables yet");

            stack.add("public.customers");
            stack.awaitStreaming("public.customers");
            picture(chromium.open(url), "overview-idle", "Streaming");

            stack.add("public.visits", "public.events", "public.orders", "public.order_lines", "public.documents");
            stack.awaitTrueState("public.visits", TableState.Failed.class::isInstance);
            stack.awaitTrueState("public.events", state ->
                    state instanceof TableState.Backfilling backfilling && backfilling.plan().chunksCopied() > 10);
            picture(chromium.open(url), "overview-busy", "Backfilling");
            picture(chromium.open(url, new NewContextOptions()
                    .setViewportSize(1280, 900).setColorScheme(ColorScheme.DARK)), "overview-dark", "Backfilling");
            picture(chromium.open(url, new NewContextOptions().setViewportSize(390, 844)), "overview-phone", "public.");
            picture(chromium.open(url + "#/table/public.events"), "table", "Chunks of the run");
            Page failed = chromium.open(url + "?#/?state=Failed");
            picture(failed, "overview-failed", "no primary key");
        }
    }

    private static void picture(Page page, String name, String awaited) {
        assertThat(page.getByRole(AriaRole.MAIN)).containsText(awaited, new ContainsTextOptions().setTimeout(60_000));
        // The speed is known after a few seconds; nothing fails if it is not.
        page.waitForTimeout(name.startsWith("overview-b") || name.equals("table") ? 3_000 : 500);
        page.screenshot(new Page.ScreenshotOptions().setPath(PICTURES.resolve(name + ".png")));
        page.context().close();
    }
}
