package dev.sluice.postgres;

import dev.sluice.domain.Key;
import java.util.List;

/**
 * A stretch of the key space, cut into chunks.
 *
 * @param boundaries each the inclusive upper end of one chunk, rising
 * @param complete whether the last boundary is the highest key
 */
public record Planned(List<Key> boundaries, boolean complete) {

    public Planned {
        boundaries = List.copyOf(boundaries);
    }
}
