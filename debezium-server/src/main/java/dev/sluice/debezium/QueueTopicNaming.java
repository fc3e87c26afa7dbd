package dev.sluice.debezium;

import dev.sluice.domain.Pipeline;
import dev.sluice.domain.TableName;
import io.debezium.config.CommonConnectorConfig;
import io.debezium.relational.TableId;
import io.debezium.schema.DefaultTopicNamingStrategy;
import io.debezium.spi.schema.DataCollectionId;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;

/** Sends a table's changes to the topic in which every other part of Sluice looks for them. */
public final class QueueTopicNaming extends DefaultTopicNamingStrategy {

    private final Pipeline pipeline;
    private final Map<TableId, String> topics = new ConcurrentHashMap<>();

    /** Called by Debezium with the connector's configuration; {@code topic.prefix} is the pipeline's name. */
    public QueueTopicNaming(Properties properties) {
        super(properties);
        pipeline = new Pipeline(properties.getProperty(CommonConnectorConfig.TOPIC_PREFIX.name()));
    }

    @Override
    public String dataChangeTopic(DataCollectionId id) {
        if (id instanceof TableId table) {
            return topics.computeIfAbsent(table,
                    key -> pipeline.queueTopic(new TableName(key.schema(), key.table())));
        }
        return super.dataChangeTopic(id);
    }

    /** Heartbeats go where logical messages go: both say only how far capture is. */
    @Override
    public String heartbeatTopic() {
        return pipeline.probeTopic();
    }
}
