"""Scores of judged clips: accuracy, entropies and the inception score (natural logarithms)."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

Probabilities = Float[ndarray, "clip value"]


def accuracy(probabilities: Probabilities, labels: Int[ndarray, " clip"]) -> float:
    """Share of clips whose most probable value is the label."""
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def mean_of(scores: Mapping[str, float]) -> float:
    """The mean over factors; not a number where there are none."""
    return float(np.mean(list(scores.values()))) if scores else float("nan")


def entropy(probabilities: Float[ndarray, "*rows value"]) -> Float[ndarray, "*rows"]:
    """-sum p log p in nats; 0 log 0 is 0."""
    positive = np.where(probabilities > 0, probabilities, 1.0)
    return np.asarray(-(probabilities * np.log(positive)).sum(axis=-1))


def conditional_entropy(probabilities: Probabilities) -> float:
    """H(y|x), the mean entropy of the judge's answers: low when it is sure."""
    return float(entropy(probabilities).mean())


def marginal_entropy(probabilities: Probabilities) -> float:
    """H(y), the entropy of the mean answer: high when the answers are diverse."""
    return float(entropy(probabilities.mean(axis=0)))


def inception_score(probabilities: Probabilities) -> float:
    """exp of the mean KL(p(y|x) ‖ p(y)), summed term by term (not through the identity)."""
    marginal = probabilities.mean(axis=0)
    ratio = np.where(probabilities > 0, probabilities / np.where(marginal > 0, marginal, 1.0), 1.0)
    return float(np.exp((probabilities * np.log(ratio)).sum(axis=1).mean()))


def balanced(labels: Int[ndarray, " clip"]) -> Bool[ndarray, " clip"]:
    """The first clips of every class, as many of each as the rarest class has."""
    values, counts = np.unique(labels, return_counts=True)
    chosen = np.zeros(len(labels), dtype=bool)
    for value in values:
        chosen[np.flatnonzero(labels == value)[: counts.min()]] = True
    return chosen
