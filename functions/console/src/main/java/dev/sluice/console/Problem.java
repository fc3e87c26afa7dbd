package dev.sluice.console;

import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * Why a request was not followed, as RFC 9457 has it.
 *
 * @param detail what is wrong and what to do
 * @param field of the request that is wrong, as {@code tables[3]}
 */
@Schema(description = "Why a request was not followed (RFC 9457).")
public record Problem(
        @Schema(examples = "about:blank") String type,
        @Schema(description = "What the status means.") String title,
        int status,
        @Schema(description = "What is wrong, and what to do.") String detail,
        @Schema(description = "The field of the request that is wrong, as tables[3]; left out if it is none.",
                        implementation = String.class)
                Optional<String> field) {

    public static final String MEDIA_TYPE = "application/problem+json";
    private static final int DETAIL_LENGTH_MAX = 2_000;

    public Problem {
        detail = detail.length() <= DETAIL_LENGTH_MAX ? detail : detail.substring(0, DETAIL_LENGTH_MAX) + "…";
    }

    public static Problem of(int status, String detail) {
        return of(status, detail, Optional.empty());
    }

    public static Problem of(int status, String detail, Optional<String> field) {
        Response.Status known = Response.Status.fromStatusCode(status);
        return new Problem("about:blank", known == null ? "Error" : known.getReasonPhrase(), status, detail, field);
    }

    public Response response() {
        return Response.status(status)
                .type(MEDIA_TYPE)
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .entity(Json.text(this))
                .build();
    }
}
