# One function, or all in one: docker build -f infra/function.Dockerfile --build-arg FUNCTION=scheduler .
# Build first: mvn -DskipTests package
FROM eclipse-temurin:25-jre
ARG FUNCTION=all-in-one
COPY functions/${FUNCTION}/target/quarkus-app/ /sluice/
RUN useradd --system --no-create-home sluice
USER sluice
EXPOSE 8080
# Half of the container's memory is plenty: rows pass through, they do not stay.
ENTRYPOINT ["java", "-XX:MaxRAMPercentage=60", "-XX:+ExitOnOutOfMemoryError", "-Duser.timezone=UTC", "-jar", "/sluice/quarkus-run.jar"]
