package dev.sluice.testing;

import java.nio.file.Path;

/** The Java that runs this code runs the servers too. */
final class Java {

    private Java() {
    }

    static String program() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }
}
