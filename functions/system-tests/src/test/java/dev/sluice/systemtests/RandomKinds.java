package dev.sluice.systemtests;

import dev.sluice.testing.PostgresVersion;
import dev.sluice.testing.TypeMatrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;

/** What the columns and keys of random tables are made of. */
final class RandomKinds {

    private static final String OWN = "\"" + TypeMatrix.SCHEMA + "\".";
    /** Ignores case, so that keys may be equal and not the same. */
    static final String CARELESS = OWN + "careless";

    private RandomKinds() {}

    /**
     * A type with some values.
     *
     * @param values as SQL expressions
     * @param wider what the type can become without its rows being written anew
     */
    record Kind(String type, List<String> values, Optional<Kind> wider) {

        Kind(String type, List<String> values) {
            this(type, values, Optional.empty());
        }

        String value(Random random) {
            return values.get(random.nextInt(values.size()));
        }

        /**
         * One that may be a column's default, which regrole may not, and that has room in a row of the catalog: there
         * stands what rows have that are older than the column.
         */
        Optional<String> constant(Random random) {
            List<String> small = values.stream()
                    .filter(value -> value.length() < 500 && !value.contains("repeat") && !type.startsWith("regrole"))
                    .toList();
            return small.isEmpty() ? Optional.empty() : Optional.of(small.get(random.nextInt(small.size())));
        }

        /** Characters of a value, about. */
        int length() {
            return (int) values.stream().mapToInt(String::length).average().orElse(0);
        }
    }

    /**
     * A type whose values tell rows apart.
     *
     * @param expression SQL of a value, made from a number {@code n} of 0 to 999,999; mostly another one for another number
     * @param flip SQL of a value that is equal to that of the column {@code %s} and, mostly, another text; empty: none
     * @param isHashed whether tables can be partitioned by its hash
     */
    record KeyKind(String type, String expression, String flip, boolean isHashed) {

        /** Whether no range can be written over it: a table with such a key is copied as a whole. */
        boolean isUnranged() {
            return type.equals(OWN + "pair") || type.equals(OWN + "hstore");
        }

        private static KeyKind of(String type, String expression) {
            return new KeyKind(type, expression, "", false);
        }

        private static KeyKind hashed(String type, String expression) {
            return new KeyKind(type, expression, "", true);
        }

        private static KeyKind flipping(String type, String expression, String flip) {
            return new KeyKind(type, expression, flip, false);
        }
    }

    static final KeyKind NUMBER = KeyKind.hashed("int", "(n - 500000)::int");

    private static final String UPPER_LOWER = "CASE WHEN %1$s::text COLLATE \"C\" = upper(%1$s::text) COLLATE \"C\" "
            + "THEN lower(%1$s::text) ELSE upper(%1$s::text) END";

