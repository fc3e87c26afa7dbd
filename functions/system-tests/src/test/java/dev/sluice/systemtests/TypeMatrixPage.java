package dev.sluice.systemtests;

import dev.sluice.testing.PostgresVersion;
import dev.sluice.testing.TypeMatrix;
import dev.sluice.testing.TypeMatrix.Entry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The page that shows the matrix. */
final class TypeMatrixPage {

    static final String WRITE_PROPERTY = "sluice.docs.write";
    static final String COMMAND = "local-dev/test -pl functions/system-tests -am -Dtest=none -Dit.test=TypeMatrixIT"
            + " -Dsurefire.failIfNoSpecifiedTests=false -Dfailsafe.failIfNoSpecifiedTests=false -D" + WRITE_PROPERTY
            + "=true";

    private TypeMatrixPage() {}

    static Path path() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("debezium-server/pom.xml"))) {
            folder = folder.getParent();
        }
        return folder.resolve("functions/docs/types.md");
    }

    static String of(Map<PostgresVersion, TypeMatrixResult> results) {
        var page = new StringBuilder("""
                # Types

                Written by `TypeMatrixIT`, which carries every value below by a backfill and by changes (insert, update
                from nothing and from another value, delete, a change of the key) and compares it as PostgreSQL's own
                text, on PostgreSQL %s; the test fails when this page shows something else. To write it again:

                ```bash
                %s
                ```

                The values are those at the edges of each type, and are written in `TypeMatrix`. For each type there are
                also arrays: empty, with NULL, with every value, of two and three dimensions, and with lower bounds
                other than 1. What stands under *exact on* are the versions on which not one value of the type or of its
                arrays differed.

                | type | values | of arrays | by backfill exact on | by change exact on | remark |
                |---|---|---|---|---|---|
                """.formatted(
                results.keySet().stream().map(version -> "" + version.major()).collect(Collectors.joining(" and ")),
                COMMAND));
        TypeMatrix.scalars(PostgresVersion.NEWEST).forEach(entry -> page.append("| `")
                .append(entry.type())
                .append("` | ")
                .append(entry.values().size())
                .append(" | ")
                .append(entry.array().values().size())
                .append(" | ")
                .append(exactOn(results, entry, true))
                .append(" | ")
                .append(exactOn(results, entry, false))
                .append(" | ")
                .append(entry.remark())
                .append(" |\n"));
        page.append("""

                ## Types of one's own

                An enumeration, a domain, a composite or a range that a column uses, through arrays and whatever else,
                is made at the destination where it is missing: in the schema and under the name that it has at the
                source, also where the table's schema is mapped to another. One that is there is compared, and refused
                with what to run where it differs. A default of a domain is left out, and so is a CHECK that is not
                validated. Labels that an enumeration gets later are added at the destination when they are first met,
                if Sluice made it; else the table is Failed, with the statement to run. A label that is renamed at the
                source has to be renamed at the destination, too: rows that have it send no change.

                A type of an extension needs the extension at the destination, in the same schema. So does a base type
                whose functions are a program of one's own; and the rows of a table are a type once that table is there.

                ## What is refused

                When the table is added, by column, with what to do:

                - types that PostgreSQL writes as text but does not read: `pg_node_tree`, `pg_ndistinct`,
                  `pg_dependencies`, `pg_mcv_list`, `pg_brin_bloom_summary`, `pg_brin_minmax_multi_summary`,
                  `gtsvector`, and those of the inside of an index that extensions bring (`gtrgm`, `ghstore`,
                  `ltree_gist`, `intbig_gkey`, `gbtreekey2` to `gbtreekey32`, `gbtreekey_var`);
                - the rows of PostgreSQL's own catalogs as a type (`pg_class`), and those of the views and tables of
                  extensions: they differ from one version to the next;
                - `"char"`, if source or destination is older than version 16: for a byte above 127, such a server
                  writes and reads what is no text. `text` or `char(1)` is what to use there;
                - any of these inside of an array, a domain, a composite or a range;
                - a database with the encoding `SQL_ASCII`, whose text means nothing in particular.

                No column can have a pseudo-type (`record`, `anyelement`, `cstring`, …). That no type is forgotten,
                `EveryTypeIT` sees to: it asks each version for all of them, with every extension that comes with it and
                can be created. Those that cannot, and bring no types, are what Perl, Python and Tcl need.

                ## How large

                A change of a row passes through Kafka as one record of JSON with at most 63 MiB of values: a text of 50
                MB, if it has not too many quotes, backslashes and line ends, which take two bytes there, control
                characters, which take six, or characters beyond the basic plane, which take twelve. `bytea` is written
                in hexadecimal, so that it counts twice. A row that is larger arrives by backfill, up to PostgreSQL's
                own gigabyte; a change of it makes its table Failed, and the others go on. (An update that leaves a
                large value alone does not carry it.)

                With `REPLICA IDENTITY FULL` a change has the row as it was, too, and both count. If they do not fit
                together, a table with a key goes on without the old row's large values; one without a key is Failed,
                since nothing else says which row it is: an update of a row with a text of 50 MB, also one that leaves the
                text alone, since it is in the row as it was and in the new one. Such rows can be inserted and deleted.

                Debezium Server has to hold a large row a few times over: give it a heap of 768 MiB or more, and the
                functions 512 MiB or more.
                """);
        return page.toString();
    }

    private static String exactOn(Map<PostgresVersion, TypeMatrixResult> results, Entry entry, boolean byBackfill) {
        String versions = Stream.of(PostgresVersion.values())
                .filter(version -> results.get(version).has(entry) && !results.get(version).isRed(entry, byBackfill))
                .map(version -> "" + version.major())
                .collect(Collectors.joining(", "));
        return versions.isEmpty() ? "**none**" : versions;
    }
}
