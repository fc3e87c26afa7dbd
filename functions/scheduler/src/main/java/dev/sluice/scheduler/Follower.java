package dev.sluice.scheduler;

import java.util.Optional;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Who acts on what the scheduler has committed. */
interface Follower {

    /**
     * The world as it was committed last. Called again and again, by one thread; returns at once.
     *
     * @param world empty while this scheduler does not lead
     */
    void lead(Optional<World> world);

    /** Sends a record beside the scheduler's transactions, and waits until Kafka has it. */
    void send(ProducerRecord<String, byte[]> record);
}
