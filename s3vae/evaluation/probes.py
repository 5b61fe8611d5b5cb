"""Linear probes of each factor on the code that should not contain it."""

from collections.abc import Mapping

from jaxtyping import Float, Int
from numpy import ndarray

from s3vae.data.clips import Factor
from s3vae.evaluation.codes import Codes
from s3vae.judge.scores import mean_of

MOST_ITERATIONS = 200


def probe_accuracy(
    train: Float[ndarray, "clip dim"],
    labels: Int[ndarray, " clip"],
    test: Float[ndarray, "test dim"],
    truth: Int[ndarray, " test"],
) -> float:
    """Return the test accuracy of a logistic regression on standardized codes."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.1, tol=1e-3, max_iter=MOST_ITERATIONS)
    )
    probe.fit(train, labels)
    return float(probe.score(test, truth))


def probe_scores(
    train: Codes,
    train_labels: Mapping[str, Int[ndarray, " clip"]],
    test: Codes,
    test_labels: Mapping[str, Int[ndarray, " test"]],
    factors: tuple[Factor, ...],
) -> dict[str, float]:
    """Return mean accuracies for static factors from z_1:T and for dynamic factors from z_f."""
    scores: dict[str, dict[str, float]] = {"static": {}, "dynamic": {}}
    for factor in factors:
        code = "dynamic" if factor.kind == "static" else "static"
        train_codes, test_codes = (
            getattr(codes, code).flatten(1).cpu().double().numpy() for codes in (train, test)
        )
        scores[factor.kind][factor.name] = probe_accuracy(
            train_codes, train_labels[factor.name], test_codes, test_labels[factor.name]
        )
    return {
        "probe_static_from_dynamic": mean_of(scores["static"]),
        "probe_dynamic_from_static": mean_of(scores["dynamic"]),
    }
