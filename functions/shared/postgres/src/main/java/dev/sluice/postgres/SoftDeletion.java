package dev.sluice.postgres;

import dev.sluice.domain.TableName;
import dev.sluice.domain.TableOptions.SoftDelete;

/** How a row is marked that the source does not have any more, as SQL. */
record SoftDeletion(SoftDelete option) {

    String column() {
        return TableName.quote(option.column());
    }

    /** The type of the column, with what a new one has. */
    String declaration() {
        return switch (option.type()) {
            case BOOLEAN -> "boolean NOT NULL DEFAULT false";
            case TIMESTAMPTZ -> "timestamp with time zone";
        };
    }

    String type() {
        return switch (option.type()) {
            case BOOLEAN -> "boolean";
            case TIMESTAMPTZ -> "timestamp with time zone";
        };
    }

    /** @param prefix of the column, {@code t.} */
    String isLive(String prefix) {
        return switch (option.type()) {
            case BOOLEAN -> prefix + column() + " IS NOT TRUE";
            case TIMESTAMPTZ -> prefix + column() + " IS NULL";
        };
    }

    String live() {
        return switch (option.type()) {
            case BOOLEAN -> "false";
            case TIMESTAMPTZ -> "NULL";
        };
    }

    /** @param time when the row went, as SQL of type timestamptz */
    String gone(String time) {
        return switch (option.type()) {
            case BOOLEAN -> "true";
            case TIMESTAMPTZ -> time;
        };
    }

    /** @param millis since the epoch, as SQL; 0 if capture did not say, and then the moment of applying counts */
    static String time(String millis) {
        return "coalesce('epoch'::timestamptz + nullif(" + millis + ", 0) * interval '1 millisecond', now())";
    }
}
