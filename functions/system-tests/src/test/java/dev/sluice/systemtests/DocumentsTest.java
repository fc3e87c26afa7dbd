package dev.sluice.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the documents name is there. */
class DocumentsTest {

    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#\\s]+)(#[^)]*)?\\)");
    private static final Pattern CLASS = Pattern.compile("`([A-Z][a-z0-9]+(?:[A-Z][A-Za-z0-9]*)+)`");

    @Test
    void everyRelativeLinkLeadsToAFile() throws IOException {
        List<String> broken = new ArrayList<>();
        for (Path document : files(".md")) {
            Matcher links = LINK.matcher(Files.readString(document));
            while (links.find()) {
                String target = links.group(1);
                boolean relative = !target.contains("://") && !target.startsWith("mailto:");
                if (relative && !Files.exists(document.getParent().resolve(target))) {
                    broken.add(root().relativize(document) + " links to " + target);
                }
            }
        }
        assertThat(broken).as("links that lead nowhere").isEmpty();
    }

    @Test
    void everyClassThatADocumentNamesExists() throws IOException {
        String code = files(".java").stream().map(DocumentsTest::read).collect(Collectors.joining("\n"));
        List<String> unknown = new ArrayList<>();
        for (Path document : files(".md")) {
            if (document.endsWith("CHANGELOG.md")) {
                continue;
            }
            Matcher classes = CLASS.matcher(Files.readString(document));
            while (classes.find()) {
                if (!Pattern.compile("\\b" + classes.group(1) + "\\b").matcher(code).find()) {
                    unknown.add(root().relativize(document) + " names " + classes.group(1));
                }
            }
        }
        assertThat(unknown).as("classes that no file has").isEmpty();
    }

    @Test
    void everyModuleHasAReadme() throws IOException {
        List<String> missing = files("pom.xml").stream()
                .map(Path::getParent)
                .filter(folder -> !Files.exists(folder.resolve("README.md")))
                .map(folder -> root().relativize(folder).toString())
                .toList();
        assertThat(missing).as("modules without a README.md").isEmpty();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static List<Path> files(String ending) throws IOException {
        try (Stream<Path> all = Files.walk(root())) {
            return all.filter(file -> file.toString().endsWith(ending))
                    .filter(file -> {
                        String path = root().relativize(file).toString();
                        return !path.contains("target/") && !path.startsWith(".git") && !path.startsWith("local-dev/data");
                    })
                    .toList();
        }
    }

    private static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("debezium-server/pom.xml"))) {
            folder = folder.getParent();
        }
        return folder;
    }
}
