"""Scores of predictions: accuracy, entropies and the inception score (natural logarithms)."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

Probabilities = Float[ndarray, "clip value"]


def accuracy(probabilities: Probabilities, labels: Int[ndarray, " clip"]) -> float:
    """Return the share of clips whose most probable value is the label."""
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def mean_of(scores: Mapping[str, float]) -> float:
    """Return the mean over factors, NaN if there are none."""
    return float(np.mean(list(scores.values()))) if scores else float("nan")


def entropy(probabilities: Float[ndarray, "*rows value"]) -> Float[ndarray, "*rows"]:
    """Return -sum p log p in nats, with 0 log 0 = 0."""
    positive = np.where(probabilities > 0, probabilities, 1.0)
    return np.asarray(-(probabilities * np.log(positive)).sum(axis=-1))


def conditional_entropy(probabilities: Probabilities) -> float:
    """Return H(y|x), the mean entropy of the predictions: low if they are certain."""
    return float(entropy(probabilities).mean())


def marginal_entropy(probabilities: Probabilities) -> float:
    """Return H(y), the entropy of the mean prediction: high if predictions are diverse."""
    return float(entropy(probabilities.mean(axis=0)))


def inception_score(probabilities: Probabilities) -> float:
    """Return exp E[KL(p(y|x) ‖ p(y))], summed term by term, not as exp(H(y) - H(y|x))."""
    marginal = probabilities.mean(axis=0)
    ratio = np.where(probabilities > 0, probabilities / np.where(marginal > 0, marginal, 1.0), 1.0)
    return float(np.exp((probabilities * np.log(ratio)).sum(axis=1).mean()))


def balanced(labels: Int[ndarray, " clip"]) -> Bool[ndarray, " clip"]:
    """Select the first clips of every class, as many of each as the rarest class has."""
    values, counts = np.unique(labels, return_counts=True)
    chosen = np.zeros(len(labels), dtype=bool)
    for value in values:
        chosen[np.flatnonzero(labels == value)[: counts.min()]] = True
    return chosen
