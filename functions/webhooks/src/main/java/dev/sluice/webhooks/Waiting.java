package dev.sluice.webhooks;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** What one receiver does not have yet. One that cannot be delivered does not hold up the others. */
final class Waiting {

    private static final Duration FIRST = Duration.ofSeconds(1);
    private static final Duration MAX = Duration.ofMinutes(5);
    private static final int DOUBLINGS_MAX = 10;

    /** @param since when it could first have been told: bounds how long it is tried */
    record Delivery(Notification notification, long offset, Instant since, int failures, Instant due) {}

    private final List<Delivery> deliveries = new ArrayList<>();

    void add(Notification notification, long offset) {
        deliveries.add(new Delivery(notification, offset, notification.at(), 0, Instant.EPOCH));
    }

    int size() {
        return deliveries.size();
    }

    /** The one whose try is due for longest, so one that was not tried yet before all others. */
    Optional<Delivery> due(Instant now) {
        return deliveries.stream()
                .filter(delivery -> !delivery.due().isAfter(now))
                .min(Comparator.comparing(Delivery::due));
    }

    void done(Delivery delivery) {
        deliveries.remove(delivery);
    }

    /**
     * Waits for its next try, or is given up. It is never given up untried.
     *
     * @param jitter 0 to 1: how much of half the time to wait is left out, so that many do not come at once
     * @return whether it is given up
     */
    boolean failed(Delivery delivery, Instant now, Duration giveUpAfter, double jitter) {
        if (now.isAfter(delivery.since().plus(giveUpAfter))) {
            deliveries.remove(delivery);
            return true;
        }
        Duration whole = pause(delivery.failures() + 1);
        Instant next = now.plusMillis((long) (whole.toMillis() * (1 - jitter / 2)));
        deliveries.set(
                deliveries.indexOf(delivery),
                new Delivery(
                        delivery.notification(), delivery.offset(), delivery.since(), delivery.failures() + 1, next));
        return false;
    }

    /** The first record that is not wholly delivered; empty: all are. */
    OptionalLong firstOffset() {
        return deliveries.stream().mapToLong(Delivery::offset).min();
    }

    void clear() {
        deliveries.clear();
    }

    /** @param failures in a row, from 1 on */
    static Duration pause(int failures) {
        Duration pause = FIRST.multipliedBy(1L << Math.min(failures - 1, DOUBLINGS_MAX));
        return pause.compareTo(MAX) > 0 ? MAX : pause;
    }
}
