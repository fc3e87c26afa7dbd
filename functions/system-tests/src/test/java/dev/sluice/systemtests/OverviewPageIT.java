package dev.sluice.systemtests;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser.NewContextOptions;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions.ContainsTextOptions;
import com.microsoft.playwright.assertions.LocatorAssertions.IsVisibleOptions;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import dev.sluice.domain.TableState;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The page in a real browser, on all of Sluice with real servers, used as a person does: by what is written there. */
class OverviewPageIT {

    private static final int LIMIT = 60_000;

    @AutoClose
    private static SluiceStack stack;

    @AutoClose
    private static Chromium chromium;

    @BeforeAll
    static void start() throws Exception {
        Chromium.assumeInstalled();
        stack = SluiceStack.start("page", Map.of("sluice.scheduler.chunk-rows", "200"));
        stack.onSource(
                "CREATE TABLE public.fruits (id int PRIMARY KEY, name text, price int)",
                "INSERT INTO public.fruits SELECT g, 'fruit ' || g, g FROM generate_series(1, 1000) g",
                "CREATE TABLE public.wrong (id int, name text)",
                "INSERT INTO public.wrong VALUES (1, 'one')",
                "CREATE TABLE public.slow (id int PRIMARY KEY, name text)",
                "INSERT INTO public.slow SELECT g, 'slow ' || g FROM generate_series(1, 3000) g",
                "CREATE TABLE public.kept (id int PRIMARY KEY, name text)",
                "INSERT INTO public.kept SELECT g, 'kept ' || g FROM generate_series(1, 500) g");
        chromium = Chromium.start();
        // The scheduler has five seconds for a command.
        PlaywrightAssertions.setDefaultAssertionTimeout(20_000);
    }

    @AfterEach
    void nothingWentWrongInThePage() {
        if (chromium != null) {
            assertThat(chromium.errors()).as("errors on the console of the browser").isEmpty();
        }
    }

    @Test
    void tablesAreAddedFromWhatTheSourceHasAndStream() {
        Page page = open("");
        button(page, Pattern.compile("^Add")).first().click();
        Locator dialog = dialog(page, "Add tables");
        dialog.getByRole(AriaRole.CHECKBOX, new Locator.GetByRoleOptions().setName("Pick public.fruits")).check();
        assertThat(Chromium.violations(page)).as("what axe finds wrong with the dialog").isEmpty();
        dialog.getByRole(AriaRole.BUTTON, new Locator.GetByRoleOptions().setName("Add 1")).click();
        confirm(page, "Add tables");

        assertThat(row(page, "public.fruits")).containsText("Streaming", within());
        assertThat(Chromium.violations(page)).as("what axe finds wrong with the overview").isEmpty();
        page.context().close();
    }

    @Test
    void aDifferenceIsFoundAndItsKeysAreBackfilled() throws Exception {
        stack.add("public.kept");
        stack.awaitStreaming("public.kept");
        stack.onDestination("DELETE FROM public.kept WHERE id IN (17, 18)");
        Page page = open("#/table/public.kept");
        act(page, "Verify");
        Locator compared = panel(page, "Compared with the source");
        assertThat(compared).containsText("2 rows differ", within());
        assertThat(compared).containsText("missing at destination");
        assertThat(Chromium.violations(page)).as("what axe finds wrong with a table's page").isEmpty();

        long run = stack.table("public.kept").orElseThrow().state().run();
        compared.getByRole(AriaRole.BUTTON, new Locator.GetByRoleOptions().setName("Backfill 17 to 18")).click();
        confirm(page, "Backfill");
        stack.awaitStreamingAfter("public.kept", run);
        stack.assertEqual("public.kept");
        assertThat(compared).containsText("Stale", within());
        page.context().close();
    }