    static final List<KeyKind> KEYS = List.of(
            NUMBER,
            KeyKind.hashed("bigint", "(n::numeric * 18446744073709 - 9223372036854775808)::bigint"),
            KeyKind.hashed("smallint", "(n % 65536 - 32768)::smallint"),
            KeyKind.flipping(
                    "numeric", "n * 1.10 - 400000", "CASE WHEN scale(%1$s) = 2 THEN %1$s * 1.000 ELSE trim_scale(%1$s) END"),
            KeyKind.hashed("text COLLATE \"C\"", "md5(n::text)"),
            KeyKind.hashed("text", "'Ä' || chr((65 + n % 58)::int) || n"),
            KeyKind.hashed("text COLLATE \"de-x-icu\"", "chr((65 + n % 58)::int) || 'ß-' || n"),
            KeyKind.hashed("varchar(40) COLLATE \"sv-x-icu\"", "chr((97 + n % 26)::int) || 'å' || n"),
            KeyKind.flipping("text COLLATE " + CARELESS, "chr((65 + n % 58)::int) || 'ä' || n", UPPER_LOWER),
            KeyKind.flipping(OWN + "citext", "chr((65 + n % 58)::int) || 'b' || n", UPPER_LOWER),
            KeyKind.hashed("uuid", "md5(n::text)::uuid"),
            KeyKind.hashed("date", "date '1900-01-01' + (n % 200000)::int"),
            KeyKind.hashed("timestamptz", "timestamptz '1970-01-01 00:00:00+00' + n * interval '17 minutes 3 microseconds'"),
            KeyKind.of("timestamp", "timestamp '0044-03-15 BC' + n * interval '1 day 1 microsecond'"),
            KeyKind.flipping("interval", "n * interval '17 hours'", "justify_hours(%s)"),
            KeyKind.of("time", "time '00:00' + n * interval '86 milliseconds'"),
            KeyKind.of("timetz", "((time '00:00' + n * interval '86 milliseconds')::text || '+05:30')::timetz"),
            KeyKind.hashed("bytea", "decode(md5(n::text), 'hex')"),
            KeyKind.hashed("char(9)", "chr((65 + n % 26)::int) || n"),
            KeyKind.of("name", "('n' || n)::name"),
            KeyKind.of("\"char\"", "chr((33 + n % 90)::int)::\"char\""),
            KeyKind.of("boolean", "n % 2 = 0"),
            KeyKind.hashed("inet", "inet '10.0.0.0' + n"),
            KeyKind.of("cidr", "(host(inet '10.0.0.0' + n) || '/32')::cidr"),
            KeyKind.of("macaddr", "lpad(to_hex(n), 12, '0')::macaddr"),
            KeyKind.of("macaddr8", "lpad(to_hex(n), 16, '0')::macaddr8"),
            KeyKind.hashed("double precision", "(n - 500000) / 7.0::float8"),
            KeyKind.of("real", "(n - 500000)::real"),
            KeyKind.of("money", "(n::numeric / 100 - 5000)::money"),
            KeyKind.of("oid", "(n + 4293967295)::oid"),
            KeyKind.of("xid8", "n::text::xid8"),
            KeyKind.of("tid", "format('(%s,%s)', n, n % 300)::tid"),
            KeyKind.of("pg_lsn", "pg_lsn 'A/0' + n::numeric"),
            KeyKind.of("bit(20)", "n::bit(20)"),
            KeyKind.of("bit varying", "n::bit(20)::bit varying"),
            KeyKind.of("int[]", "ARRAY[n % 10, n]::int[]"),
            KeyKind.of("text[]", "ARRAY['a' || n % 13, NULL, n::text]"),
            KeyKind.of("int4range", "int4range((n % 1000)::int, (n + 1000)::int)"),
            KeyKind.of("numrange", "numrange(n / 10.0, NULL, '(]')"),
            KeyKind.of("int4multirange", "int4multirange(int4range(0, 5), int4range(10, (n + 11)::int))"),
            KeyKind.of("jsonb", "jsonb_build_object('k', n, 'of', 'x' || n % 3)"),
            KeyKind.of("tsvector", "to_tsvector('simple', 'w' || n)"),
            KeyKind.of("tsquery", "to_tsquery('simple', 'w' || n)"),
            KeyKind.of(OWN + "\"Mood\"", "(enum_range(NULL::" + OWN + "\"Mood\"))[1 + n % 4]"),
            KeyKind.of(OWN + "positive", "n + 0.5"),
            KeyKind.of(OWN + "pair", "ROW((n % 100)::int, 'a' || n)::" + OWN + "pair"),
            KeyKind.of(OWN + "ltree", "('Top.a' || n)::" + OWN + "ltree"),
            KeyKind.of(OWN + "hstore", OWN + "hstore('k', n::text)"),
            KeyKind.of(OWN + "cube", OWN + "cube(n::float8)"),
            KeyKind.of(OWN + "seg", "n::text::" + OWN + "seg"),
            KeyKind.of(OWN + "lo", "n::oid"));

    /** A condition can be over it, and a generated column can be computed from it. */
    static final Kind BASE = new Kind(
            "int", IntStream.range(-7, 50).mapToObj(n -> "(" + n + ")").toList());

