package dev.sluice.domain;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The page of the settings is written from their catalogue. */
class SettingsPageTest {

    private static final String PAGE = "functions/docs/settings.md";
    private static final String WRITE_PROPERTY = "sluice.docs.write";
    private static final String COMMAND = "mvn -pl functions/shared/domain test -Dtest=SettingsPageTest -D" + WRITE_PROPERTY + "=true";

    @Test
    void thePageShowsTheSettingsAsTheyAre() throws IOException {
        Path page = root().resolve(PAGE);
        if (Boolean.getBoolean(WRITE_PROPERTY)) {
            Files.writeString(page, page());
        }
        String onDisk = Files.exists(page) ? Files.readString(page) : "";

        assertThat(onDisk)
                .as("%s shows other settings than the code has; write it again with\n  %s\nand look at the difference", PAGE, COMMAND)
                .isEqualTo(page());
    }

    private static String page() {
        return """
                # Settings that change while a pipeline runs

                Written by `SettingsPageTest` from the catalogue `Setting`; the test fails when this page shows something
                else. To write it again:

                ```bash
                %s
                ```

                A change is a [command](commands.md) `change-settings`, kept in the record `pipeline` of
                `<pipeline>.table-state`: what was changed under `settings`, the defaults under `defaults`. It holds from
                the next decision of the scheduler on, and until it is changed again or taken back with `null`. One bad
                value refuses the whole command, with the setting, the value and its bounds.

                A default is what the process of the scheduler is configured with, where a setting of it is named here,
                or what stands here.

                | setting | unit and bounds | default | what it does |
                |---|---|---|---|
                %s

                What is under way when a setting changes goes on as it began: a chunk is copied by the settings that it
                went out with, chunks that are planned keep their rows, and tables past Queued are not sent back.

                `rowsPerSecond` holds on average over chunks: one chunk runs as fast as it goes, since a read that is slowed
                down would hold its snapshot at the source and its locks at the destination for longer
                ([why](decisions/0022-the-pace-is-kept-between-chunks.md)). Chunks that are planned already, and tables
                that are copied as a whole, may be larger than five seconds of it; the pause behind them is longer then.

                While chunks rest because the source is busy, the record `pipeline` says so under `resting`. Sessions and
                standbys are looked at every few seconds (`sluice.scheduler.watch-interval`). Sluice's role needs
                `pg_read_all_stats` at the source for both; without it, chunks rest, and `resting` says what to grant.

                With `missingRows` set to `keep`, a row that was deleted at the source before its range is copied anew stays
                at the destination for good. A table without a key whose destination has rows cannot be copied then: nothing
                tells the rows apart, so it becomes Failed and says so. Rows that changes delete while the table streams are
                deleted in any case.

                A pattern of `joinPatterns` is written as in `add-tables`, and means the tables that match it now or later;
                what matches an entry that begins with `!` is left out. A table that a pattern names cannot be removed: it
                would join again. Exclude it first.
                """
                .formatted(COMMAND, Stream.of(Setting.values()).map(SettingsPageTest::row).collect(Collectors.joining("\n")));
    }

    private static String row(Setting setting) {
        String byDefault = setting.whenEmpty().orElseGet(() -> "`" + setting.builtIn().orElseThrow() + "`");
        return "| `" + setting.text() + "`: " + setting.title() + " | " + setting.bounds() + " | " + byDefault
                + setting.configuredBy().map(name -> ", or `" + name + "`").orElse("") + " | " + setting.effect() + " |";
    }

    private static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("functions/docs"))) {
            folder = folder.getParent();
        }
        return folder;
    }
}
