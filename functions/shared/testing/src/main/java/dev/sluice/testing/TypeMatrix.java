package dev.sluice.testing;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Every type that a column may have, with the values at its edges: what the tests of capture and those of the whole of
 * Sluice carry, and what the page of types shows. Written once, here.
 */
public final class TypeMatrix {

    /** Where the types that are no built-in ones stand. A name that needs quotes, as some have. */
    public static final String SCHEMA = "Odd Schema";

    /** With types of their own, in the order in which they can be created. */
    public static final List<String> EXTENSIONS = List.of(
            "citext", "hstore", "ltree", "cube", "earthdistance", "seg", "isn", "intarray", "lo", "tablefunc",
            "dblink");

    private static final String SINCE_16 = "refused at either side before version 16, also inside of other types";
    private static final String OWN = "\"" + SCHEMA + "\".";

    private TypeMatrix() {}

    /**
     * One type and its values.
     *
     * @param type as it stands in {@code CREATE TABLE}
     * @param group types that share a table
     * @param values as literals without their quotes
     * @param remark what one should know of it, for the page; empty if nothing
     */
    public record Entry(String type, String group, List<String> values, String remark) {

        public Entry {
            values = List.copyOf(values);
        }

        /** The type's arrays: empty, with NULL, with every value, of several dimensions, with bounds other than 1. */
        public Entry array() {
            String delimiter = type.equals("box") ? ";" : ",";
            List<String> quoted = values.stream().map(TypeMatrix::element).toList();
            String first = quoted.get(0);
            String last = quoted.get(quoted.size() - 1);
            String pair = "{" + first + delimiter + last + "}";
            return new Entry(
                    type + "[]",
                    group,
                    List.of(
                            "{}",
                            "{NULL}",
                            "{" + String.join(delimiter, quoted) + delimiter + "NULL}",
                            "{" + pair + delimiter + "{NULL" + delimiter + first + "}}",
                            "{{{" + first + "}" + delimiter + "{NULL}}" + delimiter + "{{" + last + "}" + delimiter + "{"
                                    + first + "}}}",
                            "[2:3]=" + pair,
                            "[0:0][-1:0]={" + pair + "}"),
                    remark);
        }
    }

    /** What makes the schema, the extensions and the types of its own, as statements to run in this order. */
    public static List<String> setup() {
        List<String> statements = new ArrayList<>(extensions());
        statements.addAll(List.of(
                "CREATE TYPE " + OWN + "\"Mood\" AS ENUM ('so so', 'it''s \"fine\"', 'ünïcödé 🐘', '" + "l".repeat(63) + "')",
                "CREATE DOMAIN " + OWN + "positive AS numeric CHECK (VALUE > 0)",
                "CREATE DOMAIN " + OWN + "small AS " + OWN + "positive CHECK (VALUE < 1000)",
                "CREATE DOMAIN " + OWN + "ints AS int[] CHECK (array_length(VALUE, 1) < 5)",
                "CREATE TYPE " + OWN + "pair AS (a int, \"B\" text COLLATE \"C\")",
                "CREATE TYPE " + OWN + "nested AS (p " + OWN + "pair, ps " + OWN + "pair[], m " + OWN + "\"Mood\", d " + OWN
                        + "positive, n numeric(5,2))",
                "CREATE TYPE " + OWN + "bytes AS (c \"char\", cs \"char\"[])",
                "CREATE DOMAIN " + OWN + "whole_pair AS " + OWN + "pair CHECK (VALUE IS NULL OR (VALUE).a IS NOT NULL)",
                "CREATE TYPE " + OWN + "floats AS RANGE (subtype = float8, subtype_diff = float8mi)",
                "CREATE TYPE " + OWN + "texts AS RANGE (subtype = text, collation = \"C\", multirange_type_name = "
                        + OWN + "\"Texts many\")"));
        return statements;
    }

    /** The part of {@link #setup} that nobody makes at the destination but its owner. */
    public static List<String> extensions() {
        List<String> statements = new ArrayList<>();
        statements.add("CREATE SCHEMA \"" + SCHEMA + "\"");
        EXTENSIONS.forEach(name -> statements.add("CREATE EXTENSION " + name + " SCHEMA \"" + SCHEMA + "\""));
        return statements;
    }

    /** Every type that the version has, without arrays of them, with the values that this version knows. */
    public static List<Entry> scalars(PostgresVersion version) {
        List<Entry> entries = new ArrayList<>();
        numbers(version, entries);
        texts(version, entries);
        times(version, entries);
        bits(entries);
        documents(entries);
        shapes(entries);
        ranges(entries);
        identifiers(entries);
        own(version, entries);
        extensionTypes(entries);
        return entries;
    }

