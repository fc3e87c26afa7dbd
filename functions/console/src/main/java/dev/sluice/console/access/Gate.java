package dev.sluice.console.access;

import dev.sluice.console.Json;
import dev.sluice.console.Problem;
import io.quarkus.security.AuthenticationFailedException;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.vertx.http.runtime.security.HttpSecurityPolicy;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.Optional;
import java.util.Set;

/**
 * What every request must pass, and the headers that every answer has. It holds for all paths of the process but those
 * under {@code /q/}: health and metrics are for machines, and say nothing that has to be hidden from them.
 */
@ApplicationScoped
public class Gate implements HttpSecurityPolicy {

    private static final String API = "/api/";
    private static final Set<String> READING = Set.of("GET", "HEAD");
    /** What somebody needs who has not signed in yet. */
    private static final Set<String> OPEN = Set.of(
            "/login.html", "/js/login.js", "/css/base.css", "/css/login.css", "/favicon.svg", "/favicon.ico", "/api/v1/login",
            "/api/v1/me");
    private static final String CONTENT_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            + "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    private final Access access;

    @Inject
    public Gate(Access access) {
        this.access = access;
    }

    @Override
    public Uni<CheckResult> checkPermission(
            RoutingContext context, Uni<SecurityIdentity> identity, AuthorizationRequestContext requestContext) {
        String path = context.normalizedPath();
        if (path.equals("/q") || path.startsWith("/q/")) {
            return CheckResult.permit();
        }
        protect(context, path);
        Optional<Problem> foreign = foreign(context.request());
        if (foreign.isPresent()) {
            return refuse(context, foreign.get());
        }
        if (!access.needsLogin() || OPEN.contains(path)) {
            return CheckResult.permit();
        }
        return identity.flatMap(who -> {
            if (who.isAnonymous()) {
                return notSignedIn(context, path);
            }
            boolean acts = !READING.contains(context.request().method().name()) && !path.equals("/api/v1/logout");
            return acts && !who.hasRole(Role.OPERATOR.text())
                    ? refuse(context, Problem.of(403, "this needs the role operator; "
                            + who.getPrincipal().getName() + " has the role viewer"))
                    : CheckResult.permit();
        });
    }

    private static void protect(RoutingContext context, String path) {
        HttpServerResponse response = context.response();
        response.putHeader("Content-Security-Policy", CONTENT_POLICY);
        response.putHeader("X-Content-Type-Options", "nosniff");
        response.putHeader("X-Frame-Options", "DENY");
        response.putHeader("Referrer-Policy", "no-referrer");
        response.putHeader("Cross-Origin-Opener-Policy", "same-origin");
        response.putHeader("Cross-Origin-Resource-Policy", "same-origin");
        response.putHeader("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
        if (path.startsWith(API)) {
            response.putHeader("Cache-Control", "no-store");
        }
        if (context.request().isSSL()) {
            response.putHeader("Strict-Transport-Security", "max-age=31536000");
        }
    }

    /** A page of another site may send requests, but it cannot set this header, and the browser says where it is from. */
    private Optional<Problem> foreign(HttpServerRequest request) {
        String authority = request.authority() == null ? "" : request.authority().toString();
        if (!access.needsLogin() && !Access.isLoopbackName(authority)) {
            return Optional.of(Problem.of(403, "this console is for this machine only: open it as http://127.0.0.1:"
                    + request.localAddress().port()));
        }
        if (READING.contains(request.method().name())) {
            return Optional.empty();
        }
        String site = request.getHeader("Sec-Fetch-Site");
        if (site != null && !site.equals("same-origin") && !site.equals("none")) {
            return Optional.of(Problem.of(403, "the request comes from a page of another site"));
        }
        String origin = request.getHeader("Origin");
        if (origin != null && !origin.equalsIgnoreCase(request.scheme() + "://" + authority)) {
            return Optional.of(Problem.of(403, "the request comes from a page of another address; behind a proxy, set "
                    + "quarkus.http.proxy.proxy-address-forwarding and the headers that it sends"));
        }
        if (!"1".equals(request.getHeader("X-Sluice"))) {
            return Optional.of(Problem.of(403, "a request that changes something has the header X-Sluice: 1"));
        }
        String type = request.getHeader("Content-Type");
        return type != null && type.toLowerCase(java.util.Locale.ROOT).matches("application/json\\s*(;.*)?")
                ? Optional.empty()
                : Optional.of(Problem.of(415, "send JSON, with Content-Type: application/json"));
    }

    private static Uni<CheckResult> notSignedIn(RoutingContext context, String path) {
        if (path.startsWith(API)) {
            return refuse(context, Problem.of(401, "sign in first: POST /api/v1/login"));
        }
        if (READING.contains(context.request().method().name())) {
            context.response().setStatusCode(303).putHeader("Location", "/login.html").end();
            return denied();
        }
        return refuse(context, Problem.of(401, "sign in first"));
    }

    private static Uni<CheckResult> refuse(RoutingContext context, Problem problem) {
        context.response()
                .setStatusCode(problem.status())
                .putHeader("Content-Type", Problem.MEDIA_TYPE)
                .putHeader("Cache-Control", "no-store")
                .end(Json.text(problem));
        return denied();
    }

    /** It is answered already. A result that denies would be logged as an error then, with its stack, each time. */
    private static Uni<CheckResult> denied() {
        return Uni.createFrom().failure(new AuthenticationFailedException());
    }
}
