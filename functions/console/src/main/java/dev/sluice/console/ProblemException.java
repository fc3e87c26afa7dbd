package dev.sluice.console;

import java.util.Optional;

/** A request that is not followed, with what its sender is told. */
public final class ProblemException extends RuntimeException {

    private final transient Problem problem;

    public ProblemException(Problem problem) {
        super(problem.detail(), null, false, false);
        this.problem = problem;
    }

    public static ProblemException of(int status, String detail) {
        return new ProblemException(Problem.of(status, detail));
    }

    /** A request that cannot be followed as it is. */
    public static ProblemException refused(String field, String detail) {
        return new ProblemException(Problem.of(400, detail, Optional.of(field)));
    }

    /** Something that the console needs is away. */
    public static ProblemException unavailable(String detail) {
        return new ProblemException(Problem.of(503, detail));
    }

    public Problem problem() {
        return problem;
    }
}
