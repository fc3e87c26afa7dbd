package dev.sluice.postgres;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The files that hold the rows of a table, or of its partitions: a file is another one after TRUNCATE, VACUUM FULL,
 * CLUSTER and every ALTER that writes the rows anew.
 *
 * @param files by the OID of the table or partition
 */
record Storage(Map<Long, Long> files) {

    Storage {
        files = Map.copyOf(files);
    }

    /**
     * Whether rows may have been written anew. A partition that came since is in the file that it was made with, whose
     * number is its OID. One that went is found by itself (R21), so a file that is gone need not say which it was.
     */
    boolean isRewrittenSince(Storage before) {
        Set<Long> known = Set.copyOf(before.files.values());
        return !Set.copyOf(files.values()).containsAll(known)
                || files.entrySet().stream()
                        .anyMatch(file -> !known.contains(file.getValue()) && !file.getKey().equals(file.getValue()));
    }

    String text() {
        return files.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(file -> file.getKey() + ":" + file.getValue())
                .collect(Collectors.joining(" "));
    }

    /** Also of an earlier version, which wrote the files alone: whose they are is not asked of what was before. */
    static Storage parse(String text) {
        Map<Long, Long> files = new LinkedHashMap<>();
        for (String part : text.isEmpty() ? new String[0] : text.split(" ")) {
            String file = part.substring(part.indexOf(':') + 1);
            files.put(Long.parseLong(part.contains(":") ? part.substring(0, part.indexOf(':')) : file), Long.parseLong(file));
        }
        return new Storage(files);
    }
}
