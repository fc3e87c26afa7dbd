package dev.sluice.postgres;

import dev.sluice.domain.Verification.Difference;
import dev.sluice.domain.Verification.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The keys of one part that looked different, over several looks. Pure.
 *
 * <p>One look reads the source, waits until the destination has applied all of that, and reads the destination. It
 * settles a key that is equal. A key that differs counts only when the look after it shows the same difference, between
 * rows that nobody has written meanwhile at either side: then the destination has had all the changes there are of it,
 * and still is not what the source has. Whatever was written meanwhile is looked at again.
 */
final class Settling {

    /**
     * A row as it was read.
     *
     * @param version the same exactly as long as the row is not written
     */
    record Seen(String value, String version) {}

    private record Look(Optional<Seen> source, Optional<Seen> destination) {

        boolean differs() {
            return !source.map(Seen::value).equals(destination.map(Seen::value));
        }

        Kind kind() {
            return destination.isEmpty()
                    ? Kind.MISSING_AT_DESTINATION
                    : source.isEmpty() ? Kind.MISSING_AT_SOURCE : Kind.DIFFERENT;
        }
    }

    private Map<List<String>, Look> open = new HashMap<>();
    private boolean looked;

    /**
     * One more look.
     *
     * @param counts whether every transaction that the look before may have seen at the destination had ended when the
     *     source was read for this one: without that, the source may not show yet what the destination has already
     * @return the keys that are certain to differ; they are not looked at any more
     */
    List<Difference> look(Map<List<String>, Seen> source, Map<List<String>, Seen> destination, boolean counts) {
        List<Difference> certain = new ArrayList<>();
        Map<List<String>, Look> still = new HashMap<>();
        for (List<String> key : candidates(source, destination)) {
            var now = new Look(Optional.ofNullable(source.get(key)), Optional.ofNullable(destination.get(key)));
            if (!now.differs()) {
                continue;
            }
            if (counts && now.equals(open.get(key))) {
                certain.add(new Difference(key, now.kind()));
            } else {
                still.put(key, now);
            }
        }
        open = still;
        looked = true;
        return certain;
    }

    /** What was equal once, is settled: later changes of it are the stream's business. */
    private Collection<List<String>> candidates(Map<List<String>, Seen> source, Map<List<String>, Seen> destination) {
        if (looked) {
            return open.keySet();
        }
        Set<List<String>> all = new LinkedHashSet<>(source.keySet());
        all.addAll(destination.keySet());
        return all;
    }

    /** Keys of which nothing is certain yet. */
    int unsettled() {
        return open.size();
    }
}
