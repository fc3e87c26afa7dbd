package dev.sluice.testing;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** Copies the data folder of a running PostgreSQL between the start and the stop of a backup. */
final class DataFolderCopy extends SimpleFileVisitor<Path> {

    /** What belongs to the running server, or comes over the replication connection. */
    private static final Set<String> EMPTIED =
            Set.of("pg_wal", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots", "pg_stat_tmp",
                    "pg_subtrans", "pgsql_tmp");
    private static final Set<String> LEFT_OUT = Set.of("postmaster.pid", "postmaster.opts");

    private final Path from;
    private final Path to;

    private DataFolderCopy(Path from, Path to) {
        this.from = from;
        this.to = to;
    }

    /** @param to must not exist; its parent must */
    static void copy(Path from, Path to) throws IOException {
        Files.walkFileTree(from, new DataFolderCopy(from, to));
        Files.createDirectories(to.resolve("pg_wal/archive_status"));
        // PostgreSQL starts in no folder that others may read.
        Files.setPosixFilePermissions(to, PosixFilePermissions.fromString("rwx------"));
    }

    @Override
    public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) throws IOException {
        Files.createDirectory(to.resolve(from.relativize(folder)));
        return EMPTIED.contains(folder.getFileName().toString())
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
        if (!LEFT_OUT.contains(file.getFileName().toString())) {
            try {
                Files.copy(file, to.resolve(from.relativize(file)));
            } catch (NoSuchFileException e) {
                return visitFileFailed(file, e);
            }
        }
        return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
        if (failure instanceof NoSuchFileException) {
            // Dropped meanwhile: the WAL since the start of the backup says so.
            return FileVisitResult.CONTINUE;
        }
        throw failure;
    }
}
