package dev.sluice.console.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** That the page of metrics, the rules and the dashboard speak of metrics that there are. */
class MetricsCatalogueTest {

    private static final Path INFRA = Path.of("../../infra");
    private static final Path PAGE = Path.of("../docs/metrics.md");
    private static final Pattern NAME = Pattern.compile("sluice_[a-z_]+");

    @Test
    void thePageListsThemAll() throws IOException {
        String page = page();
        if (Boolean.getBoolean("sluice.docs.write")) {
            Files.writeString(PAGE, page);
        }
        assertThat(PAGE).hasContent(page);
    }

    @Test
    void rulesAndDashboardNameNoOthers() throws IOException {
        Set<String> known = Arrays.stream(Metric.values()).map(Metric::text).collect(Collectors.toSet());
        for (Path file : List.of(INFRA.resolve("prometheus/alerts.yaml"), INFRA.resolve("grafana/sluice.json"))) {
            assertThat(named(file)).as(file.toString()).isNotEmpty().isSubsetOf(known);
        }
        new ObjectMapper().readTree(INFRA.resolve("grafana/sluice.json").toFile());
    }

    @Test
    void theRulesFireAsTheirTestsSay() throws Exception {
        assumeTrue(Arrays.stream(System.getenv("PATH").split(":")).anyMatch(it -> Files.isExecutable(Path.of(it, "promtool"))),
                "needs promtool, of Debian's package prometheus");
        Process promtool = new ProcessBuilder("promtool", "test", "rules", "alerts-test.yaml")
                .directory(INFRA.resolve("prometheus").toFile())
                .redirectErrorStream(true)
                .start();
        String said = new String(promtool.getInputStream().readAllBytes());
        assertThat(promtool.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(promtool.exitValue()).as(said).isZero();
    }

    private static Set<String> named(Path file) throws IOException {
        return NAME.matcher(Files.readString(file)).results().map(it -> it.group()).collect(Collectors.toCollection(TreeSet::new));
    }

    private static String page() {
        var page = new StringBuilder("""
                # Metrics

                Written by `MetricsCatalogueTest` from the catalogue `Metric`; the test fails when this page shows something else.
                To write it again:

                ```bash
                mvn -pl functions/console -am test -Dtest=MetricsCatalogueTest -Dsurefire.failIfNoSpecifiedTests=false -Dsluice.docs.write=true
                ```

                The [console](../console/README.md) tells Prometheus at `/q/metrics` how the pipeline stands, from the states of the
                tables and from what it sees of the servers, brought up to date every five seconds. What is not known is left out, so
                that nobody takes it for a zero. Up to 2,000 tables are told one by one. `/q/metrics` needs no login: let only
                Prometheus reach it.

                | metric | label | is |
                |---|---|---|
                """);
        for (Metric metric : Metric.values()) {
            page.append("| `").append(metric.text()).append("` | ").append(metric.label().map(it -> "`" + it + "`").orElse(""))
                    .append(" | ").append(metric.help()).append(" |\n");
        }
        return page.append("""

                [Alert rules](../../infra/prometheus/alerts.yaml) for Prometheus, with [their tests](../../infra/prometheus/alerts-test.yaml)
                for promtool, and a [dashboard](../../infra/grafana/sluice.json) for Grafana are in `infra`.
                """).toString();
    }
}