    private static final Kind BIG_TEXT = new Kind("text", List.of(
            quote(noise(8_000, 1)), quote(noise(30_000, 2)), "repeat('ab🐘', 3000)", "''", "'small'", quote(noise(2_500, 3)),
            quote(noise(1_900, 4)), "'\\.'"));
    private static final Kind BIG_BYTES = new Kind("bytea", List.of(
            "convert_to('" + noise(12_000, 5) + "', 'UTF8')", "'\\x00'::bytea", "decode(repeat('00ff5c', 2000), 'hex')"));
    private static final Kind BIG_JSONB = new Kind("jsonb", List.of(
            "jsonb_build_object('k', '" + noise(20_000, 6) + "', 'a', 1.10)", "'[]'::jsonb", "'null'::jsonb"));
    private static final Kind BIG_JSON = new Kind("json", List.of(
            "('{\"k\":  \"" + noise(9_000, 7) + "\", \"k\": 1}')::json", "'[ ]'::json"));
    private static final Kind BIG_ARRAY = new Kind("text[]", List.of(
            "array_fill('" + noise(100, 8) + "'::text, ARRAY[10, 20])", "'{}'::text[]", "'[0:1]={a,NULL}'::text[]"));

    private static final List<Kind> WIDENING = List.of(
            new Kind("varchar(20)", List.of("'v'", "''", "'exactly of 20 letters'::varchar(20)"), Optional.of(
                    new Kind("varchar(300)", List.of("repeat('v', 300)", "'v'"), Optional.of(BIG_TEXT)))),
            new Kind("varchar(300) COLLATE \"de-x-icu\"", List.of("repeat('w', 300)", "'ä'"), Optional.of(
                    new Kind("text COLLATE \"de-x-icu\"", BIG_TEXT.values()))),
            new Kind("numeric(10,2)", List.of("1.10", "'NaN'::numeric", "-99999999.99"), Optional.of(
                    new Kind("numeric(30,2)", List.of("12345678901234567890.10", "'NaN'::numeric")))),
            new Kind("bit varying(9)", List.of("B'101'::bit varying", "B''::bit varying"), Optional.of(
                    new Kind("bit varying(90)", List.of("repeat('10', 45)::bit varying"), Optional.of(
                            new Kind("bit varying", List.of("repeat('10', 450)::bit varying", "B'1'::bit varying")))))));

    private static final List<Kind> BIG = List.of(BIG_TEXT, BIG_BYTES, BIG_JSONB, BIG_JSON, BIG_ARRAY);

    private static final Set<String> CHECKED_DOMAINS = Set.of(
            OWN + "positive", OWN + "small", OWN + "ints", OWN + "whole_pair", OWN + "earth",
            "information_schema.cardinal_number", "information_schema.yes_or_no");

    private static final List<Kind> MATRIX = TypeMatrix.entries(PostgresVersion.NEWEST).stream()
            .map(entry -> new Kind(
                    entry.type(),
                    entry.values().stream()
                            .map(value -> quote(value) + "::" + entry.type())
                            .toList()))
            .toList();

    /** Of all types; such with large values, and such that can get wider, more often than the others. */
    static Kind any(Random random) {
        List<Kind> from = switch (random.nextInt(8)) {
            case 0 -> WIDENING;
            case 1 -> BIG;
            default -> MATRIX;
        };
        return from.get(random.nextInt(from.size()));
    }

    /** PostgreSQL writes a table anew that gets a column of it, to check its rows. */
    static boolean isCheckedDomain(Kind kind) {
        return CHECKED_DOMAINS.contains(kind.type());
    }

    static String quote(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    /** Letters and digits that do not compress, so that they are stored out of line. */
    private static String noise(int length, long seed) {
        var random = new Random(seed);
        List<String> characters = new ArrayList<>();
        for (int i = 0; i < length; i++) {
            characters.add(Integer.toString(random.nextInt(36), 36));
        }
        return String.join("", characters);
    }
}
