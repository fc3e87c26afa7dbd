package dev.sluice.postgres;

import dev.sluice.domain.TableName;
import java.util.List;

/**
 * Which tables a request names.
 *
 * @param tables by the order of the request, then by name; each once
 * @param unknown entries that name no table of the source; a malformed one with what is wrong with it
 */
public record Matched(List<TableName> tables, List<String> unknown) {

    public Matched {
        tables = List.copyOf(tables);
        unknown = List.copyOf(unknown);
    }
}
