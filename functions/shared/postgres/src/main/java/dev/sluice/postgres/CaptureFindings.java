package dev.sluice.postgres;

import dev.sluice.domain.Fault;
import dev.sluice.domain.TableName;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * What was found when tables were compared with what their capture rests on (R20).
 *
 * @param broken changes were or will be missed
 * @param redefined the definition is another one than was last followed
 * @param touched the definition is the same, but the table was altered or got new storage since the state that the
 *     caller knows of it: what is kept of it may be outdated. With the state that it is in now
 * @param otherNames what tables are called now that were captured under another name, and are captured still
 */
public record CaptureFindings(
        Map<TableName, Fault> broken,
        Set<TableName> redefined,
        Map<TableName, String> touched,
        Set<TableName> otherNames) {

    static final CaptureFindings NONE = new CaptureFindings(Map.of(), Set.of(), Map.of(), Set.of());

    /** Together with tables that something else broke. */
    public CaptureFindings with(Map<TableName, Fault> others) {
        Map<TableName, Fault> all = new HashMap<>(others);
        all.putAll(broken);
        return new CaptureFindings(all, redefined, touched, otherNames);
    }

    public CaptureFindings {
        broken = Map.copyOf(broken);
        redefined = Set.copyOf(redefined);
        touched = Map.copyOf(touched);
        otherNames = Set.copyOf(otherNames);
    }
}
