package dev.sluice.postgres;

/** What {@link DefinitionQuery} asks the catalogs of any supported server. */
final class DefinitionSql {

    /**
     * One row a column in the order of the table; one row with a NULL name for a table without columns; none for a
     * table that is not there. Its two parameters are schema and name, each used once and in this order.
     *
     * <p>What not every supported server has as a column (providers and locales of collations) is read by way of JSON.
     * The first row also has the replica identity, and the indexes as JSON.
     */
    private static final String TEXT = """
            WITH t AS (
              SELECT c.oid, c.relreplident, c.relkind = 'p' AS is_partitioned
                FROM pg_catalog.pg_class c
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1::text::name AND c.relname = $2::text::name
                 AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
            ), server AS (
              SELECT pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
                     coalesce(j ->> 'datlocprovider', 'c') AS provider,
                     d.datcollate::text AS libc_locale,
                     d.datctype::text AS libc_ctype,
                     coalesce(j ->> 'datlocale', j ->> 'daticulocale', '') AS locale,
                     coalesce(j ->> 'daticurules', '') AS rules,
                     %s AS version
                FROM pg_catalog.pg_database d, pg_catalog.to_jsonb(d) j
               WHERE d.datname = pg_catalog.current_database()
            )
            SELECT t.oid::bigint,
                   a.attname::text,
                   pg_catalog.format_type(a.atttypid, a.atttypmod),
                   a.attnotnull,
                   a.attidentity::text,
                   a.attgenerated::text,
                   pg_catalog.pg_get_expr(d.adbin, d.adrelid),
                   CASE WHEN a.attcollation <> ty.typcollation
                        THEN pg_catalog.format('%%I.%%I', cn.nspname, co.collname) END,
                   pg_catalog.concat_ws('/', a.xmin::text, a.atttypid::text, a.attnum::text),
                   a.atttypid::bigint,
                   coalesce(code.point, false),
                   CASE WHEN parts.base_type IN (25, 1043) THEN 'text'
                        ELSE pg_catalog.format_type(parts.base_type, NULL) END,
                   co.oid IS NOT NULL,
                   coalesce(co.collisdeterministic, true),
                   (CASE WHEN code.point THEN 'code point'
                        WHEN co.collprovider = 'd' THEN CASE server.provider
                          WHEN 'c' THEN 'libc ' || server.libc_locale || ' ' || server.libc_ctype || ' ' || server.version
                          WHEN 'i' THEN 'icu ' || server.locale || ' ' || server.rules || ' ' || server.version
                          WHEN 'b' THEN 'builtin ' || server.locale || ' ' || server.version END
                        WHEN co.collprovider = 'c' THEN
                          'libc ' || co.collcollate || ' ' || co.collctype || ' '
                            || pg_catalog.pg_collation_actual_version(co.oid)
                        WHEN co.collprovider = 'i' THEN
                          'icu ' || coalesce(cj ->> 'colllocale', cj ->> 'colliculocale', co.collcollate) || ' '
                            || coalesce(cj ->> 'collicurules', '') || ' '
                            || pg_catalog.pg_collation_actual_version(co.oid)
                        WHEN co.collprovider = 'b' THEN
                          'builtin ' || (cj ->> 'colllocale') || ' ' || pg_catalog.pg_collation_actual_version(co.oid)
                   END) || CASE WHEN server.encoding = 'UTF8' THEN '' ELSE ' in ' || server.encoding END,
                   -- citext folds letters, and jsonb compares, by the database's own collation.
                   coalesce(parts.labels, '') || CASE WHEN parts.by_default THEN
                     ' ' || server.encoding || ' ' || server.provider || ' ' || server.libc_locale || ' ' || server.libc_ctype || ' '
                       || server.locale || ' ' || server.rules || ' '
                       || CASE WHEN server.provider = 'c' AND server.libc_locale IN ('C', 'POSIX')
                                 AND server.libc_ctype IN ('C', 'POSIX') THEN '' ELSE server.version END
                     ELSE '' END,
                   parts.collates_inside,
                   CASE WHEN pg_catalog.row_number() OVER (ORDER BY a.attnum) = 1 THEN t.relreplident::text END,
                   CASE WHEN pg_catalog.row_number() OVER (ORDER BY a.attnum) = 1 THEN (
                     SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                              'name', ic.relname, 'primary', i.indisprimary, 'identity', i.indisreplident,
                              'unique', i.indisunique, 'immediate', i.indimmediate,
                              'walkable', am.amname = 'btree' AND cols.plain
                                AND (cols.ascending OR cols.descending),
                              'columns', cols.list) ORDER BY ic.relname COLLATE pg_catalog."C"), '[]')::text
                       FROM pg_catalog.pg_index i
                       JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
                       JOIN pg_catalog.pg_am am ON am.oid = ic.relam
                       CROSS JOIN LATERAL (
                         SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                                  'name', ia.attname, 'own', i.indcollation[u.place - 1] = ia.attcollation,
                                  'code', i.indcollation[u.place - 1] = 950,
                                  'unranged', am.amname = 'btree' AND oc.opcdefault AND NOT op.ranges) ORDER BY u.place) AS list,
                                bool_and(oc.opcdefault AND op.ranges) AS plain,
                                bool_and(i.indoption[u.place - 1] = 0) AS ascending,
                                bool_and(i.indoption[u.place - 1] = 3) AS descending
                           FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS u (attnum, place)
                           JOIN pg_catalog.pg_attribute ia ON ia.attrelid = i.indrelid AND ia.attnum = u.attnum
                           LEFT JOIN pg_catalog.pg_opclass oc ON oc.oid = i.indclass[u.place - 1]
                           -- hstore is ordered by operators of other names than those that ranges are written with.
                           CROSS JOIN LATERAL (SELECT EXISTS (
                             SELECT FROM pg_catalog.pg_amop f
                               JOIN pg_catalog.pg_operator o ON o.oid = f.amopopr
                              WHERE f.amopfamily = oc.opcfamily AND f.amopstrategy = 2 AND o.oprname = '<=') AS ranges) op
                          WHERE u.place <= i.indnkeyatts) cols
                      WHERE i.indrelid = t.oid AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
                        AND cols.list IS NOT NULL) END,
                   t.is_partitioned,
                   server.encoding = 'UTF8'
              FROM t
              CROSS JOIN server
              LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
              LEFT JOIN pg_catalog.pg_type ty ON ty.oid = a.atttypid
              LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
              LEFT JOIN LATERAL pg_catalog.to_jsonb(co) cj ON true
              LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
              LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
              LEFT JOIN LATERAL (SELECT server.encoding = 'UTF8' AND co.collisdeterministic AND CASE
                     WHEN co.oid IS NULL THEN false
                     WHEN co.collprovider = 'd' AND server.provider = 'b' THEN server.locale <> ''
                     WHEN co.collprovider = 'd' AND server.provider = 'c' THEN
                       CASE WHEN server.libc_locale IN ('C', 'POSIX') THEN true
                            WHEN server.libc_locale IN ('C.UTF-8', 'C.utf8') THEN
                              -- Older C libraries have a locale of this name with another order: see for ourselves.
                              (SELECT bool_and(pg_catalog.chr(p) < pg_catalog.chr(p + 61))
                                 FROM pg_catalog.generate_series(1, 1114050, 61) p
                                WHERE p NOT BETWEEN 55000 AND 57400)
                            ELSE false END
                     WHEN co.collprovider = 'b' THEN true
                     WHEN co.collprovider = 'c' THEN co.collcollate IN ('C', 'POSIX')
                     ELSE false
                   END AS point) code ON true
              LEFT JOIN LATERAL (
                WITH RECURSIVE part (type, depth) AS (
                  SELECT a.atttypid, 0 WHERE a.attnum IS NOT NULL
                  UNION
                  SELECT inner_type.oid, inner_type.depth
                    FROM part
                    JOIN pg_catalog.pg_type p ON p.oid = part.type
                    CROSS JOIN LATERAL (
                      SELECT p.typbasetype, part.depth WHERE p.typtype = 'd'
                      UNION ALL
                      SELECT p.typelem, 1 WHERE p.typcategory = 'A'
                      UNION ALL
                      SELECT r.rngsubtype, 1 FROM pg_catalog.pg_range r WHERE p.oid IN (r.rngtypid, r.rngmultitypid)
                      UNION ALL
                      SELECT f.atttypid, 1 FROM pg_catalog.pg_attribute f
                       WHERE p.typtype = 'c' AND f.attrelid = p.typrelid AND f.attnum > 0 AND NOT f.attisdropped
                    ) inner_type (oid, depth)
                )
                SELECT min(p.oid) FILTER (WHERE part.depth = 0 AND p.typtype <> 'd') AS base_type,
                       pg_catalog.string_agg((SELECT pg_catalog.string_agg(pg_catalog.quote_ident(e.enumlabel), ','
                                                ORDER BY e.enumsortorder)
                                                FROM pg_catalog.pg_enum e WHERE e.enumtypid = p.oid),
                         ' ' ORDER BY p.typname COLLATE pg_catalog."C") AS labels,
                       bool_or(p.typname IN ('citext', 'jsonb')) AS by_default,
                       bool_or(
                         EXISTS (SELECT FROM pg_catalog.pg_range r
                                  WHERE p.oid IN (r.rngtypid, r.rngmultitypid) AND r.rngcollation NOT IN (0, 950))
                         OR EXISTS (SELECT FROM pg_catalog.pg_attribute f
                                     WHERE p.typtype = 'c' AND f.attrelid = p.typrelid AND f.attnum > 0
                                       AND NOT f.attisdropped AND f.attcollation NOT IN (0, 950))) AS collates_inside
                  FROM part JOIN pg_catalog.pg_type p ON p.oid = part.type
              ) parts ON true
             ORDER BY a.attnum
            """;

    /** Before 15 the default collation is the C library's, whose version every locale of it has. */
    private static final String VERSION = "pg_catalog.pg_database_collation_actual_version(d.oid)";
    private static final String VERSION_14 =
            "(SELECT max(pg_catalog.pg_collation_actual_version(x.oid)) FROM pg_catalog.pg_collation x "
                    + "WHERE x.collprovider = 'c')";

    private DefinitionSql() {}

    /** @param serverVersion the major one, 14 or later */
    static String of(int serverVersion) {
        return TEXT.formatted(serverVersion >= 15 ? VERSION : VERSION_14);
    }
}