    /** As {@link #scalars}, each followed by its arrays. */
    public static List<Entry> entries(PostgresVersion version) {
        return scalars(version).stream()
                .flatMap(entry -> List.of(entry, entry.array()).stream())
                .toList();
    }

    /** One table a group, with a column for each of its types and their arrays. */
    public static List<MatrixTable> tables(PostgresVersion version) {
        Map<String, List<Entry>> groups = entries(version).stream()
                .collect(Collectors.groupingBy(Entry::group, LinkedHashMap::new, Collectors.toList()));
        return groups.entrySet().stream()
                .map(group -> new MatrixTable(SCHEMA, group.getKey(), group.getValue()))
                .toList();
    }

    private static void numbers(PostgresVersion version, List<Entry> all) {
        String group = "numbers";
        all.add(entry(group, "boolean", "true", "false"));
        all.add(entry(group, "smallint", "-32768", "0", "32767"));
        all.add(entry(group, "integer", "-2147483648", "0", "2147483647"));
        all.add(entry(group, "bigint", "-9223372036854775808", "0", "9223372036854775807"));
        all.add(entry(group, "real", "NaN", "Infinity", "-Infinity", "1e-45", "-1.4e-45", "3.4028235e38", "-0", "0.1",
                "16777217"));
        all.add(entry(group, "double precision", "NaN", "Infinity", "-Infinity", "5e-324", "2.2250738585072011e-308",
                "1.7976931348623157e308", "-0", "0.30000000000000004", "9007199254740993"));
        all.add(entry(group, "numeric", "NaN", "Infinity", "-Infinity", "0", "0.000", "-1.50", "1e-300",
                "1" + "234567890".repeat(100) + "." + "987654321".repeat(100), "-" + "9".repeat(1000), "1e131071",
                "0." + "0".repeat(16382) + "1"));
        all.add(entry(group, "numeric(10,2)", "NaN", "1.10", "-99999999.99"));
        if (version.major() >= 15) {
            all.add(entry(group, "numeric(3,-2)", "12300", "-99900"));
        }
        all.add(entry(group, "money", "-92233720368547758.08", "92233720368547758.07", "0.01"));
    }

    private static void texts(PostgresVersion version, List<Entry> all) {
        String group = "text";
        all.add(entry(group, "text", "", " ", "null", "NULL", "\\N", "\\.", "a\tb\nc\r\\", "__debezium_unavailable_value",
                "x".repeat(20_000), "{\"json\": 1}", "' \" «» $1 %s ${x}", "\u2028\u2029\u0001\u007f\u0080\ufeff",
                everyAsciiCharacter(), everyPlane()));
        all.add(entry(group, "varchar(20)", "", "varchar ", "🐘".repeat(20)));
        all.add(entry(group, "char(5)", "", "ab", "  ab", "🐘🐘🐘🐘🐘"));
        if (version.major() >= 16) {
            all.add(new Entry("\"char\"", group, List.of("c", "", "\\", "\"", "\\200", "\\351", "\\377"), SINCE_16));
        }
        all.add(entry(group, "name", "", "a name", "n".repeat(63)));
    }

    private static String everyAsciiCharacter() {
        return IntStream.range(1, 128).mapToObj(Character::toString).collect(Collectors.joining());
    }

    /** Of each of the 17 planes the first and the last code points, those that are no characters among them. */
    private static String everyPlane() {
        return IntStream.rangeClosed(0, 16)
                .flatMap(plane -> IntStream.of(plane == 0 ? 0x1 : 0, 0x1234, 0xFFFD, 0xFFFE, 0xFFFF)
                        .map(c -> (plane << 16) + c))
                .mapToObj(Character::toString)
                .collect(Collectors.joining());
    }

