package dev.sluice.postgres;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A type that PostgreSQL does not bring: what it takes to make it anew, and to see whether another one is the same.
 * Names are qualified and quoted, types as {@code format_type} writes them with {@code search_path=pg_catalog}.
 */
sealed interface UserType {

    String name();

    /** @param labels in their order */
    record Enumeration(String name, List<String> labels) implements UserType {
        public Enumeration {
            labels = List.copyOf(labels);
        }

        List<String> missing(Enumeration there) {
            return labels.stream().filter(label -> !there.labels.contains(label)).toList();
        }

        boolean isInOrderOf(Enumeration there) {
            List<String> common = labels.stream().filter(there.labels::contains).toList();
            return there.labels.stream().filter(labels::contains).toList().equals(common);
        }

        /** What gives another one, in the same order, the labels that only this one has, each where it belongs. */
        List<String> additions(Enumeration there) {
            List<String> statements = new ArrayList<>();
            Optional<String> before = Optional.empty();
            for (String label : labels) {
                if (!there.labels.contains(label)) {
                    String place = before.map(previous -> " AFTER " + literal(previous))
                            .or(() -> there.labels.stream().findFirst().map(first -> " BEFORE " + literal(first)))
                            .orElse("");
                    statements.add("ALTER TYPE " + name + " ADD VALUE IF NOT EXISTS " + literal(label) + place);
                }
                before = Optional.of(label);
            }
            return statements;
        }
    }

    /**
     * @param base the type that it is made over, with modifier
     * @param collation empty for that of the base
     * @param checks those that hold for every value, in the form of {@code CREATE DOMAIN}
     */
    record Domain(String name, String base, Optional<String> collation, boolean notNull, List<String> checks)
            implements UserType {
        public Domain {
            checks = List.copyOf(checks);
        }
    }

    /** @param ofTable whether it is the type of a table's rows, which is made by making the table */
    record Composite(String name, List<Attribute> attributes, boolean ofTable) implements UserType {
        public Composite {
            attributes = List.copyOf(attributes);
        }

        private String list() {
            return attributes.stream()
                    .map(attribute -> attribute.name() + " " + attribute.type()
                            + attribute.collation().map(collation -> " COLLATE " + collation).orElse(""))
                    .collect(Collectors.joining(", ", "(", ")"));
        }
    }

    /** @param name quoted */
    record Attribute(String name, String type, Optional<String> collation) {}

    /**
     * @param operatorClass of btree, which orders the subtype
     * @param collation empty for that of the subtype
     * @param difference a function of PostgreSQL's own; others are left out, they only help an index
     * @param canonical whether it has a function of its own that says which ranges are equal
     */
    record Range(
            String name,
            String subtype,
            String operatorClass,
            Optional<String> collation,
            Optional<String> difference,
            String multirange,
            boolean canonical)
            implements UserType {}

    /**
     * A type that comes with an extension.
     *
     * @param extension quoted, as {@code schema} is
     */
    record Extended(String name, String extension, String schema) implements UserType {}

    /** A type whose functions are somebody's own program. */
    record Base(String name) implements UserType {}

    /** The statement that makes it; empty for one that nobody but its owner can make. */
    default Optional<String> creation() {
        return switch (this) {
            case Enumeration type -> Optional.of("CREATE TYPE " + type.name + " AS ENUM ("
                    + type.labels.stream().map(UserType::literal).collect(Collectors.joining(", ")) + ")");
            case Domain type -> Optional.of("CREATE DOMAIN " + type.name + " AS " + type.base
                    + type.collation.map(collation -> " COLLATE " + collation).orElse("")
                    + (type.notNull ? " NOT NULL" : "")
                    + type.checks.stream().map(check -> " " + check).collect(Collectors.joining()));
            case Composite type -> type.ofTable
                    ? Optional.empty()
                    : Optional.of("CREATE TYPE " + type.name + " AS " + type.list());
            case Range type -> type.canonical
                    ? Optional.empty()
                    : Optional.of("CREATE TYPE " + type.name + " AS RANGE (SUBTYPE = " + type.subtype
                            + ", SUBTYPE_OPCLASS = " + type.operatorClass
                            + type.collation.map(collation -> ", COLLATION = " + collation).orElse("")
                            + type.difference.map(function -> ", SUBTYPE_DIFF = " + function).orElse("")
                            + ", MULTIRANGE_TYPE_NAME = " + type.multirange + ")");
            case Extended type -> Optional.empty();
            case Base type -> Optional.empty();
        };
    }

    /** What to do where it is missing at the destination and {@link #creation} is empty. */
    default String remedy() {
        return switch (this) {
            case Extended type -> "run CREATE EXTENSION IF NOT EXISTS " + type.extension + " SCHEMA " + type.schema
                    + " at the destination (or ALTER EXTENSION " + type.extension + " SET SCHEMA " + type.schema
                    + ", if it is there in another one), then retry";
            case Composite type -> "it is the type of a table's rows: backfill that table first, then retry";
            case Range type -> "it has a canonical function of its own: create function and type at the destination, "
                    + "then retry";
            case Base type -> "create the type with its functions at the destination, then retry";
            case Enumeration type -> "create it at the destination, then retry";
            case Domain type -> "create it at the destination, then retry";
        };
    }

    /**
     * Why values of this type are not all values of another one of the same name, as the end of a sentence that begins
     * with the type; empty if they are. Labels that an enumeration lacks are another matter.
     */
    default Optional<Misfit> misfit(UserType there) {
        return switch (this) {
            case Enumeration type when there instanceof Enumeration other -> type.isInOrderOf(other)
                    ? Optional.empty()
                    : Optional.of(new Misfit(
                            "has its labels in another order at the destination",
                            "make it anew there with " + creation().orElseThrow()));
            case Domain type when there instanceof Domain other -> type.base.equals(other.base)
                    ? Optional.of(new Misfit(
                                    "is NOT NULL at the destination only",
                                    "run ALTER DOMAIN " + type.name + " DROP NOT NULL at the destination"))
                            .filter(ignored -> other.notNull && !type.notNull)
                    : Optional.of(new Misfit(
                            "is made over " + type.base + " at the source and over " + other.base + " at the destination",
                            "make it anew there with " + creation().orElseThrow()));
            case Composite type when there instanceof Composite other -> fields(type).equals(fields(other))
                    ? Optional.empty()
                    : Optional.of(new Misfit(
                            "is " + type.list() + " at the source and " + other.list() + " at the destination",
                            "give it the source's attributes there"));
            case Range type when there instanceof Range other -> type.subtype.equals(other.subtype)
                    ? Optional.empty()
                    : Optional.of(new Misfit(
                            "is a range of " + type.subtype + " at the source and of " + other.subtype
                                    + " at the destination",
                            "make it anew there"));
            // Which extension or program brings it is the destination's affair.
            case Extended type when there instanceof Extended || there instanceof Base -> Optional.empty();
            case Base type when there instanceof Extended || there instanceof Base -> Optional.empty();
            default -> Optional.of(new Misfit(
                    "is another kind of type at the destination", "rename the destination's type of that name"));
        };
    }

    /** @param what the end of a sentence; {@code hint} what to do */
    record Misfit(String what, String hint) {}

    private static List<String> fields(Composite type) {
        return type.attributes.stream().map(attribute -> attribute.name() + " " + attribute.type()).toList();
    }

    static String literal(String text) {
        return ChunkStatements.literal(text);
    }
}