    @Test
    void aTableThatFailedSaysWhyAndIsRetried() throws Exception {
        Page page = open("");
        stack.add("public.wrong");
        assertThat(row(page, "public.wrong")).containsText("Failed", within());
        page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName("public.wrong").setExact(true)).click();
        assertThat(page.getByLabel("The last error")).containsText("no primary key", within());
        stack.onSource("ALTER TABLE public.wrong ADD PRIMARY KEY (id)");
        act(page, "Retry");
        stack.awaitTrueState("public.wrong", TableState.Streaming.class::isInstance);
        assertThat(page.locator(".page-head")).containsText("Streaming", within());
        page.context().close();
    }

    @Test
    void whatOneDoesTheOtherSeesPauseCancelAndBackfill() {
        Page one = open("");
        Page other = open("");
        stack.add("public.slow");
        stack.awaitStreaming("public.slow");
        assertThat(row(one, "public.slow")).containsText("Streaming", within());

        button(one, Pattern.compile("^Pause all")).click();
        confirm(one, "Pause all");
        assertThat(other.getByText("The whole pipeline is paused")).isVisible(visible());
        menu(other, "public.slow", "Backfill");
        confirm(other, "Backfill");
        assertThat(row(one, "public.slow")).containsText("Queued", within());
        menu(one, "public.slow", "Cancel");
        confirm(one, "Cancel");
        assertThat(row(other, "public.slow")).containsText("Streaming", within());
        button(other, Pattern.compile("^Resume all")).click();
        confirm(other, "Resume all");
        assertThat(one.getByText("The whole pipeline is paused")).isHidden();
        one.context().close();
        other.context().close();
    }

    @Test
    void settingsAreRefusedAtTheFieldAndKept() {
        Page page = open("#/settings");
        Locator rows = page.getByLabel("Rows per chunk");
        rows.fill("7");
        button(page, Pattern.compile("^Save")).click();
        assertThat(page.getByRole(AriaRole.ALERT).filter(new Locator.FilterOptions().setHasText("It must be")))
                .isVisible(visible());
        assertThat(Chromium.violations(page)).as("what axe finds wrong with the settings").isEmpty();
        rows.fill("250");
        button(page, Pattern.compile("^Save")).click();
        SluiceStack.awaitTrue("the setting holds", SluiceStack.LONG, () ->
                stack.pipelineRecord().effective().chunkRows().filter(value -> value == 250).isPresent());
        page.reload();
        assertThat(page.getByLabel("Rows per chunk")).hasValue("250");
        page.context().close();
    }

    @Test
    void theConnectionIsLostAndFoundAgain() {
        Page page = open("");
        assertThat(page.getByRole(AriaRole.HEADING, new Page.GetByRoleOptions().setName("Tables"))).isVisible(visible());
        stack.functions().kill();
        assertThat(page.getByText("Disconnected since")).isVisible(visible());
        stack.functions().restart();
        assertThat(page.getByText("Disconnected since")).isHidden(
                new com.microsoft.playwright.assertions.LocatorAssertions.IsHiddenOptions().setTimeout(LIMIT));
        page.context().close();
        // What a browser says of a connection that is refused.
        chromium.forgetErrors();
    }

    @Test
    void itIsUsableInTheDarkAndOnAPhone() {
        stack.add("public.kept");
        stack.awaitStreaming("public.kept");
        Page page = chromium.open(url(""), new NewContextOptions()
                .setViewportSize(390, 844)
                .setColorScheme(ColorScheme.DARK));
        assertThat(row(page, "public.kept")).containsText("Streaming", within());
        assertThat(Chromium.violations(page)).as("what axe finds wrong with the overview of a phone").isEmpty();
        assertThat((Boolean) page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
                .as("nothing stands out of the screen").isTrue();
        page.context().close();
    }

    private static String url(String path) {
        return "http://127.0.0.1:" + stack.functions().httpPort() + "/" + path;
    }

    private static Page open(String path) {
        return chromium.open(url(path));
    }

    private static Locator row(Page page, String table) {
        return page.getByRole(AriaRole.ROW).filter(new Locator.FilterOptions()
                .setHas(page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName(table).setExact(true))));
    }

    private static Locator button(Page page, Pattern name) {
        return page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name));
    }

    private static Locator panel(Page page, String heading) {
        return page.locator("section").filter(new Locator.FilterOptions()
                .setHas(page.getByRole(AriaRole.HEADING, new Page.GetByRoleOptions().setName(heading))));
    }

    private static Locator dialog(Page page, String title) {
        return page.getByRole(AriaRole.DIALOG, new Page.GetByRoleOptions().setName(Pattern.compile("^" + title))).last();
    }

    private static void act(Page page, String action) {
        page.getByRole(AriaRole.GROUP, new Page.GetByRoleOptions().setName("Actions"))
                .getByRole(AriaRole.BUTTON, new Locator.GetByRoleOptions().setName(action).setExact(true))
                .click(new Locator.ClickOptions().setTimeout(LIMIT));
        confirm(page, action);
    }

    private static void menu(Page page, String table, String action) {
        page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Actions for " + table)).click();
        page.getByRole(AriaRole.MENUITEM, new Page.GetByRoleOptions().setName(action).setExact(true)).click();
    }

    /** Reads what would happen, and says yes. */
    private static void confirm(Page page, String action) {
        Locator dialog = dialog(page, action);
        dialog.locator(".dialog-foot")
                .getByRole(AriaRole.BUTTON, new Locator.GetByRoleOptions().setName(action).setExact(true))
                .click();
        assertThat(page.getByRole(AriaRole.DIALOG)).hasCount(0);
    }

    private static ContainsTextOptions within() {
        return new ContainsTextOptions().setTimeout(LIMIT);
    }

    private static IsVisibleOptions visible() {
        return new IsVisibleOptions().setTimeout(LIMIT);
    }
}
