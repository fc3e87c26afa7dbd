package dev.sluice.domain;

import java.util.List;
import java.util.Optional;

/**
 * What capture of a table rests on. Should any of it change, changes were or will be missed (R20).
 *
 * @param fingerprint the table's definition: that which the destination has followed
 * @param publicationMember the OID of the row in {@code pg_publication_rel}: another after leaving and joining again
 * @param systemIdentifier the source cluster's
 * @param topicId Kafka's id of the table's topic: another after the topic was deleted and made again
 * @param captureId Kafka's id of the topic of Debezium's offsets: another after capture began anew with another slot
 * @param named the columns that the user has named as the key; empty: the table's own key is followed
 */
public record CaptureIdentity(
        long tableOid,
        String fingerprint,
        long publicationMember,
        String systemIdentifier,
        String topicId,
        String captureId,
        Optional<List<String>> named) {

    /** Of a table that is followed by its own key. */
    public CaptureIdentity(
            long tableOid,
            String fingerprint,
            long publicationMember,
            String systemIdentifier,
            String topicId,
            String captureId) {
        this(tableOid, fingerprint, publicationMember, systemIdentifier, topicId, captureId, Optional.empty());
    }

    /** The same capture of a table that was altered since. */
    public CaptureIdentity with(String newFingerprint) {
        return new CaptureIdentity(
                tableOid, newFingerprint, publicationMember, systemIdentifier, topicId, captureId, named);
    }
}
