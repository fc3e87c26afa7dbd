package dev.sluice.postgres;

import dev.sluice.domain.TableDefinition.Column;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** How rows travel from COPY to COPY: each form is exact where it is chosen. */
enum CopyFormat {
    /** Half the work for both servers, but only between columns of the very same type. */
    BINARY,
    /** PostgreSQL's own text: fits whenever the destination's type reads what the source's type writes. */
    TEXT;

    /**
     * Types whose binary form means the same at every server. Left out are those that hold OIDs of their own server
     * (regclass and its kin, enums, composites, arrays of such), those of extensions, and tsquery, whose empty value is
     * not read in the form in which it is written.
     */
    private static final Set<String> SAME_EVERYWHERE = Set.of(
            "bigint", "bit", "bit varying", "boolean", "box", "bytea", "\"char\"", "character", "character varying",
            "cidr", "circle", "date", "double precision", "inet", "integer", "interval", "json", "jsonb", "line",
            "lseg", "macaddr", "macaddr8", "money", "name", "numeric", "oid", "path", "pg_lsn", "point", "polygon",
            "real", "smallint", "text", "time with time zone", "time without time zone", "timestamp with time zone",
            "timestamp without time zone", "tsvector", "uuid", "xid", "xid8",
            "daterange", "int4range", "int8range", "numrange", "tsrange", "tstzrange");

    private static final Pattern MODIFIER = Pattern.compile("\\(\\d+(,-?\\d+)?\\)");

    static CopyFormat between(List<Column> source, Map<String, Column> destination) {
        boolean same = source.stream().allMatch(column -> {
            String type = column.type();
            return type.equals(destination.get(column.name()).type()) && SAME_EVERYWHERE.contains(withoutModifier(type));
        });
        return same ? BINARY : TEXT;
    }

    /** {@code timestamp(3) with time zone[]} is {@code timestamp with time zone} as far as its form goes. */
    private static String withoutModifier(String type) {
        String element = type.endsWith("[]") ? type.substring(0, type.length() - 2) : type;
        return MODIFIER.matcher(element).replaceFirst("");
    }

    String sql() {
        return switch (this) {
            case BINARY -> "(FORMAT binary)";
            case TEXT -> "(FORMAT text)";
        };
    }
}
