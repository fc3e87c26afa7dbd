package dev.sluice.testing;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Where this repository stands: the servers that the build has made are under {@code target} folders in it. */
final class Repository {

    private static final String ROOT_PROPERTY = "sluice.repository";

    private Repository() {
    }

    /**
     * The root: what the system property {@code sluice.repository} says, else the first folder above this class's
     * own jar or classes, or above the working folder, that is laid out like the repository.
     *
     * @throws ServerException if none is found
     */
    static Path root() {
        String property = System.getProperty(ROOT_PROPERTY);
        if (property != null) {
            return Path.of(property);
        }
        List<Path> starts = new ArrayList<>();
        try {
            // This class first: with several checkouts, the servers come from the one that the code comes from.
            starts.add(Path.of(Repository.class.getProtectionDomain().getCodeSource().getLocation().toURI()));
        } catch (URISyntaxException | RuntimeException e) {
            // A class loader without file locations: the working folder is left.
        }
        starts.add(Path.of("").toAbsolutePath());
        for (Path start : starts) {
            for (Path folder = start; folder != null; folder = folder.getParent()) {
                if (Files.exists(folder.resolve("functions/shared/testing/pom.xml"))
                        && Files.exists(folder.resolve("debezium-server/pom.xml"))) {
                    return folder;
                }
            }
        }
        throw new ServerException("the repository is not found above " + starts + ": start with -D" + ROOT_PROPERTY
                + "=<its root>");
    }

    /**
     * @param path relative to the root
     * @param builtBy the Maven module to build, for the message
     * @throws ServerException if it is not there
     */
    static Path built(String path, String builtBy) {
        Path root = root();
        Path built = root.resolve(path);
        if (!Files.exists(built)) {
            throw new ServerException(path + " is missing under " + root + ": run mvn -pl " + builtBy
                    + " -am package -DskipTests first");
        }
        return built;
    }
}
