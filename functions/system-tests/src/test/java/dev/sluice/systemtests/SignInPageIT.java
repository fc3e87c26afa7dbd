package dev.sluice.systemtests;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions.ContainsTextOptions;
import com.microsoft.playwright.options.AriaRole;
import dev.sluice.domain.TableRecord;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The page where people have to sign in, in a real browser, with nothing but the keyboard. */
class SignInPageIT {

    private static final String TABLE = "public.signed";
    private static final int LIMIT = 60_000;
    /** More than a page with one table has to go through. */
    private static final int TABS_MAX = 60;
    private static final String OPERATOR_PASSWORD = "a horse of course";
    private static final String VIEWER_PASSWORD = "correct battery";

    @AutoClose
    private static SluiceStack stack;

    @AutoClose
    private static Chromium chromium;

    @BeforeAll
    static void start() throws Exception {
        Chromium.assumeInstalled();
        Path users = Files.writeString(Files.createTempFile("users", ""), """
                ann:operator:$2b$10$ezZYunU2Fsu5N5D.rsNkru1MX1zwbr/cauWDD5bXXN1yVrY/Npjda
                ben:viewer:$2b$10$6lknWpGUq0JvhTmkhl51IuSQ4HbyTzUEw0.7uZtGNPa4koBpRHbeO
                """);
        users.toFile().deleteOnExit();
        stack = SluiceStack.start("signin", Map.of("sluice.console.users-file", users.toString()));
        stack.onSource("CREATE TABLE " + TABLE + " (id int PRIMARY KEY)", "INSERT INTO " + TABLE + " VALUES (1)");
        stack.add(TABLE);
        stack.awaitStreaming(TABLE);
        chromium = Chromium.start();
    }

    /** Who has not signed in is told so by the status 401, which a browser writes there. */
    @AfterEach
    void nothingElseWentWrongInThePage() {
        if (chromium != null) {
            assertThat(chromium.errors()).allMatch(error -> error.contains("401"));
        }
    }

    @Test
    void aViewerLooksAndFindsNothingToActWith() {
        Page page = open();
        assertThat(Chromium.violations(page)).as("what axe finds wrong with the form").isEmpty();
        signIn(page, "ben", OPERATOR_PASSWORD);
        assertThat(page.getByRole(AriaRole.ALERT)).containsText("wrong");
        page.getByLabel("User").focus();
        page.keyboard().press("Control+A");
        signIn(page, "ben", VIEWER_PASSWORD);

        assertThat(page.getByRole(AriaRole.ROW).filter(new Locator.FilterOptions().setHasText(TABLE)))
                .containsText("Streaming", new ContainsTextOptions().setTimeout(LIMIT));
        assertThat(page.getByText("You may look.")).isVisible();
        assertThat(button(page, "^Add")).hasCount(0);
        assertThat(button(page, "^Pause all")).hasCount(0);
        assertThat(button(page, "^Actions for")).hasCount(0);
        assertThat(page.getByRole(AriaRole.CHECKBOX, new Page.GetByRoleOptions().setName("Select " + TABLE))).hasCount(0);
        assertThat(Chromium.violations(page)).as("what axe finds wrong with a viewer's overview").isEmpty();

        tabTo(page, button(page, "^Sign out$"));
        page.keyboard().press("Enter");
        page.waitForURL(Pattern.compile("/login\\.html"));
        page.navigate(url());
        page.waitForURL(Pattern.compile("/login\\.html"));
        page.context().close();
    }

    @Test
    void anOperatorPausesATableWithTheKeyboardAlone() {
        Page page = open();
        signIn(page, "ann", OPERATOR_PASSWORD);
        tabTo(page, button(page, "^Actions for " + TABLE.replace(".", "\\.") + "$"));
        page.keyboard().press("Enter");
        pressTo(page, "ArrowDown", page.getByRole(AriaRole.MENUITEM, new Page.GetByRoleOptions().setName("Pause").setExact(true)));
        page.keyboard().press("Enter");
        Locator dialog = page.getByRole(AriaRole.DIALOG, new Page.GetByRoleOptions().setName("Pause: " + TABLE));
        tabTo(page, dialog.getByRole(AriaRole.BUTTON, new Locator.GetByRoleOptions().setName("Pause").setExact(true)));
        page.keyboard().press("Enter");
        assertThat(dialog).hasCount(0);

        TableRecord paused = stack.await(TABLE, SluiceStack.LONG, table -> table.pause().isPresent());
        assertThat(paused.pause().orElseThrow().by()).contains("ann");
        page.context().close();
    }

    private static Page open() {
        Page page = chromium.open(url());
        page.waitForURL(Pattern.compile("/login\\.html"));
        assertThat(page.getByLabel("User")).isFocused();
        return page;
    }

    private static String url() {
        return "http://127.0.0.1:" + stack.functions().httpPort() + "/";
    }

    /** The cursor stands in the first field. */
    private static void signIn(Page page, String user, String password) {
        page.keyboard().type(user);
        page.keyboard().press("Tab");
        page.keyboard().press("Control+A");
        page.keyboard().type(password);
        page.keyboard().press("Enter");
    }

    private static void tabTo(Page page, Locator target) {
        pressTo(page, "Tab", target);
    }

    private static void pressTo(Page page, String key, Locator target) {
        target.waitFor(new Locator.WaitForOptions().setTimeout(LIMIT));
        for (int i = 0; i < TABS_MAX; i++) {
            if (Boolean.TRUE.equals(target.evaluate("it => it === document.activeElement"))) {
                return;
            }
            page.keyboard().press(key);
        }
        throw new AssertionError(target + " is not reached by " + TABS_MAX + " times " + key);
    }

    private static Locator button(Page page, String name) {
        return page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName(Pattern.compile(name)));
    }
}
