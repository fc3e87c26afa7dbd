package dev.sluice.domain;

/**
 * What capture of a table rests on. Should any of it change, changes were or will be missed (R20).
 *
 * @param fingerprint the table's definition: that which the destination has followed
 * @param publicationMember the OID of the row in {@code pg_publication_rel}: another after leaving and joining again
 * @param systemIdentifier the source cluster's
 * @param topicId Kafka's id of the table's topic: another after the topic was deleted and made again
 * @param captureId Kafka's id of the topic of Debezium's offsets: another after capture began anew with another slot
 */
public record CaptureIdentity(
        long tableOid, String fingerprint, long publicationMember, String systemIdentifier, String topicId, String captureId) {

    /** The same capture of a table that was altered since. */
    public CaptureIdentity with(String newFingerprint) {
        return new CaptureIdentity(
                tableOid, newFingerprint, publicationMember, systemIdentifier, topicId, captureId);
    }
}
