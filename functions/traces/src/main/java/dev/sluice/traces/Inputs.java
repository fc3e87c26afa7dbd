package dev.sluice.traces;

import dev.sluice.domain.Command;
import dev.sluice.domain.Event;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.Messages.Input;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/**
 * Commands and events, read as far as the states that are told have followed them. A consumer of no group: where it
 * reads is always said by a state.
 */
final class Inputs implements AutoCloseable {

    /** One transaction of the scheduler follows far less; more have come where states are gone from the topic. */
    private static final long READ_AT_ONCE_MAX = 20_000;

    private static final int KNOWN_MAX = 1_000;
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Consumer<String, byte[]> consumer;
    private final Messages messages;
    private final TopicPartition partition;
    private final Deque<Read> read = new ArrayDeque<>();
    /** What runs have begun with: tables are often added by one command. */
    private final Map<Long, Optional<Begun>> known = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Optional<Begun>> eldest) {
            return size() > KNOWN_MAX;
        }
    };
    /** Where reading begins, as long as it has not. */
    private OptionalLong begin = OptionalLong.of(Long.MAX_VALUE);

    private sealed interface Read {
        long offset();
    }

    private record Answered(long offset, Answers.Answer answer) implements Read {}

    private record Commanded(long offset, TableName table, Asking asking) implements Read {}

    /** @param table that it is about; empty: it names several, or patterns */
    private record Begun(Asking asking, Optional<TableName> table) {}

    Inputs(KafkaClients kafka, Messages messages, Pipeline pipeline) {
        this.messages = messages;
        this.partition = new TopicPartition(pipeline.commandsAndEventsTopic(), 0);
        this.consumer = kafka.consumer(Map.of(
                ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
                // What expired before it was told is passed over: the states tell the rest.
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest"));
        consumer.assign(List.of(partition));
    }

    /** What stands before this offset was followed by states that are told already. */
    void beginAt(long offset) {
        begin = OptionalLong.of(offset);
    }

    /** Where to begin is not known any more. */
    void beginAnew() {
        begin = OptionalLong.of(Long.MAX_VALUE);
        read.clear();
    }

    /** What was answered before this offset and was not returned before. */
    Answers upTo(long offset) {
        if (begin.isPresent()) {
            consumer.seek(partition, Math.min(begin.getAsLong(), offset));
            begin = OptionalLong.empty();
        }
        if (offset - consumer.position(partition, PATIENCE) > READ_AT_ONCE_MAX) {
            consumer.seek(partition, offset - READ_AT_ONCE_MAX);
        }
        Instant deadline = Instant.now().plus(PATIENCE);
        while (consumer.position(partition, PATIENCE) < offset) {
            consumer.poll(POLL).forEach(this::take);
            require(deadline, offset);
        }
        List<Answers.Answer> answers = new ArrayList<>();
        Map<TableName, Asking> asked = new HashMap<>();
        while (!read.isEmpty() && read.peek().offset() < offset) {
            switch (read.remove()) {
                case Answered answered -> answers.add(answered.answer());
                case Commanded commanded -> asked.put(commanded.table(), commanded.asking());
            }
        }
        return new Answers(answers, asked);
    }

    private void take(ConsumerRecord<String, byte[]> record) {
        switch (messages.input(record)) {
            case Input.OfEvent(Event.OfChunk answer) ->
                read.add(new Answered(record.offset(), new Answers.Answer(answer, at(record))));
            case Input.OfCommand asked when asked.command() instanceof Command.OfTable ofTable && goesOn(ofTable) ->
                read.add(new Commanded(record.offset(), ofTable.table(), asking(asked, record)));
            case Input.OfCommand other -> {}
            case Input.OfEvent other -> {}
            case Input.Poison poison -> {}
        }
    }

    /** Whether it can set a run going again that has ended: a retry, or a cancel that closes what has failed. */
    private static boolean goesOn(Command.OfTable command) {
        return command instanceof Command.Retry || command instanceof Command.Cancel;
    }

    private static Asking asking(Input.OfCommand asked, ConsumerRecord<String, byte[]> record) {
        return new Asking(
                Messages.name(asked.command()),
                asked.by(),
                at(record),
                Optional.of(record.offset()),
                asked.traceparent().flatMap(Asking::caller));
    }

    /** What a run began with: it is called after the offset, and not about another table. */
    Optional<Asking> asking(TableName table, long offset) {
        return begun(offset)
                .filter(it -> it.table().isEmpty() || it.table().equals(Optional.of(table)))
                .map(Begun::asking);
    }

    private Optional<Begun> begun(long offset) {
        Optional<Begun> before = known.get(offset);
        if (before != null) {
            return before;
        }
        Optional<Begun> found = record(offset).flatMap(this::begun);
        known.put(offset, found);
        return found;
    }

    private Optional<Begun> begun(ConsumerRecord<String, byte[]> record) {
        return switch (messages.input(record)) {
            case Input.OfCommand asked -> Optional.of(new Begun(
                    asking(asked, record),
                    asked.command() instanceof Command.OfTable ofTable
                            ? Optional.of(ofTable.table())
                            : Optional.empty()));
            // A request is answered later than it is made, so this ends.
            case Input.OfEvent(Event.TablesMatched matched) when matched.request() < record.offset() ->
                begun(matched.request());
            case Input.OfEvent(Event.TablesJoined joined) -> Optional.of(new Begun(
                    new Asking(
                            "tables-joined",
                            Optional.empty(),
                            at(record),
                            Optional.of(record.offset()),
                            Optional.empty()),
                    Optional.empty()));
            case Input.OfEvent other -> Optional.empty();
            case Input.Poison poison -> Optional.empty();
        };
    }

    private static Instant at(ConsumerRecord<String, byte[]> record) {
        return Instant.ofEpochMilli(record.timestamp());
    }

    /** One record, wherever it stands; reading goes on where it was. */
    private Optional<ConsumerRecord<String, byte[]>> record(long offset) {
        long beginning = consumer.beginningOffsets(List.of(partition), PATIENCE).get(partition);
        long end = consumer.endOffsets(List.of(partition), PATIENCE).get(partition);
        if (offset < beginning || offset >= end) {
            return Optional.empty();
        }
        Optional<Long> back =
                begin.isPresent() ? Optional.empty() : Optional.of(consumer.position(partition, PATIENCE));
        try {
            consumer.seek(partition, offset);
            Instant deadline = Instant.now().plus(PATIENCE);
            while (consumer.position(partition, PATIENCE) <= offset) {
                for (ConsumerRecord<String, byte[]> record : consumer.poll(POLL)) {
                    if (record.offset() >= offset) {
                        return record.offset() == offset ? Optional.of(record) : Optional.empty();
                    }
                }
                require(deadline, offset);
            }
            return Optional.empty();
        } finally {
            back.ifPresent(position -> consumer.seek(partition, position));
        }
    }

    private void require(Instant deadline, long offset) {
        if (Instant.now().isAfter(deadline)) {
            throw new KafkaException(partition + " is not read up to offset " + offset + " within " + PATIENCE);
        }
    }

    @Override
    public void close() {
        consumer.close();
    }
}