    private static void times(PostgresVersion version, List<Entry> all) {
        String group = "dates and times";
        all.add(entry(group, "date", "infinity", "-infinity", "4714-11-24 BC", "4713-01-01 BC", "5874897-12-31",
                "0001-12-31 BC", "0001-01-01", "1582-10-10", "2000-02-29"));
        all.add(entry(group, "time", "00:00:00", "24:00:00", "23:59:59.999999"));
        all.add(entry(group, "time(0)", "12:34:56"));
        all.add(entry(group, "timetz", "24:00:00+15:59:59", "00:00:00-15:59", "12:00:00.000001+01:02:03"));
        all.add(entry(group, "timestamp", "infinity", "-infinity", "4714-11-24 00:00:00 BC", "294276-12-31 23:59:59.999999",
                "0001-01-01 00:00:00", "2024-03-31 02:30:00.000001"));
        all.add(entry(group, "timestamp(3)", "2024-03-31 02:30:00.123"));
        all.add(entry(group, "timestamptz", "infinity", "-infinity", "4714-11-24 00:00:00+00 BC",
                "294276-12-31 23:59:59.999999+00", "2024-10-27 02:30:00+02", "1900-01-01 00:00:00+00:53:28"));
        List<String> intervals = new ArrayList<>(List.of("0", "-178000000 years", "178000000 years",
                "1 year 2 mons -3 days 04:05:06.789", "-1 years 2 mons 3 days -04:05:06.000001", "-00:00:00.000001",
                "2147483647 days"));
        if (version.major() >= 17) {
            intervals.addAll(List.of("infinity", "-infinity"));
        }
        all.add(new Entry("interval", group, intervals, version.major() >= 17 ? "" : "±infinity from version 17 on"));
        all.add(entry(group, "interval day to second", "1 day 02:03:04", "-1 day +02:03:04.5"));
        all.add(entry(group, "interval year to month", "-1 years 2 mons"));
    }

    private static void bits(List<Entry> all) {
        String group = "bytes, bits, networks";
        all.add(entry(group, "bytea", "\\x", "\\x00ff5c27", "\\x" + IntStream.range(0, 256)
                .mapToObj("%02x"::formatted)
                .collect(Collectors.joining())));
        all.add(entry(group, "bit(3)", "101", "000"));
        all.add(entry(group, "bit varying", "", "1", "0110".repeat(40)));
        all.add(entry(group, "bit varying(9)", "", "101010101"));
        all.add(entry(group, "inet", "192.168.0.1/24", "0.0.0.0/0", "::1", "::ffff:1.2.3.4/96", "255.255.255.255"));
        all.add(entry(group, "cidr", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "::/0"));
        all.add(entry(group, "macaddr", "08:00:2b:01:02:03", "ff:ff:ff:ff:ff:ff"));
        all.add(entry(group, "macaddr8", "08:00:2b:01:02:03:04:05", "ff:ff:ff:ff:ff:ff:ff:ff"));
        all.add(entry(group, "uuid", "00000000-0000-0000-0000-000000000000", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
                "ffffffff-ffff-ffff-ffff-ffffffffffff"));
    }

    private static void documents(List<Entry> all) {
        String group = "documents";
        all.add(entry(group, "json", "null", " {\"b\":1,  \"a\":1e400,\n\t\"a\":2} ", "\"\\u0000 escaped \\ud83d\\udc18\"",
                "[1E+05, -0, 0.10]"));
        all.add(entry(group, "jsonb", "null", "{\"b\":1,\"a\":1e400, \"b\": 2}", "[1.10, \"é\", -0, 1e-300]",
                "1" + "234567890".repeat(100) + "." + "987654321".repeat(50), "\"\\\" \\\\ \\u0001 🐘\"", "{\"\": {}}",
                "1e131071"));
        all.add(entry(group, "jsonpath", "$.a[*] ? (@ > 1)", "strict $.\"b c\"", "$.datetime()"));
        all.add(new Entry("xml", group, List.of("", "text only", "<a b=\"1\">é<c/></a>",
                "<?xml version=\"1.0\" standalone=\"yes\"?><a/>",
                "<!-- c --><a><![CDATA[<&>]]></a>", "<a>\n&lt;&amp;&#13;</a>",
                "<!DOCTYPE a [<!ELEMENT a ANY><!ENTITY e \"é\">]><a>&e;</a>",
                "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" standalone=\"no\"?><a>é</a>"),
                "an encoding that it names is left out, as PostgreSQL does in its text"));
        all.add(entry(group, "tsvector", "", "'a':1A 'it''s':2,3B", "'\\\\':16383 'é'"));
        all.add(entry(group, "tsquery", "", "'fat' & !( 'cat' | 'rat':AB )", "'a' <2> 'b'", "'it''s':*A"));
    }

    private static void shapes(List<Entry> all) {
        String group = "geometry";
        all.add(entry(group, "point", "(NaN,-0)", "(1e300,Infinity)", "(0.1,5e-324)"));
        all.add(entry(group, "line", "{1,-1,0.1}", "{0,1,-0}"));
        all.add(entry(group, "lseg", "[(0,0),(1,1)]", "[(-Infinity,NaN),(0.1,1e-300)]"));
        all.add(entry(group, "box", "(1,1),(0,0)", "(Infinity,0.30000000000000004),(-Infinity,0)"));
        all.add(entry(group, "path", "[(0,0),(1,1)]", "((0,0),(1,1))", "[(NaN,0)]"));
        all.add(entry(group, "polygon", "((0,0),(1,1),(1,0))", "((0.1,-0))"));
        all.add(entry(group, "circle", "<(NaN,1),2>", "<(0.1,0),0>"));
    }

