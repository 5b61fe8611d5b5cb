"""The registry of metrics: the name, title, unit, group and direction of every score.

Tables, the report, curves, the retraining gate and MLflow read it. A name is a key of metrics.json;
a key with `_std` added is the standard deviation over the sampling seeds. Needs no torch.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Unit = Literal["%", "nats", ""]
Group = Literal[
    "headline",
    "separation",
    "intervention",
    "draws",
    "generation",
    "continuation",
    "reconstruction",
    "probes",
    "dependence",
    "faces",
    "judge",
    "agreement",
    "label-free",
]
NOT_JUDGED = "not_judged"
"""The key of metrics.json with the reason why the judge scored nothing."""
REFERENCES: Mapping[Group, Mapping[str, str]] = {
    "generation": {
        "_standard": "N(0, I)",
        "_reconstructed": "reconstruction",
        "_train": "train clips",
        "_real": "real clips",
    },
    "label-free": {"_other": "other donor", "_floor": "reconstruction", "_null": "wrong pair"},
}
"""What stands beside each measure of a group, by the end of its name."""
MEASURED = {"generation": "learned prior", "label-free": "swap"}
"""What the measure itself is of."""


@dataclass(frozen=True)
class Metric:
    """A score of a trained model. Percentages are stored as fractions."""

    name: str
    title: str
    unit: Unit
    group: Group
    better: Literal["higher", "lower"] | None
    """The direction of improvement; None for a reference value such as chance."""

    def text(self, value: float | None, deviation: float | None = None) -> str:
        """Return the score as tables print it."""
        return score_text(value, deviation, self.unit)


def with_references(measure: Metric) -> tuple[Metric, ...]:
    """Return a measure and the reference values beside it."""
    return measure, *(
        replace(measure, name=measure.name + end, title=f"{measure.title}, {title}", better=None)
        for end, title in REFERENCES[measure.group].items()
    )


MEASURES = (
    Metric("flow_cosine", "flow: cosine", "", "label-free", "higher"),
    Metric("flow_error", "flow: relative error", "", "label-free", "lower"),
    Metric("colour_distance", "colours: distance", "", "label-free", "lower"),
    Metric("background_distance", "background: distance", "", "label-free", "lower"),
    Metric("akd", "faces: AKD (pixels)", "", "label-free", "lower"),
    Metric("akd_motion", "faces: AKD of motion (pixels)", "", "label-free", "lower"),
    Metric("aed", "faces: AED", "", "label-free", "lower"),
)
GENERATED = (
    Metric("generated_entropy", "drawn: H(y given x)", "nats", "generation", "lower"),
    Metric("generated_diversity", "drawn: H(y)", "nats", "generation", "higher"),
    Metric("generated_distance", "drawn: Fréchet distance", "", "generation", "lower"),
    Metric("generated_precision", "drawn: precision %", "%", "generation", "higher"),
    Metric("generated_recall", "drawn: recall %", "%", "generation", "higher"),
    Metric(
        "generated_unseen", "drawn: new combinations, of independent %", "%", "generation", "higher"
    ),
    Metric("generated_copies", "drawn: copies %", "%", "generation", "lower"),
)
METRICS = (
    # Table 1 of the paper
    Metric("accuracy", "Acc %", "%", "headline", "higher"),
    Metric("inception_score", "IS", "", "headline", "higher"),
    Metric("h_y_given_x", "H(y given x)", "nats", "headline", "lower"),
    Metric("h_y", "H(y)", "nats", "headline", "higher"),
    # Table 1 does not test whether each code holds its own factors alone
    Metric("static_preserved", "static preserved %", "%", "separation", "higher"),
    Metric("static_leakage", "static leakage %", "%", "separation", "lower"),
    Metric("swap_dynamic", "swap, dynamic %", "%", "separation", "higher"),
    Metric("swap_static", "swap, static %", "%", "separation", "higher"),
    # of the MSD benchmark: all of separation in one number
    Metric("sample_score", "MSD, drawn", "", "intervention", "higher"),
    Metric("swap_score", "MSD, swap", "", "intervention", "higher"),
    Metric("dynamic_leakage", "dynamic leakage %", "%", "draws", "lower"),
    Metric("static_h_y", "H(y) of drawn appearance", "nats", "draws", "higher"),
    Metric("drawn_h_y", "H(y) of drawn motion", "nats", "draws", "higher"),
    Metric("drawn_h_y_given_x", "H(y given x) of drawn motion", "nats", "draws", "lower"),
    # both codes drawn
    *(each for measure in GENERATED for each in with_references(measure)),
    Metric("continued_dynamic", "continued: dynamic %", "%", "continuation", "higher"),
    Metric("continuation_error", "continued: error", "", "continuation", "lower"),
    Metric("continuation_error_floor", "its floor, reconstruction", "", "continuation", None),
    Metric("continuation_error_null", "its null, a still", "", "continuation", None),
    Metric("rollout_motion", "rollout: motion left", "", "continuation", None),
    Metric("rollout_static", "rollout: static %", "%", "continuation", "higher"),
    Metric("rollout_h_y_given_x", "rollout: H(y given x)", "nats", "continuation", "lower"),
    Metric("reconstruction_error", "reconstruction error", "", "reconstruction", "lower"),
    Metric("reconstructed_static", "reconstructed: static %", "%", "reconstruction", "higher"),
    Metric("reconstructed_dynamic", "reconstructed: dynamic %", "%", "reconstruction", "higher"),
    Metric("probe_static_from_dynamic", "probe: static from z_t %", "%", "probes", "lower"),
    Metric("probe_dynamic_from_static", "probe: dynamic from z_f %", "%", "probes", "lower"),
    Metric("mutual_information", "mutual information (nats)", "nats", "dependence", "lower"),
    Metric("mutual_information_null", "its null (nats)", "nats", "dependence", None),
    Metric("distances_explained", "distances from z_t, R² %", "%", "faces", "higher"),
    Metric("judge_accuracy", "judge on real clips: worst factor %", "%", "judge", "higher"),
    Metric("judge_inception_score", "IS of real clips", "", "judge", None),
    Metric("judge_h_y_given_x", "H(y given x) of real clips", "nats", "judge", "lower"),
    Metric("static_chance", "static chance %", "%", "judge", None),
    Metric("dynamic_chance", "dynamic chance %", "%", "judge", None),
    Metric("intervention_floor", "MSD floor", "", "judge", None),
    Metric("agreement", "agreement with real clips %", "%", "agreement", "higher"),
    *(each for measure in MEASURES for each in with_references(measure)),
    Metric("aed_nearer", "faces: nearer to the donor of z_f %", "%", "label-free", "higher"),
    Metric("faces_found", "faces: found in swaps %", "%", "label-free", "higher"),
)


def names(*groups: Group) -> tuple[str, ...]:
    """Return the metrics of these groups in the order of the registry, or all without a group."""
    return tuple(each.name for each in METRICS if not groups or each.group in groups)


def metric(name: str) -> Metric:
    """Return the metric of this name. Raises KeyError if it is not declared."""
    return {each.name: each for each in METRICS}[name]


def score_text(value: float | None, deviation: float | None, unit: Unit) -> str:
    """Return `mean ± deviation`, the mean alone without a deviation to print, `-` if undefined."""
    if value is None or not math.isfinite(value):
        return "-"
    factor, digits = (100, 2) if unit == "%" else (1, 3)
    text = f"{factor * value:.{digits}f}"
    spread = f"{factor * (deviation or 0):.{digits}f}"
    return f"{text} ± {spread}" if float(spread) else text
