package dev.sluice.cli;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * What happens, as the console tells it, for as long as somebody wants to know. A connection that is lost is made again;
 * the console then begins with all that there is.
 */
final class Live implements AutoCloseable {

    /** The console sends something every 15 s. */
    private static final Duration SILENCE_MAX = Duration.ofSeconds(45);
    private static final Duration RETRY_MIN = Duration.ofSeconds(1);
    private static final Duration RETRY_MAX = Duration.ofSeconds(10);
    private static final int AHEAD_MAX = 16;

    private sealed interface Item {
        record Came(ServerEvent event) implements Item {
        }

        record Ended(Trouble trouble) implements Item {
        }
    }

    private final ConsoleApi api;
    private final BlockingQueue<Item> items = new ArrayBlockingQueue<>(AHEAD_MAX);
    private final Thread reader;
    private volatile InputStream stream;
    private volatile long heardNanos = System.nanoTime();
    private volatile long lostNanos;
    private volatile boolean lost;
    private volatile boolean open = true;

    /** Connects; that fails as any request does. */
    Live(ConsoleApi api) {
        this.api = api;
        this.stream = api.events();
        this.reader = Thread.ofPlatform().daemon().name("events").start(this::read);
    }

    /** What came next; empty if nothing did in time. */
    Optional<ServerEvent> next(Duration limit) {
        try {
            Item item = items.poll(limit.toMillis(), TimeUnit.MILLISECONDS);
            return switch (item) {
                case null -> {
                    endIfSilent();
                    yield Optional.empty();
                }
                case Item.Came came -> Optional.of(came.event());
                case Item.Ended ended -> throw ended.trouble();
            };
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Trouble.failed("interrupted");
        }
    }

    /** For how long the console has not been there; empty while it is. */
    Optional<Duration> lostFor() {
        return lost ? Optional.of(Duration.ofNanos(System.nanoTime() - lostNanos)) : Optional.empty();
    }

    private void endIfSilent() {
        if (!lost && System.nanoTime() - heardNanos > SILENCE_MAX.toNanos()) {
            close(stream);
        }
    }

    private void read() {
        Duration pause = RETRY_MIN;
        while (open) {
            try (InputStream current = stream) {
                var events = new EventReader(current, () -> heardNanos = System.nanoTime());
                Optional<ServerEvent> event;
                while ((event = events.next()).isPresent()) {
                    pause = RETRY_MIN;
                    items.put(new Item.Came(event.get()));
                }
            } catch (IOException e) {
                // As at the stream's end: connect again.
            } catch (InterruptedException e) {
                return;
            }
            if (!lost) {
                lostNanos = System.nanoTime();
                lost = true;
            }
            pause = reconnect(pause);
        }
    }

    private Duration reconnect(Duration first) {
        Duration pause = first;
        while (open) {
            try {
                Thread.sleep(pause);
                stream = api.events();
                heardNanos = System.nanoTime();
                lost = false;
                return longer(pause);
            } catch (InterruptedException e) {
                open = false;
            } catch (Trouble trouble) {
                if (trouble.exitCode() == ExitCode.NOT_ALLOWED) {
                    items.offer(new Item.Ended(trouble));
                    open = false;
                }
                pause = longer(pause);
            }
        }
        return pause;
    }

    private static Duration longer(Duration pause) {
        Duration twice = pause.multipliedBy(2);
        return twice.compareTo(RETRY_MAX) > 0 ? RETRY_MAX : twice;
    }

    private static void close(InputStream stream) {
        try {
            stream.close();
        } catch (IOException e) {
            // It is given up in any case.
        }
    }

    @Override
    public void close() {
        open = false;
        reader.interrupt();
        close(stream);
    }
}
