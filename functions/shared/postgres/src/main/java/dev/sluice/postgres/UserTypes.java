package dev.sluice.postgres;

import dev.sluice.domain.TableName;
import dev.sluice.postgres.UserType.Attribute;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.SqlConnection;
import io.vertx.mutiny.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** Reads what types are made of, down to those that every PostgreSQL has. Runs on PostgreSQL 14 and later. */
final class UserTypes {

    static final String MADE_BY_SLUICE = "made by Sluice";

    /**
     * Through arrays, domains, attributes, ranges and multiranges. A type stands as often as types that were asked for
     * lead to it, and after whatever it is made of.
     */
    private static final String SQL = """
            WITH RECURSIVE used (root, oid, depth) AS (
              SELECT name, to_regtype(name)::oid, 0 FROM unnest($1::text[]) name WHERE to_regtype(name) IS NOT NULL
              UNION
              SELECT used.root, part.oid, used.depth + 1
                FROM used
                JOIN pg_type t ON t.oid = used.oid
               CROSS JOIN LATERAL (
                 SELECT t.typbasetype
                 UNION ALL SELECT t.typelem
                 UNION ALL SELECT a.atttypid FROM pg_attribute a
                            WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
                 UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE r.rngtypid = t.oid
                 UNION ALL SELECT r.rngtypid FROM pg_range r WHERE r.rngmultitypid = t.oid
               ) part (oid)
               WHERE part.oid <> 0
            )
            SELECT used.root, n.nspname::text, format('%I.%I', n.nspname, t.typname), t.typtype::text,
                   (SELECT format('%I', x.extname) FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
                     WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
                       AND d.refclassid = 'pg_extension'::regclass),
                   coalesce(obj_description(t.oid, 'pg_type') = $2, false),
                   array(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder),
                   format_type(nullif(t.typbasetype, 0), t.typtypmod), t.typnotnull,
                   CASE WHEN t.typcollation <> base.typcollation
                        THEN (SELECT format('%I.%I', cn.nspname, co.collname) FROM pg_collation co
                              JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = t.typcollation) END,
                   array(SELECT format('CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)) FROM pg_constraint k
                          WHERE k.contypid = t.oid AND k.contype = 'c' AND k.convalidated ORDER BY k.conname),
                   coalesce(c.relkind <> 'c', false),
                   field.names, field.types, field.collations,
                   format_type(r.rngsubtype, NULL), quote_ident(ons.nspname) || '.' || quote_ident(o.opcname),
                   CASE WHEN r.rngcollation <> sub.typcollation THEN format('%I.%I', rcn.nspname, rc.collname) END,
                   CASE WHEN diff.pronamespace = 'pg_catalog'::regnamespace THEN format('pg_catalog.%I', diff.proname) END,
                   quote_ident(mn.nspname) || '.' || quote_ident(m.typname), coalesce(r.rngcanonical <> 0, false)
              FROM (SELECT root, oid, max(depth) AS depth FROM used GROUP BY root, oid) used
              JOIN pg_type t ON t.oid = used.oid
              JOIN pg_namespace n ON n.oid = t.typnamespace
              LEFT JOIN pg_type base ON base.oid = t.typbasetype
              LEFT JOIN pg_class c ON c.oid = t.typrelid
              CROSS JOIN LATERAL (
                SELECT array_agg(format('%I', a.attname) ORDER BY a.attnum) AS names,
                       array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) AS types,
                       array_agg(CASE WHEN a.attcollation <> at.typcollation
                                      THEN format('%I.%I', acn.nspname, ac.collname) END ORDER BY a.attnum) AS collations
                  FROM pg_attribute a
                  JOIN pg_type at ON at.oid = a.atttypid
                  LEFT JOIN pg_collation ac ON ac.oid = a.attcollation
                  LEFT JOIN pg_namespace acn ON acn.oid = ac.collnamespace
                 WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) field
              LEFT JOIN pg_range r ON r.rngtypid = t.oid
              LEFT JOIN pg_type sub ON sub.oid = r.rngsubtype
              LEFT JOIN pg_opclass o ON o.oid = r.rngsubopc
              LEFT JOIN pg_namespace ons ON ons.oid = o.opcnamespace
              LEFT JOIN pg_collation rc ON rc.oid = r.rngcollation
              LEFT JOIN pg_namespace rcn ON rcn.oid = rc.collnamespace
              LEFT JOIN pg_proc diff ON diff.oid = r.rngsubdiff
              LEFT JOIN pg_type m ON m.oid = r.rngmultitypid
              LEFT JOIN pg_namespace mn ON mn.oid = m.typnamespace
             WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
               AND t.typtype IN ('b', 'c', 'd', 'e', 'r')
               AND NOT EXISTS (SELECT FROM pg_type element WHERE element.typarray = t.oid)
             ORDER BY used.depth DESC, 3, used.root""";

    private UserTypes() {}

    /**
     * @param root the type, of those that were asked for, that leads to it
     * @param schema where it stands, unquoted
     * @param madeBySluice whether its comment says so
     */
    record Used(String root, String schema, UserType type, boolean madeBySluice) {
        boolean isRoot() {
            return root.equals(type.name());
        }
    }

    /**
     * @param names as {@code format_type} writes them; one that the server does not know is left out
     * @return types come after those that they are made of
     */
    static Uni<List<Used>> read(SqlConnection connection, Collection<String> names) {
        return connection
                .preparedQuery(SQL)
                .execute(Tuple.of(names.stream().distinct().toArray(String[]::new), MADE_BY_SLUICE))
                .map(rows -> {
                    List<Used> types = new ArrayList<>();
                    for (Row row : rows) {
                        types.add(new Used(row.getString(0), row.getString(1), type(row), row.getBoolean(5)));
                    }
                    return types;
                });
    }

    private static UserType type(Row row) {
        String name = row.getString(2);
        String extension = row.getString(4);
        if (extension != null) {
            return new UserType.Extended(name, extension, TableName.quote(row.getString(1)));
        }
        return switch (row.getString(3)) {
            case "e" -> new UserType.Enumeration(name, Arrays.asList(row.getArrayOfStrings(6)));
            case "d" -> new UserType.Domain(
                    name,
                    row.getString(7),
                    Optional.ofNullable(row.getString(9)),
                    row.getBoolean(8),
                    Arrays.asList(row.getArrayOfStrings(10)));
            case "c" -> new UserType.Composite(name, attributes(row), row.getBoolean(11));
            case "r" -> new UserType.Range(
                    name,
                    row.getString(15),
                    row.getString(16),
                    Optional.ofNullable(row.getString(17)),
                    Optional.ofNullable(row.getString(18)),
                    row.getString(19),
                    row.getBoolean(20));
            default -> new UserType.Base(name);
        };
    }

    private static List<Attribute> attributes(Row row) {
        List<Attribute> attributes = new ArrayList<>();
        String[] names = row.getArrayOfStrings(12);
        if (names != null) {
            String[] types = row.getArrayOfStrings(13);
            String[] collations = row.getArrayOfStrings(14);
            for (int i = 0; i < names.length; i++) {
                attributes.add(new Attribute(names[i], types[i], Optional.ofNullable(collations[i])));
            }
        }
        return attributes;
    }
}
