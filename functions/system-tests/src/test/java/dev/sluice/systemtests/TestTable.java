package dev.sluice.systemtests;

import java.sql.SQLException;

/**
 * A table of everyday columns. Rows are spoken of by a number {@code n}, from which the key is made; each write gives a
 * row a {@code version} that is higher than any before, whatever the row.
 *
 * @param key the key's columns with their SQL in terms of a number, as they stand in the table
 */
enum TestTable {
    BY_NUMBER("public.by_number", "id bigint", "PRIMARY KEY (id)", "id", "%s"),
    /** The key's columns are in another order than the table's. */
    BY_PAIR(
            "public.by_pair",
            "ref text COLLATE \"C\", line int",
            "PRIMARY KEY (line, ref)",
            "ref, line",
            "'ref-' || (%1$s)::text, ((%1$s) %% 50)::int"),
    BY_UUID("public.by_uuid", "id uuid", "PRIMARY KEY (id)", "id", "md5((%s)::text)::uuid"),
    /** Only the databases know the order of the keys. */
    BY_WORD(
            "public.by_word",
            "id text COLLATE \"de-x-icu\"",
            "PRIMARY KEY (id)",
            "id",
            "chr((65 + (%1$s) %% 60)::int) || 'ä' || (%1$s)::text");

    private static final String VALUES =
            """
            nextval('versions'),
            CASE %1$s %% 11 WHEN 0 THEN 'NaN'::numeric WHEN 1 THEN 'Infinity' ELSE %1$s * 1.10 END,
            CASE %1$s %% 7 WHEN 0 THEN 'infinity'::timestamptz WHEN 1 THEN '-infinity' ELSE now() END,
            ARRAY[['a', NULL], ['b,"c', '{}']]::text[],
            jsonb_build_object('n', %1$s, 'text', 'é\\"' || %1$s, 'none', null),
            decode(md5((%1$s)::text), 'hex'),
            repeat(md5((%1$s)::text || 'x'), CASE WHEN %1$s %% 40 = 0 THEN 300 ELSE 2 END),
            CASE WHEN %1$s %% 3 = 0 THEN NULL ELSE 'note ' || %1$s END
            """;

    private final String tableName;
    private final String keyColumns;
    private final String primaryKey;
    private final String keyNames;
    private final String keySql;

    TestTable(String tableName, String keyColumns, String primaryKey, String keyNames, String keySql) {
        this.tableName = tableName;
        this.keyColumns = keyColumns;
        this.primaryKey = primaryKey;
        this.keyNames = keyNames;
        this.keySql = keySql;
    }

    String tableName() {
        return tableName;
    }

    /** Creates the table at the source and fills it with rows 1 to {@code rows}. */
    void create(SluiceStack stack, int rows) throws SQLException {
        String index = tableName.substring(tableName.indexOf('.') + 1) + "_n";
        stack.onSource(
                "CREATE SEQUENCE IF NOT EXISTS versions CACHE 1",
                "CREATE TABLE " + tableName + " (" + keyColumns + ", n bigint NOT NULL, version bigint NOT NULL, "
                        + "amount numeric, at timestamptz DEFAULT now(), tags text[], doc jsonb, raw bytea, big text, "
                        + "note text DEFAULT 'none', " + primaryKey + ")",
                "ALTER TABLE " + tableName + " ALTER COLUMN big SET STORAGE EXTERNAL",
                "CREATE INDEX " + index + " ON " + tableName + " (n)",
                insert("SELECT g AS n FROM generate_series(1, " + rows + ") g"),
                "ANALYZE " + tableName);
    }

    /** Inserts a row for each {@code n} that the query gives. */
    String insert(String numbers) {
        return "INSERT INTO " + tableName + " (" + keyNames
                + ", n, version, amount, at, tags, doc, raw, big, note) SELECT "
                + keySql.formatted("n") + ", n, " + VALUES.formatted("n") + " FROM (" + numbers + ") numbers";
    }

    /** Changes some columns and leaves the large one as it is. */
    String update(String where) {
        return "UPDATE " + tableName + " SET version = nextval('versions'), amount = amount + 1, "
                + "note = CASE WHEN note IS NULL THEN 'set' ELSE NULL END WHERE " + where;
    }

    String updateLarge(String where) {
        return "UPDATE " + tableName + " SET version = nextval('versions'), "
                + "big = repeat(md5(random()::text), 200) WHERE " + where;
    }

    /** Gives the row another number, and with it another key. */
    String move(String where, long to) {
        return "UPDATE " + tableName + " SET (" + keyNames + ", n, version) = (SELECT " + keySql.formatted(to + "::bigint")
                + ", " + to + ", nextval('versions')) WHERE " + where;
    }

    String delete(String where) {
        return "DELETE FROM " + tableName + " WHERE " + where;
    }
}
