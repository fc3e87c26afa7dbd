package dev.sluice.console.access;

import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Who has signed in. In memory: a console that starts again asks everybody anew. Safe for use by several threads. */
final class Sessions {

    private static final int SESSIONS_MAX = 1_000;
    private static final int SESSIONS_OF_USER_MAX = 20;
    private static final int TOKEN_BYTES = 32;

    private final Duration idle;
    private final Duration max;
    private final SecureRandom random = new SecureRandom();
    /** The one that was not used for longest ends first. */
    private final Map<String, Session> sessions = new LinkedHashMap<>(16, 0.75f, true);

    private record Session(String user, long beganNanos, long usedNanos) {}

    Sessions(Duration idle, Duration max) {
        this.idle = idle;
        this.max = max;
    }

    /** @return a token that nobody can guess */
    synchronized String begin(String user) {
        sessions.values().removeIf(this::isOver);
        drop(user, SESSIONS_OF_USER_MAX - 1);
        while (sessions.size() >= SESSIONS_MAX) {
            sessions.remove(sessions.keySet().iterator().next());
        }
        byte[] bytes = new byte[TOKEN_BYTES];
        random.nextBytes(bytes);
        String token = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        long now = System.nanoTime();
        sessions.put(token, new Session(user, now, now));
        return token;
    }

    private void drop(String user, int kept) {
        long of = sessions.values().stream().filter(session -> session.user().equals(user)).count();
        sessions.entrySet().stream()
                .filter(entry -> entry.getValue().user().equals(user))
                .map(Map.Entry::getKey)
                .limit(Math.max(0, of - kept))
                .toList()
                .forEach(sessions::remove);
    }

    /** @return whose it is; empty: there is none, or it is over */
    synchronized Optional<String> use(String token) {
        Session session = sessions.get(token);
        if (session == null) {
            return Optional.empty();
        }
        if (isOver(session)) {
            sessions.remove(token);
            return Optional.empty();
        }
        sessions.put(token, new Session(session.user(), session.beganNanos(), System.nanoTime()));
        return Optional.of(session.user());
    }

    private boolean isOver(Session session) {
        long now = System.nanoTime();
        return now - session.usedNanos() > idle.toNanos() || now - session.beganNanos() > max.toNanos();
    }

    synchronized Optional<String> end(String token) {
        return Optional.ofNullable(sessions.remove(token)).map(Session::user);
    }
}
