package dev.sluice.console;

import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;
import org.jboss.resteasy.reactive.server.ServerResponseFilter;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerResponseContext;

/** Every error of the HTTP API as a problem, without a word of what is inside. */
@ApplicationScoped
public class Problems {

    private static final Logger LOG = Logger.getLogger(Problems.class);
    private static final String PATHS = "/api/v1/*";

    @ServerExceptionMapper
    public Response known(ProblemException refused) {
        return refused.problem().response();
    }

    /** What the framework refuses by itself: no such path, no such method, another media type. */
    @ServerExceptionMapper
    public Response refused(WebApplicationException refused) {
        int status = refused.getResponse().getStatus();
        if (status < 400) {
            return refused.getResponse();
        }
        Response response = Problem.of(status, detail(status)).response();
        Object allowed = refused.getResponse().getHeaders().getFirst(HttpHeaders.ALLOW);
        return allowed == null ? response : Response.fromResponse(response).header(HttpHeaders.ALLOW, allowed).build();
    }

    @ServerExceptionMapper
    public Response unforeseen(RuntimeException thrown) {
        LOG.error("a request could not be answered", thrown);
        return Problem.of(500, detail(500)).response();
    }

    @ServerResponseFilter
    public void keepNothing(ContainerRequestContext request, ContainerResponseContext response) {
        if (request.getUriInfo().getPath().startsWith("/api/v1")) {
            response.getHeaders().putSingle(HttpHeaders.CACHE_CONTROL, "no-store");
        }
    }

    /** Behind all others: what comes here is nobody's. */
    void last(@Observes Router router) {
        router.route(PATHS).order(Integer.MAX_VALUE - 1).handler(context -> answer(context, 404));
    }

    private static void answer(RoutingContext context, int status) {
        context.response()
                .setStatusCode(status)
                .putHeader("Content-Type", Problem.MEDIA_TYPE)
                .putHeader("Cache-Control", "no-store")
                .end(Json.text(Problem.of(status, detail(status))));
    }

    private static String detail(int status) {
        return switch (status) {
            case 400 -> "The request cannot be read; see /api/v1/openapi.";
            case 401 -> "Log in first.";
            case 403 -> "This is not allowed.";
            case 404 -> "There is nothing here; /api/v1/openapi lists what there is.";
            case 405 -> "This path does not know the method; /api/v1/openapi lists what there is.";
            case 406 -> "The answer is application/json.";
            case 413 -> "The request is too large; send less at once.";
            case 415 -> "Send application/json.";
            case 500 -> "The console could not do it; its log says why.";
            default -> "The request could not be followed.";
        };
    }
}
