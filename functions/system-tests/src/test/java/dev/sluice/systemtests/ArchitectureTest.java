package dev.sluice.systemtests;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What may depend on what. */
class ArchitectureTest {

    private static final String[] FUNCTIONS = {
        "dev.sluice.scheduler..", "dev.sluice.chunkworker..", "dev.sluice.completion..", "dev.sluice.streaming..",
        "dev.sluice.verification..", "dev.sluice.webhooks..", "dev.sluice.traces..", "dev.sluice.console.."
    };

    private static JavaClasses classes;

    @BeforeAll
    static void read() {
        classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("dev.sluice");
    }

    @Test
    void theDomainIsPlainJava() {
        noClasses()
                .that()
                .resideInAPackage("dev.sluice.domain..")
                .should()
                .dependOnClassesThat()
                .resideOutsideOfPackages("java..", "dev.sluice.domain..")
                .orShould()
                .dependOnClassesThat()
                .resideInAPackage("java.sql..")
                .because("decisions must run without servers: move what needs a framework to messaging or postgres")
                .check(classes);
    }

    @Test
    void onlyPostgresSpeaksSql() {
        noClasses()
                .that()
                .resideInAnyPackage(FUNCTIONS)
                .or()
                .resideInAPackage("dev.sluice.messaging..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("java.sql..", "io.vertx.sqlclient..", "io.vertx.mutiny.sqlclient..", "io.vertx.pgclient..", "org.postgresql..")
                .because("all SQL stands in functions/shared/postgres: add a method there")
                .check(classes);
    }

    @Test
    void functionsDoNotKnowEachOther() {
        slices().matching("dev.sluice.(scheduler|chunkworker|completion|streaming|verification|webhooks|traces|console)..")
                .should()
                .notDependOnEachOther()
                .because("they talk through Kafka: what two need enters functions/shared")
                .check(classes);
    }

    @Test
    void sharedModulesDoNotKnowTheFunctions() {
        noClasses()
                .that()
                .resideInAnyPackage("dev.sluice.domain..", "dev.sluice.messaging..", "dev.sluice.postgres..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(FUNCTIONS)
                .because("functions are built on what is shared, not the other way round")
                .check(classes);
    }

    @Test
    void theCommandLineKnowsTheConsoleByItsHttpApiOnly() {
        noClasses()
                .that()
                .resideInAPackage("dev.sluice.cli..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("dev.sluice.messaging..", "dev.sluice.postgres..", "java.sql..", "io.quarkus..")
                .orShould()
                .dependOnClassesThat()
                .resideInAnyPackage(FUNCTIONS)
                .because("what it lacks belongs into the API, where the page and scripts have it too")
                .check(classes);
    }
}
