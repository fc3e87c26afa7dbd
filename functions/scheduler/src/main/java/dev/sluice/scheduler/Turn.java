package dev.sluice.scheduler;

import dev.sluice.domain.Asked;
import dev.sluice.domain.TableRecord;

/** What one input means for one table. */
sealed interface Turn {

    /** The table goes on like this. */
    record Becomes(TableRecord next) implements Turn {}

    /** The table is forgotten. */
    record Forgotten() implements Turn {}

    /** Nothing follows, and why: redelivery and late answers are normal. */
    record Ignored(String reason) implements Turn {}

    /** Somebody asked for what cannot be done now; a person should learn of it. */
    record Rejected(String reason) implements Turn {}

    /** This turn, with what was asked noted where it is followed. */
    default Turn asked(Asked asked) {
        return this instanceof Becomes becomes ? new Becomes(Records.asked(becomes.next(), asked)) : this;
    }

    static Turn becomes(TableRecord next) {
        return new Becomes(next);
    }

    static Turn ignored(String reason) {
        return new Ignored(reason);
    }

    /** To an answer that the table does not wait for, any more or at all. */
    static Turn late(TableRecord table, long run, String what) {
        return ignored(what + " of run " + run + " is not waited for: the table is "
                + table.state().getClass().getSimpleName() + " in run "
                + table.state().run());
    }

    static Turn rejected(String reason) {
        return new Rejected(reason);
    }
}
