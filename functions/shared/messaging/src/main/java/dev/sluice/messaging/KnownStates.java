package dev.sluice.messaging;

import dev.sluice.domain.TableName;
import dev.sluice.domain.TableRecord;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The tables as they stand, as far as their topic is read. It is made anew whenever the topic is, so it says what is
 * lacking, not what has happened. Safe for use by several threads.
 */
public final class KnownStates {

    private final Map<TableName, TableRecord> tables = new LinkedHashMap<>();
    private long readings;
    private boolean complete;
    private boolean rests;

    /**
     * What may be worked by at a moment.
     *
     * @param reading another number whenever the topic is read anew: what was known before may be out of date
     * @param tables none before the topic is read to its end, and none while the pipeline is paused
     */
    public record View(long reading, Map<TableName, TableRecord> tables) {}

    public synchronized View view() {
        return new View(readings, complete && !rests ? new LinkedHashMap<>(tables) : Map.of());
    }

    /** Another process may have the topic now: nothing is known until it is read again. */
    public synchronized void forget() {
        tables.clear();
        readings++;
        complete = false;
        rests = false;
    }

    public synchronized void put(TableRecord record) {
        tables.put(record.table(), record);
    }

    /** The table is forgotten, or its state cannot be read, so that nothing may be done for it. */
    public synchronized void remove(TableName table) {
        tables.remove(table);
    }

    /** @param all whether nothing new is to begin, of whatever table */
    public synchronized void rest(boolean all) {
        rests = all;
    }

    /** The topic has been read to its end: what is known of a table is its state now, and not one it once had. */
    public synchronized void complete() {
        complete = true;
    }

    public synchronized boolean isComplete() {
        return complete;
    }
}
