package dev.sluice.verification;

import dev.sluice.domain.Event;
import dev.sluice.messaging.Messages;
import io.smallrye.mutiny.Uni;
import io.smallrye.reactive.messaging.MutinyEmitter;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.eclipse.microprofile.reactive.messaging.Channel;

/** What verification says to the scheduler. Done when Kafka has it. */
@ApplicationScoped
public class Answers {

    private static final String FROM = "verification";

    private final Messages messages;
    private final MutinyEmitter<ProducerRecord<String, byte[]>> out;

    @Inject
    public Answers(
            Messages messages, @Channel("verification-answers") MutinyEmitter<ProducerRecord<String, byte[]>> out) {
        this.messages = messages;
        this.out = out;
    }

    Uni<Void> send(Event event) {
        return out.send(messages.event(event, FROM));
    }
}
