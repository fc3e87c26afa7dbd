package dev.sluice.streaming;

import java.util.Optional;

/** Decides whether Kafka still holds what a table's queue has to give (R15). */
final class QueueHole {

    private QueueHole() {}

    /**
     * A topic as Kafka has it.
     *
     * @param beginning the offset of the first record that is still there
     * @param end the offset after the last one
     */
    record Topic(String id, int partitions, long beginning, long end) {}

    /** @return what is missing, for a person; empty if the queue is whole */
    static Optional<String> find(String topicId, long position, Optional<Topic> found) {
        if (found.isEmpty()) {
            return Optional.of("the topic does not exist");
        }
        Topic topic = found.get();
        if (!topic.id().equals(topicId)) {
            return Optional.of("the topic was deleted and made again: its id is " + topic.id() + ", not " + topicId);
        }
        if (topic.partitions() != 1) {
            return Optional.of("the topic has " + topic.partitions() + " partitions, which lose the order");
        }
        if (position < topic.beginning()) {
            return Optional.of("the topic starts at offset " + topic.beginning() + ", the next change to apply was at "
                    + position);
        }
        if (position > topic.end()) {
            return Optional.of("the topic ends at offset " + topic.end() + ", the next change to apply was at "
                    + position);
        }
        return Optional.empty();
    }
}