    private static void ranges(List<Entry> all) {
        String group = "ranges";
        all.add(entry(group, "int4range", "empty", "[1,10)", "(,)", "(,5)", "[-2147483648,2147483647)"));
        all.add(entry(group, "int8range", "empty", "[-9223372036854775808,9223372036854775807)", "[5,)"));
        all.add(entry(group, "numrange", "[1.10,2.200]", "(NaN,)", "[-Infinity,Infinity]", "(0,1e-300)"));
        all.add(entry(group, "daterange", "[4714-11-24 BC,5874897-12-31)", "[-infinity,infinity]", "(,)"));
        all.add(entry(group, "tsrange", "[2024-01-01 00:00:00,infinity)", "(\"0001-01-01 00:00:00 BC\",]"));
        all.add(entry(group, "tstzrange", "[\"2024-01-01 00:00:00+00\",infinity)", "empty"));
        all.add(entry(group, "int4multirange", "{}", "{(,)}", "{[1,3),[5,9)}"));
        all.add(entry(group, "int8multirange", "{}", "{[1,3),[5,9)}"));
        all.add(entry(group, "nummultirange", "{}", "{[1.10,2.200],(3,NaN)}"));
        all.add(entry(group, "datemultirange", "{(-infinity,2024-01-01),[2024-02-01,)}"));
        all.add(entry(group, "tsmultirange", "{(,2024-01-01 00:00:00.000001),[2024-02-01 00:00:00,)}"));
        all.add(entry(group, "tstzmultirange", "{[2024-01-01 00:00:00+00,infinity)}"));
    }

    private static void identifiers(List<Entry> all) {
        String group = "identifiers";
        String byName = "by name: an object of that name must be at the destination";
        all.add(entry(group, "oid", "0", "4294967295"));
        all.add(entry(group, "xid", "0", "4294967295"));
        all.add(entry(group, "xid8", "0", "18446744073709551615"));
        all.add(entry(group, "cid", "0", "4294967295"));
        all.add(entry(group, "tid", "(0,0)", "(4294967295,65535)"));
        all.add(entry(group, "pg_lsn", "0/0", "FFFFFFFF/FFFFFFFF"));
        all.add(entry(group, "pg_snapshot", "10:20:10,14", "1:1:"));
        all.add(entry(group, "txid_snapshot", "10:20:10,14"));
        all.add(entry(group, "int2vector", "", "-32768 0 32767"));
        all.add(entry(group, "oidvector", "", "0 4294967295"));
        all.add(entry(group, "refcursor", "", "a \"cursor\""));
        all.add(entry(group, "information_schema.cardinal_number", "0", "2147483647"));
        all.add(entry(group, "information_schema.character_data", "a", ""));
        all.add(entry(group, "information_schema.sql_identifier", "a name"));
        all.add(entry(group, "information_schema.time_stamp", "2024-03-31 02:30:00.12+00"));
        all.add(entry(group, "information_schema.yes_or_no", "YES", "NO"));
        all.add(new Entry("aclitem", group, List.of("=r*w/postgres", "postgres=arwdDxt/postgres"),
                "by name: the roles must be at the destination"));
        all.add(new Entry("regclass", group, List.of("pg_class", "information_schema.tables", "-", "4294967295"), byName));
        all.add(new Entry("regcollation", group, List.of("\"C\"", "-"), byName));
        all.add(new Entry("regconfig", group, List.of("english", "simple"), byName));
        all.add(new Entry("regdictionary", group, List.of("english_stem"), byName));
        all.add(new Entry("regnamespace", group, List.of("pg_catalog", "\"" + SCHEMA + "\""), byName));
        all.add(new Entry("regoper", group, List.of("||/", "0"), byName));
        all.add(new Entry("regoperator", group, List.of("+(integer,integer)", "-(none,integer)"), byName));
        all.add(new Entry("regproc", group, List.of("now", "-"), byName));
        all.add(new Entry("regprocedure", group, List.of("abs(integer)", "array_agg(anynonarray)"), byName));
        all.add(new Entry("regrole", group, List.of("postgres", "pg_monitor"), byName));
        all.add(new Entry("regtype", group, List.of("integer", "timestamp with time zone", "text[]", "-"), byName));
    }

