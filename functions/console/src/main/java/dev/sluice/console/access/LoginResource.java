package dev.sluice.console.access;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.console.Json;
import dev.sluice.console.Problem;
import dev.sluice.console.ProblemException;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.Blocking;
import io.vertx.core.http.Cookie;
import io.vertx.core.http.CookieSameSite;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.logging.Logger;

/** Signing in and out, and who one is. */
@Path("/api/v1")
@Tag(name = "Who gets in")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class LoginResource {

    private static final Logger LOG = Logger.getLogger(LoginResource.class);
    private static final int BODY_LENGTH_MAX = 4_096;
    private static final int NAME_LENGTH_MAX = 100;
    /** A hash takes a processor for long: more at once would leave none to the others. */
    private static final Semaphore CHECKS = new Semaphore(2);
    private static final Throttle BY_USER = new Throttle(10);
    private static final Throttle BY_ADDRESS = new Throttle(50);

    private final Access access;
    private final SecurityIdentity identity;
    private final RoutingContext context;
    private final String version;

    @Inject
    public LoginResource(
            Access access,
            SecurityIdentity identity,
            RoutingContext context,
            @ConfigProperty(name = "quarkus.application.version", defaultValue = "unknown") String version) {
        this.access = access;
        this.identity = identity;
        this.context = context;
        this.version = version;
    }

    @GET
    @Path("/me")
    @Operation(summary = "Who I am, and what I may do")
    public Response me() {
        String login = access.needsLogin() ? "password" : "none";
        if (access.needsLogin() && identity.isAnonymous()) {
            Map<String, Object> problem = new LinkedHashMap<>();
            problem.put("type", "about:blank");
            problem.put("title", "Unauthorized");
            problem.put("status", 401);
            problem.put("detail", "sign in first");
            problem.put("login", login);
            return Response.status(401).type(Problem.MEDIA_TYPE).entity(Json.text(problem)).build();
        }
        Map<String, Object> me = new LinkedHashMap<>();
        if (!identity.isAnonymous()) {
            me.put("user", identity.getPrincipal().getName());
        }
        boolean acts = !access.needsLogin() || identity.hasRole(Role.OPERATOR.text());
        me.put("role", (acts ? Role.OPERATOR : Role.VIEWER).text());
        me.put("login", login);
        me.put("version", version);
        return Response.ok(Json.text(me)).build();
    }

    @POST
    @Path("/login")
    @Consumes(MediaType.APPLICATION_JSON)
    @Operation(summary = "Signs in: {\"user\": …, \"password\": …}; the answer sets the cookie of the session")
    public Response login(String body) {
        if (!access.needsLogin()) {
            throw ProblemException.of(409, "nobody has to sign in here");
        }
        if (body.length() > BODY_LENGTH_MAX) {
            throw ProblemException.of(413, "the request is too large");
        }
        JsonNode json = tree(body);
        String name = json.path("user").asText("");
        String password = json.path("password").asText("");
        String address = context.request().remoteAddress().hostAddress();
        String shown = name.length() <= NAME_LENGTH_MAX && name.matches("[A-Za-z0-9._@-]+") ? name : "(no valid name)";
        if (BY_USER.mustWait(name + "@" + address) || BY_ADDRESS.mustWait(address)) {
            LOG.warnf("sign-in refused after too many failures user=%s address=%s", shown, address);
            return Response.status(429)
                    .type(Problem.MEDIA_TYPE)
                    .header("Retry-After", Throttle.WINDOW.toSeconds())
                    .entity(Json.text(Problem.of(429, "too many failed tries: wait five minutes")))
                    .build();
        }
        if (!verified(name, password)) {
            BY_USER.failed(name + "@" + address);
            BY_ADDRESS.failed(address);
            LOG.warnf("sign-in failed user=%s address=%s", shown, address);
            throw ProblemException.of(401, "user or password is wrong");
        }
        BY_USER.succeeded(name + "@" + address);
        SessionMechanism.token(context).ifPresent(access.sessions()::end);
        setCookie(access.sessions().begin(name), false);
        LOG.infof("signed in user=%s address=%s", name, address);
        return Response.noContent().build();
    }

    private static JsonNode tree(String body) {
        try {
            return Json.mapper().readTree(body);
        } catch (JsonProcessingException e) {
            throw ProblemException.of(400, "send JSON: {\"user\": …, \"password\": …}");
        }
    }

    private boolean verified(String name, String password) {
        if (!Passwords.fits(password)) {
            return false;
        }
        try {
            CHECKS.acquire();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
        try {
            Optional<Users.User> user = access.user(name);
            if (user.isEmpty()) {
                Passwords.spendAsMuch(password);
            }
            return user.filter(it -> Passwords.verify(it.hash(), password)).isPresent();
        } finally {
            CHECKS.release();
        }
    }

    @POST
    @Path("/logout")
    @Operation(summary = "Ends the session")
    public Response logout() {
        SessionMechanism.token(context).flatMap(access.sessions()::end)
                .ifPresent(user -> LOG.infof("signed out user=%s", user));
        setCookie("", true);
        return Response.noContent().build();
    }

    private void setCookie(String token, boolean gone) {
        Cookie cookie = Cookie.cookie(SessionMechanism.cookie(context), token)
                .setPath("/")
                .setHttpOnly(true)
                .setSecure(context.request().isSSL())
                .setSameSite(CookieSameSite.STRICT);
        if (gone) {
            cookie.setMaxAge(0);
        }
        context.response().addCookie(cookie);
    }
}
