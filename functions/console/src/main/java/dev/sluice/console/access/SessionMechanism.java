package dev.sluice.console.access;

import io.quarkus.security.identity.IdentityProviderManager;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.identity.request.AuthenticationRequest;
import io.quarkus.security.runtime.QuarkusPrincipal;
import io.quarkus.security.runtime.QuarkusSecurityIdentity;
import io.quarkus.vertx.http.runtime.security.ChallengeData;
import io.quarkus.vertx.http.runtime.security.HttpAuthenticationMechanism;
import io.quarkus.vertx.http.runtime.security.HttpCredentialTransport;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.Cookie;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.Optional;
import java.util.Set;

/** Who a request is from, by the cookie of the session. The role is the one that the file of users says now. */
@ApplicationScoped
public class SessionMechanism implements HttpAuthenticationMechanism {

    private final Access access;

    @Inject
    public SessionMechanism(Access access) {
        this.access = access;
    }

    /** A browser sends a cookie with the prefix back over TLS only. */
    static String cookie(RoutingContext context) {
        return context.request().isSSL() ? "__Host-sluice" : "sluice";
    }

    static Optional<String> token(RoutingContext context) {
        return Optional.ofNullable(context.request().getCookie(cookie(context))).map(Cookie::getValue);
    }

    @Override
    public Uni<SecurityIdentity> authenticate(RoutingContext context, IdentityProviderManager identities) {
        return Uni.createFrom().item(token(context)
                .flatMap(access.sessions()::use)
                .flatMap(access::user)
                .<SecurityIdentity>map(user -> QuarkusSecurityIdentity.builder()
                        .setPrincipal(new QuarkusPrincipal(user.name()))
                        .addRole(user.role().text())
                        .build())
                .orElse(null));
    }

    @Override
    public Uni<ChallengeData> getChallenge(RoutingContext context) {
        return Uni.createFrom().nullItem();
    }

    @Override
    public Set<Class<? extends AuthenticationRequest>> getCredentialTypes() {
        return Set.of();
    }

    @Override
    public Uni<HttpCredentialTransport> getCredentialTransport(RoutingContext context) {
        return Uni.createFrom().item(new HttpCredentialTransport(HttpCredentialTransport.Type.COOKIE, cookie(context)));
    }
}
