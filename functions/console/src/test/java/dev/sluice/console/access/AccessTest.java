package dev.sluice.console.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.elytron.security.common.BcryptUtil;
import io.quarkus.runtime.configuration.ConfigurationException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the process starts, and who is a user. */
class AccessTest {

    private static final String HASH = BcryptUtil.bcryptHash("a horse of course", 4);

    @TempDir
    Path folder;

    @Test
    void onLoopbackNobodySignsInAndElsewhereNothingStartsWithoutUsers() {
        assertThat(access("127.0.0.1", Optional.empty(), false, false).needsLogin()).isFalse();
        assertThat(access("localhost", Optional.empty(), false, false).needsLogin()).isFalse();
        assertThat(access("::1", Optional.empty(), false, false).needsLogin()).isFalse();
        for (String host : new String[] {"0.0.0.0", "::", "10.1.2.3", "example.org", "localhost.example.org", "127.0.0.1.example.org"}) {
            assertThatThrownBy(() -> access(host, Optional.empty(), true, true))
                    .as(host)
                    .isInstanceOf(ConfigurationException.class)
                    .hasMessageContaining("sluice.console.users-file")
                    .hasMessageContaining(host);
        }
    }

    @Test
    void passwordsDoNotCrossTheNetworkInClearUnlessThatIsAllowed() throws Exception {
        Path users = users("ann:operator:" + HASH);

        assertThatThrownBy(() -> access("0.0.0.0", Optional.of(users), false, false))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("plain HTTP");
        assertThat(access("0.0.0.0", Optional.of(users), true, false).needsLogin()).isTrue();
        assertThat(access("0.0.0.0", Optional.of(users), false, true).needsLogin()).isTrue();
    }

    @Test
    void aWrongLineIsNamedByItsNumberAndNotShown() throws Exception {
        for (String line : new String[] {"ben:admin:" + HASH, "ben:viewer:secret", "ben:viewer", "b en:viewer:" + HASH, "ann:viewer:" + HASH}) {
            Path users = users("# people\nann:operator:" + HASH + "\n" + line);

            assertThatThrownBy(() -> access("0.0.0.0", Optional.of(users), true, false))
                    .as(line)
                    .isInstanceOf(ConfigurationException.class)
                    .hasMessageContaining("line 3")
                    .hasMessageNotContaining("secret")
                    .hasMessageNotContaining(HASH);
        }
        Path nobody = users("# nobody");
        assertThatThrownBy(() -> access("0.0.0.0", Optional.of(nobody), true, false)).isInstanceOf(ConfigurationException.class);
    }

    @Test
    void aChangedFileHoldsAtOnceAndABrokenOneDoesNot() throws Exception {
        Path file = users("ann:operator:" + HASH + "\nben:viewer:" + HASH);
        var access = access("0.0.0.0", Optional.of(file), true, false);
        assertThat(access.user("ben")).map(Users.User::role).contains(Role.VIEWER);

        Files.writeString(file, "ann:viewer:" + HASH);
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(5)));
        assertThat(access.user("ben")).isEmpty();
        assertThat(access.user("ann")).map(Users.User::role).contains(Role.VIEWER);

        Files.writeString(file, "broken");
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(10)));
        assertThat(access.user("ann")).isPresent();
    }

    @Test
    void passwordsAreComparedByBcrypt() {
        assertThat(Passwords.verify(HASH, "a horse of course")).isTrue();
        assertThat(Passwords.verify(HASH, "a horse of cours")).isFalse();
        assertThat(Passwords.fits("x".repeat(72))).isTrue();
        assertThat(Passwords.fits("x".repeat(73))).isFalse();
        assertThat(Passwords.fits("")).isFalse();
        // Who is no user must cost as much, and so the hash of nobody has to be one.
        Passwords.spendAsMuch("anything");
    }

    @Test
    void sessionsAreBoundedByUser() {
        var sessions = new Sessions(Duration.ofMinutes(1), Duration.ofMinutes(1));
        String first = sessions.begin("ann");
        for (int i = 0; i < 20; i++) {
            sessions.begin("ann");
        }
        assertThat(sessions.use(first)).as("the oldest of more than 20").isEmpty();
        String last = sessions.begin("ann");
        assertThat(sessions.use(last)).contains("ann");
        sessions.end(last);
        assertThat(sessions.use(last)).isEmpty();
    }

    private Path users(String text) throws Exception {
        return Files.writeString(folder.resolve("users"), text);
    }

    private static Access access(String host, Optional<Path> users, boolean allowHttp, boolean behindProxy) {
        return new Access(new Config(users, allowHttp), host, "enabled", behindProxy);
    }

    private record Config(Optional<Path> usersFile, boolean allowHttp) implements AccessConfig {
        @Override
        public Duration sessionIdle() {
            return Duration.ofMinutes(30);
        }

        @Override
        public Duration sessionMax() {
            return Duration.ofHours(12);
        }
    }
}
