package dev.sluice.streaming;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.BooleanSupplier;

/** Bounds how many do something at once; the others wait, first come, first served. For one thread. */
final class Line {

    private final int insideMax;
    private final Deque<BooleanSupplier> waiting = new ArrayDeque<>();
    private int inside;

    Line(int insideMax) {
        this.insideMax = insideMax;
    }

    /** @param start begins the work; answers whether there was any, and then {@link #leave} ends it */
    void join(BooleanSupplier start) {
        waiting.add(start);
        admit();
    }

    void leave() {
        inside--;
        admit();
    }

    private void admit() {
        while (inside < insideMax && !waiting.isEmpty()) {
            // Counted first: the work may end, and leave, before it returns.
            inside++;
            if (!waiting.poll().getAsBoolean()) {
                inside--;
            }
        }
    }
}
