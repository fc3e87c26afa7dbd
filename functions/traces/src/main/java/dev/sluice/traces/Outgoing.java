package dev.sluice.traces;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.OptionalLong;

/** Spans that the receiver does not have yet, in their order. */
final class Outgoing {

    /** So many go in one request. */
    static final int BATCH_MAX = 512;

    private static final Duration FIRST = Duration.ofSeconds(1);
    private static final Duration MAX = Duration.ofMinutes(1);
    private static final int DOUBLINGS_MAX = 6;

    /** @param offset of the state that ended it */
    private record Waiting(Span span, long offset, Instant since) {}

    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private int failures;
    private Instant due = Instant.EPOCH;

    void add(List<Span> spans, long offset, Instant now) {
        spans.forEach(span -> waiting.add(new Waiting(span, offset, now)));
    }

    int size() {
        return waiting.size();
    }

    /** What goes next; empty: there is nothing, or it is not yet due. */
    List<Span> due(Instant now) {
        return due.isAfter(now)
                ? List.of()
                : waiting.stream().limit(BATCH_MAX).map(Waiting::span).toList();
    }

    /** The receiver has the first ones. */
    void done(int count) {
        remove(count);
        failures = 0;
        due = Instant.EPOCH;
    }

    /**
     * The receiver did not take the first ones. None is given up untried.
     *
     * @param jitter 0 to 1: how much of half the time to wait is left out, so that many do not come at once
     * @return how many of them are given up
     */
    int failed(int count, Instant now, Duration giveUpAfter, double jitter) {
        failures++;
        Duration doubled = FIRST.multipliedBy(1L << Math.min(failures - 1, DOUBLINGS_MAX));
        Duration whole = doubled.compareTo(MAX) > 0 ? MAX : doubled;
        due = now.plusMillis((long) (whole.toMillis() * (1 - jitter / 2)));
        int old = (int) waiting.stream()
                .limit(count)
                .takeWhile(one -> now.isAfter(one.since().plus(giveUpAfter)))
                .count();
        remove(old);
        return old;
    }

    int failures() {
        return failures;
    }

    /** The first record that is not wholly told; empty: all are. */
    OptionalLong firstOffset() {
        return waiting.isEmpty() ? OptionalLong.empty() : OptionalLong.of(waiting.peek().offset());
    }

    void clear() {
        waiting.clear();
    }

    private void remove(int count) {
        for (int i = 0; i < count; i++) {
            waiting.remove();
        }
    }
}
