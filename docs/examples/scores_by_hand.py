"""Judged scores of one seed, from the judge's probabilities alone.

Run it in the folder of params.yaml. It is for a data set with one dynamic factor.
"""

import numpy as np
from numpy import ndarray

judged = np.load("data/dsprites/s3vae-plus-predictions.npz")
seed, moving, static = 0, "motion", ["shape", "scale", "colour"]


def right(what: str, name: str, rows: ndarray | slice = slice(None)) -> float:
    """Return the share of clips with the label of the clip, or of another row."""
    predicted = judged[f"{what} {seed} {name}"].argmax(1)
    return float(np.mean(predicted == judged[f"label {name}"][rows]))


def entropy(p: ndarray) -> ndarray:
    """Return the entropies of distributions in nats."""
    return -(p * np.log(np.maximum(p, 1e-30))).sum(-1)


def entropies(array: str, name: str) -> tuple[float, float]:
    """Return H(y) and H(y|x) on a class-balanced subset: the first clips of every class."""
    label = judged[f"label {name}"]
    values, counts = np.unique(label, return_counts=True)
    subset = np.concatenate([np.flatnonzero(label == v)[: counts.min()] for v in values])
    p = judged[f"{array} {name}"][subset].astype(float)
    return float(entropy(p.mean(0))), float(entropy(p).mean())


h_y, h_y_given_x = entropies(f"appearance {seed}", moving)
real_h_y, real_h_y_given_x = entropies("real", moving)
drawn_h_y, drawn_h_y_given_x = entropies(f"motion {seed}", moving)
donor = judged[f"donor {seed}"]
print("accuracy", right("appearance", moving))
print("inception_score", np.exp(h_y - h_y_given_x))
print("h_y_given_x", h_y_given_x)
print("h_y", h_y)
print("dynamic_leakage", right("motion", moving))
print("static_h_y", np.mean([entropies(f"appearance {seed}", name)[0] for name in static]))
print("drawn_h_y", drawn_h_y)
print("drawn_h_y_given_x", drawn_h_y_given_x)
print("judge_inception_score", np.exp(real_h_y - real_h_y_given_x))
print("judge_h_y_given_x", real_h_y_given_x)
print("static_preserved", np.mean([right("motion", name) for name in static]))
print("static_leakage", np.mean([right("appearance", name) for name in static]))
print("swap_dynamic", right("swap", moving, donor))
print("swap_static", np.mean([right("swap", name) for name in static]))
