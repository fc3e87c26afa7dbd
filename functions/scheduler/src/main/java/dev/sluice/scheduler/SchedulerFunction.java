package dev.sluice.scheduler;

import dev.sluice.domain.Command;
import dev.sluice.domain.Pipeline;
import dev.sluice.domain.Setting;
import dev.sluice.domain.Settings;
import dev.sluice.messaging.KafkaClients;
import dev.sluice.messaging.Messages;
import dev.sluice.messaging.Topics;
import dev.sluice.postgres.DefinitionFollow;
import dev.sluice.postgres.DestinationTables;
import dev.sluice.postgres.KeyOrders;
import dev.sluice.postgres.Ledger;
import dev.sluice.postgres.Partitions;
import dev.sluice.postgres.SourceCapture;
import dev.sluice.postgres.SourceKeys;
import dev.sluice.postgres.SourceLoad;
import dev.sluice.postgres.SourceTables;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.producer.Producer;

/** Starts and stops the scheduler with the process. */
@ApplicationScoped
public class SchedulerFunction {

    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(10);

    private final SchedulerLoop loop;
    private final EffectRunner runner;
    private final Thread thread;

    @Inject
    public SchedulerFunction(
            SchedulerConfig config,
            KafkaClients kafka,
            Pipeline pipeline,
            Messages messages,
            Topics topics,
            SourceTables tables,
            KeyOrders orders,
            SourceKeys keys,
            SourceCapture capture,
            Partitions partitions,
            DestinationTables destination,
            DefinitionFollow follow,
            Ledger ledger,
            SourceLoad load) {
        var limits = new Limits(
                config.scheduler().concurrency(),
                config.chunkWorker().slots(),
                config.scheduler().chunksPerTable(),
                config.scheduler().chunksAhead(),
                config.scheduler().chunkRows(),
                Optional.empty(),
                Optional.empty());
        Producer<String, byte[]> producer = kafka.producer(Map.of());
        var outbox = new Outbox(producer);
        var effects = new Effects(
                tables, orders, keys, capture, partitions, destination, follow, ledger, topics, messages, outbox::send,
                config.scheduler().barrierLimit());
        runner = new EffectRunner(
                effects,
                new Watch(capture, partitions, follow, topics),
                new SourceWatch(load, tables),
                messages,
                outbox,
                limits,
                config.scheduler().watchInterval(),
                config.scheduler().heartbeatInterval());
        List<Command.AddTables> onboarding = Onboarding.commands(
                config.source().tables().orElse(List.of()),
                config.source().options().map(messages::tableOptions).orElse(Map.of()));
        Settings defaults = Settings.builtIn()
                .with(Setting.TABLES_AT_ONCE, limits.tables())
                .with(Setting.CHUNKS_PER_TABLE, limits.chunksPerTable())
                .with(Setting.CHUNK_ROWS, limits.chunkRows());
        loop = new SchedulerLoop(kafka, pipeline, messages, limits, defaults, runner, onboarding);
        thread = Thread.ofPlatform().name("scheduler").unstarted(loop);
    }

    void start(@Observes StartupEvent event) {
        thread.start();
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        loop.stop();
        thread.join(STOP_TIMEOUT);
        runner.close();
    }
}
