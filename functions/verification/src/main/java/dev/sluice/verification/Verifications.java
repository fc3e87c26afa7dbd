package dev.sluice.verification;

import dev.sluice.domain.Event;
import dev.sluice.domain.Fault;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.Verification.Findings;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.postgres.Database;
import dev.sluice.postgres.Ledger;
import dev.sluice.postgres.SourceCapture;
import dev.sluice.postgres.SqlFaults;
import dev.sluice.postgres.TableVerification;
import dev.sluice.verification.Agenda.Wanted;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jboss.logging.Logger;

/** Does the comparisons, each in a thread of its own. One that is cut off leaves nothing behind. */
@ApplicationScoped
public class Verifications {

    private static final Logger LOG = Logger.getLogger(Verifications.class);
    private static final Duration MOVED_INTERVAL = Duration.ofSeconds(2);
    private static final Duration RETRY_INTERVAL = Duration.ofSeconds(10);
    /** Of a server that is not there: then the comparison has failed. */
    private static final int TRIES_MAX = 5;

    private final TableVerification verification;
    private final SourceCapture capture;
    private final Ledger ledger;
    private final KafkaClients kafka;
    private final Pipeline pipeline;
    private final VerificationConfig config;
    private final Answers answers;
    private final Map<Wanted, Thread> underWay = new ConcurrentHashMap<>();

    @Inject
    public Verifications(
            TableVerification verification,
            SourceCapture capture,
            Ledger ledger,
            KafkaClients kafka,
            Pipeline pipeline,
            VerificationConfig config,
            Answers answers) {
        this.verification = verification;
        this.capture = capture;
        this.ledger = ledger;
        this.kafka = kafka;
        this.pipeline = pipeline;
        this.config = config;
        this.answers = answers;
    }

    /** @param ended hears whether the scheduler knows of the end */
    void begin(Wanted wanted, Consumer<Boolean> ended) {
        Thread thread = Thread.ofVirtual()
                .name("verification of " + wanted.table())
                .unstarted(() -> {
                    boolean answered = false;
                    try {
                        answered = verify(wanted);
                    } catch (InterruptedException e) {
                        LOG.infof("comparison cut off table=%s run=%d", wanted.table(), wanted.run());
                    } catch (RuntimeException e) {
                        LOG.errorf(e, "no answer sent, is tried again table=%s run=%d", wanted.table(), wanted.run());
                    } finally {
                        underWay.remove(wanted);
                        ended.accept(answered);
                    }
                });
        underWay.put(wanted, thread);
        thread.start();
    }

    /** Ends it after the statement that is under way. */
    void cutOff(Wanted wanted) {
        Thread thread = underWay.remove(wanted);
        if (thread != null) {
            thread.interrupt();
        }
    }

    private boolean isWanted(Wanted wanted) {
        return underWay.containsKey(wanted);
    }

    private boolean verify(Wanted wanted) throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            Event event;
            try {
                Findings findings = compare(wanted);
                LOG.infof(
                        "compared table=%s run=%d rows=%d differing=%d unsettled=%d",
                        wanted.table(), wanted.run(), findings.rows(), findings.differing(), findings.unsettled());
                event = new Event.Verified(wanted.table(), wanted.run(), wanted.number(), findings);
            } catch (RuntimeException e) {
                if (!isWanted(wanted)) {
                    throw new InterruptedException("no longer wanted");
                }
                Fault fault = SqlFaults.fault(e, "comparing " + wanted.table() + " with the source");
                LOG.warnf(
                        "comparison failed table=%s run=%d attempt=%d kind=%s reason=\"%s\"",
                        wanted.table(), wanted.run(), attempt, fault.kind(), fault.reason());
                if (fault.kind() == Fault.Kind.REFUSED || attempt == TRIES_MAX) {
                    event = new Event.VerificationFailed(wanted.table(), wanted.run(), wanted.number(), fault);
                } else {
                    Thread.sleep(RETRY_INTERVAL);
                    continue;
                }
            }
            return answerAtLast(wanted, event);
        }
    }

    /** What a comparison came to is not thrown away because Kafka is away for a while: the rows would be read again. */
    private boolean answerAtLast(Wanted wanted, Event event) throws InterruptedException {
        while (true) {
            try {
                answer(event);
                return true;
            } catch (RuntimeException e) {
                if (!isWanted(wanted)) {
                    throw new InterruptedException("no longer wanted");
                }
                LOG.warnf("the answer is not sent yet table=%s run=%d: %s", wanted.table(), wanted.run(), e.getMessage());
                Thread.sleep(RETRY_INTERVAL);
            }
        }
    }

    private Findings compare(Wanted wanted) throws InterruptedException {
        try (var passage = new Passage(
                wanted.table(), wanted.run(), capture, ledger, kafka, pipeline, config.streamWait(),
                () -> isWanted(wanted))) {
            long[] told = {System.nanoTime() - MOVED_INTERVAL.toNanos()};
            return verification.verify(wanted.table(), wanted.run(), config.limits(), passage, rows -> {
                if (System.nanoTime() - told[0] >= MOVED_INTERVAL.toNanos()) {
                    told[0] = System.nanoTime();
                    tell(new Event.VerificationMoved(wanted.table(), wanted.run(), wanted.number(), rows));
                }
            });
        }
    }

    private void answer(Event event) {
        answers.send(event).await().atMost(Database.ANSWER_LIMIT);
    }

    /** Progress that nobody hears of is no reason to begin again. */
    private void tell(Event progress) {
        try {
            answer(progress);
        } catch (RuntimeException e) {
            LOG.warnf("progress is not sent: %s", e.getMessage());
        }
    }
}
