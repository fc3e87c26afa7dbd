package dev.sluice.traces;

import dev.sluice.domain.TableName;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;

/** How attributes are called: as in the logs. */
final class Keys {

    static final AttributeKey<String> TABLE = AttributeKey.stringKey("table");
    static final AttributeKey<Long> RUN = AttributeKey.longKey("run");
    static final AttributeKey<Long> CHUNK = AttributeKey.longKey("chunk");
    static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("attempt");
    static final AttributeKey<Long> SLOT = AttributeKey.longKey("slot");
    static final AttributeKey<Long> ROWS = AttributeKey.longKey("rows");
    static final AttributeKey<Long> BYTES = AttributeKey.longKey("bytes");
    static final AttributeKey<Long> CHUNKS = AttributeKey.longKey("chunks");
    static final AttributeKey<String> LSN = AttributeKey.stringKey("lsn");
    static final AttributeKey<Long> OFFSET = AttributeKey.longKey("offset");
    static final AttributeKey<String> COMMAND = AttributeKey.stringKey("command");
    static final AttributeKey<String> BY = AttributeKey.stringKey("by");
    static final AttributeKey<String> OUTCOME = AttributeKey.stringKey("outcome");
    static final AttributeKey<String> WAITING_FOR = AttributeKey.stringKey("waitingFor");
    static final AttributeKey<String> FAULT = AttributeKey.stringKey("fault");
    static final AttributeKey<String> HINT = AttributeKey.stringKey("hint");

    private Keys() {}

    static AttributesBuilder of(TableName table, long run) {
        return Attributes.builder().put(TABLE, table.toString()).put(RUN, run);
    }
}
