package dev.sluice.cli;

import java.util.Optional;

/** Who the command says it is. */
sealed interface Credentials {

    record Header(String name, String value) {
    }

    /** @param token as in {@code Authorization: Bearer} */
    record Token(String token) implements Credentials {

        @Override
        public Optional<Header> header() {
            return Optional.of(new Header("Authorization", "Bearer " + token));
        }

        @Override
        public String whenRefused(Optional<String> detail) {
            return "the console does not take the token of SLUICE_TOKEN" + detail.map(it -> " (" + it + ")").orElse("")
                    + ": get a new one";
        }

        /** A token is not for logs. */
        @Override
        public String toString() {
            return "Token";
        }
    }

    /** @param cookie as a request sends it */
    record Session(String cookie) implements Credentials {

        @Override
        public Optional<Header> header() {
            return Optional.of(new Header("Cookie", cookie));
        }

        @Override
        public String whenRefused(Optional<String> detail) {
            return "the session is over" + detail.map(it -> " (" + it + ")").orElse("") + ": run sluice login again";
        }

        @Override
        public String toString() {
            return "Session";
        }
    }

    record Nobody() implements Credentials {

        @Override
        public Optional<Header> header() {
            return Optional.empty();
        }

        @Override
        public String whenRefused(Optional<String> detail) {
            return "the console wants to know who you are" + detail.map(it -> " (" + it + ")").orElse("")
                    + ": run sluice login, or set SLUICE_TOKEN";
        }
    }

    /** Nobody yet, who has just given a password. */
    record Newcomer() implements Credentials {

        @Override
        public Optional<Header> header() {
            return Optional.empty();
        }

        @Override
        public String whenRefused(Optional<String> detail) {
            return "not logged in: " + detail.orElse("user or password is wrong");
        }
    }

    Optional<Header> header();

    /** What to do when the console answers that it does not know this. */
    String whenRefused(Optional<String> detail);
}