    private static void own(PostgresVersion version, List<Entry> all) {
        String group = "own types";
        String made = "made at the destination";
        all.add(new Entry(OWN + "\"Mood\"", group, List.of("so so", "it's \"fine\"", "ünïcödé 🐘", "l".repeat(63)),
                made + "; labels that are added later, too"));
        all.add(new Entry(OWN + "positive", group, List.of("1.50", "NaN", "1e-300"), made));
        all.add(new Entry(OWN + "small", group, List.of("1.50", "999"), made));
        all.add(new Entry(OWN + "ints", group, List.of("{1,NULL}", "[0:1]={5,6}", "{{1,2}}"), made));
        all.add(new Entry(OWN + "pair", group, List.of("(1,\"a,b\")", "(,)", "(-1,\"\")", "(0,\"q\\\"\\\\ ()\")"), made));
        all.add(new Entry(OWN + "nested", group, List.of(
                "(\"(1,\"\"a,b\"\")\",\"{\"\"(1,x)\"\",NULL,\"\"(,)\"\"}\",\"so so\",1.50,1.10)", "(,,,,)"), made));
        all.add(new Entry(OWN + "whole_pair", group, List.of("(1,)"), made));
        if (version.major() >= 16) {
            all.add(new Entry(OWN + "bytes", group, List.of("(\"\\\\351\",\"{\\\\\\\\377,c}\")"),
                    made + "; holds `\"char\"`: " + SINCE_16));
        }
        all.add(new Entry(OWN + "floats", group, List.of("[0.1,0.30000000000000004]", "empty", "(NaN,)"), made));
        all.add(new Entry(OWN + "floats_multirange", group, List.of("{[0.1,0.30000000000000004],(1,)}", "{}"), made));
        all.add(new Entry(OWN + "texts", group, List.of("[a,\"b, c\")", "(\"\",)"), made));
        all.add(new Entry(OWN + "\"Texts many\"", group, List.of("{[a,b),[c,\"d \\\"\"]}"), made));
    }

    private static void extensionTypes(List<Entry> all) {
        String group = "extensions";
        extension(all, group, "citext", "citext", "MiXed", "", "É");
        extension(all, group, "hstore", "hstore", "\"a\"=>NULL, \"b\"=>\"x,y\"", "",
                "\"NULL\"=>\"NULL\", \"q\\\"\"=>\"\\\\\"");
        extension(all, group, "ltree", "ltree", "Top.Science", "", "a_1." + "l".repeat(200));
        extension(all, group, "ltree", "lquery", "Top.*{1,2}.!a|b@*%", "*");
        extension(all, group, "ltree", "ltxtquery", "Science & !(a | b@*%)");
        extension(all, group, "cube", "cube", "(1, 2, 3),(0.1, 5e-324, -0)", "(NaN)", "(1e300),(Infinity)", "()");
        extension(all, group, "earthdistance", "earth", "(6378168, 0, 0)");
        extension(all, group, "seg", "seg", "1.00 .. 2", "~1.5", "<5 .. >6", "0 ..", ".. 1e10");
        extension(all, group, "isn", "ean13", "4006381333931", "2200000135009!");
        extension(all, group, "isn", "isbn13", "978-0-393-04002-9", "978-0-393-04002-0!");
        extension(all, group, "isn", "ismn13", "979-0-2306-7118-7");
        extension(all, group, "isn", "issn13", "9771436452008");
        extension(all, group, "isn", "isbn", "0-393-04002-X", "0-393-04002-0!");
        extension(all, group, "isn", "ismn", "M-2306-7118-7");
        extension(all, group, "isn", "issn", "1436-4522");
        extension(all, group, "isn", "upc", "220356483481");
        extension(all, group, "intarray", "query_int", "1 & (2 | !3)");
        extension(all, group, "lo", "lo", "0", "4294967295");
        extension(all, group, "tablefunc", "tablefunc_crosstab_2", "(a,,\"b, c\")", "(,,)");
        extension(all, group, "tablefunc", "tablefunc_crosstab_3", "(a,\"\",\"\"\"\",d)");
        extension(all, group, "tablefunc", "tablefunc_crosstab_4", "(a,b,c,d,)");
        extension(all, group, "dblink", "dblink_pkey_results", "(-1,\"a name\")", "(2147483647,)");
    }

    private static void extension(List<Entry> all, String group, String extension, String type, String... values) {
        String remark = "the extension " + extension + " must be at the destination"
                + (type.equals("lo") ? "; the large object itself is not carried" : "");
        all.add(new Entry(OWN + type, group, List.of(values), remark));
    }

    private static Entry entry(String group, String type, String... values) {
        return new Entry(type, group, List.of(values), "");
    }

    /** A value as an element of an array's literal. */
    private static String element(String value) {
        return "\"" + value.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }
}
