package dev.sluice.postgres;

import dev.sluice.domain.TableName;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.sqlclient.Tuple;
import io.vertx.pgclient.PgException;

/** Schemas of the destination. */
final class DestinationSchemas {

    private DestinationSchemas() {}

    /**
     * Makes the schema where it is missing, in a transaction of its own and before any other looks for it: a session
     * remembers what was not there. IF NOT EXISTS does not save two tables from each other: both see no schema, and one
     * waits for the other's commit and then fails.
     */
    static Uni<Void> make(Database destination, String schema) {
        return destination
                .query("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", Tuple.of(schema))
                .chain(rows -> rows.iterator().next().getBoolean(0)
                        ? Uni.createFrom().voidItem()
                        : destination
                                .query("CREATE SCHEMA IF NOT EXISTS " + TableName.quote(schema), Tuple.tuple())
                                .replaceWithVoid()
                                .onFailure(failure -> failure instanceof PgException pg
                                        && (pg.getSqlState().equals("23505") || pg.getSqlState().equals("42P06")))
                                .recoverWithNull());
    }
}
