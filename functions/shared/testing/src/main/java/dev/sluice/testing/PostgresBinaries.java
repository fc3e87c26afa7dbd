package dev.sluice.testing;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/**
 * PostgreSQL's programs, unpacked once a machine: the newest version from the archive on the class path, the oldest from
 * where this module's build copies it to, since a class path has room for one.
 */
final class PostgresBinaries {

    private static final Map<PostgresVersion, Path> HOMES = new EnumMap<>(PostgresVersion.class);

    private PostgresBinaries() {
    }

    /** The command line of one of its programs, to be added to. PostgreSQL refuses to run as root, hence the prefix. */
    static List<String> command(PostgresVersion version, String program, String... arguments) {
        List<String> command = new ArrayList<>();
        if ("root".equals(System.getProperty("user.name"))) {
            // In a user namespace without a mapping, root is an ordinary user and its files still its own. It
            // replaces itself by the program, so the process id is the program's.
            command.add("unshare");
            command.add("-U");
        }
        command.add(home(version).resolve("bin").resolve(program).toString());
        command.addAll(List.of(arguments));
        return command;
    }

    /** Messages in English whatever the machine speaks, and no {@code PG*} variable of the caller is needed. */
    static Map<String, String> environment() {
        return Map.of("LC_ALL", "C", "TZ", "UTC");
    }

    private static synchronized Path home(PostgresVersion version) {
        return HOMES.computeIfAbsent(version, PostgresBinaries::unpack);
    }

    private static Path unpack(PostgresVersion version) {
        try {
            String hash;
            try (InputStream stream = open(version)) {
                var digest = new DigestInputStream(stream, MessageDigest.getInstance("SHA-256"));
                digest.transferTo(java.io.OutputStream.nullOutputStream());
                hash = HexFormat.of().formatHex(digest.getMessageDigest().digest(), 0, 8);
            }
            Path parent = Path.of(System.getProperty("java.io.tmpdir"),
                    "sluice-postgres-" + System.getProperty("user.name"));
            Path unpacked = parent.resolve(hash);
            if (Files.exists(unpacked)) {
                return unpacked;
            }
            Files.createDirectories(parent);
            // Several JVMs may do this at once: each in a folder of its own, and the first to finish wins.
            Path own = Files.createTempDirectory(parent, hash);
            try (var tar = new TarArchiveInputStream(
                    new XZCompressorInputStream(new BufferedInputStream(open(version))))) {
                extract(tar, own);
            }
            try {
                Files.move(own, unpacked, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                throw e;
            } catch (IOException e) {
                if (!Files.exists(unpacked)) {
                    throw e;
                }
                Servers.deleteRecursively(own);
            }
            return unpacked;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot unpack PostgreSQL", e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static void extract(TarArchiveInputStream tar, Path target) throws IOException {
        Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rwxr-xr-x"));
        TarArchiveEntry entry;
        while ((entry = tar.getNextEntry()) != null) {
            Path path = target.resolve(entry.getName()).normalize();
            if (!path.startsWith(target)) {
                throw new IOException("the archive has an entry outside of itself: " + entry.getName());
            }
            if (entry.isDirectory()) {
                Files.createDirectories(path);
                continue;
            }
            Files.createDirectories(path.getParent());
            if (entry.isSymbolicLink()) {
                Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
            } else if (entry.isLink()) {
                Files.createLink(path, target.resolve(entry.getLinkName()).normalize());
            } else {
                Files.copy(tar, path);
                if ((entry.getMode() & 0100) != 0) {
                    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
                }
            }
        }
    }

    private static InputStream open(PostgresVersion version) throws IOException {
        String archive = "/" + archiveName();
        if (version == PostgresVersion.OLDEST) {
            Path jar = Repository.built("functions/shared/testing/target/postgres-" + version.major() + "/postgres.jar",
                    "functions/shared/testing");
            return URI.create("jar:" + jar.toUri() + "!" + archive).toURL().openStream();
        }
        InputStream stream = PostgresBinaries.class.getResourceAsStream(archive);
        if (stream == null) {
            throw new ServerException("PostgreSQL for this system is not on the class path (" + archive
                    + "): add the artifact of io.zonky.test.postgres that has it to functions/shared/testing/pom.xml");
        }
        return stream;
    }

    private static String archiveName() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("mac") ? "darwin" : "linux";
        String arch = switch (System.getProperty("os.arch")) {
            case "amd64", "x86_64" -> "x86_64";
            case "aarch64", "arm64" -> "arm_64";
            default -> System.getProperty("os.arch");
        };
        return "postgres-" + os + "-" + arch + ".txz";
    }
}
