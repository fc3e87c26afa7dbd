package dev.sluice.localdev;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RestartRequestsTest {

    @Test
    void aRequestIsTakenOnceAndAnswered(@TempDir Path data) throws Exception {
        Path folder = Files.createDirectories(data.resolve("requests"));
        Files.writeString(folder.resolve("old.request"), "kafka\n");
        RestartRequests requests = RestartRequests.open(data);
        assertThat(requests.take()).as("requests to an earlier up").isEmpty();

        Files.writeString(folder.resolve("1.request"), "functions\n");
        assertThat(requests.take()).containsExactly(new RestartRequests.Request("1", "functions"));
        assertThat(requests.take()).isEmpty();

        requests.answer(new RestartRequests.Request("1", "functions"), true, "functions runs again");
        assertThat(folder.resolve("1.answer")).hasContent("ok\nfunctions runs again\n");
    }

    @Test
    void valuesAreSafeInAShell() {
        assertThat(Installation.shellAssignments(Map.of("URL", "a'b $c"))).isEqualTo("URL='a'\\''b $c'\n");
    }
}
