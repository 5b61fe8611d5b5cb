"""The paths of all files that stages read and write, relative to the folder of dvc.yaml."""

from dataclasses import dataclass
from pathlib import Path

CHECKPOINTS = Path(".checkpoints")
"""Unfinished work, named by a hash of its inputs and deleted at the end; git and DVC ignore it."""

RAW = Path("data/raw")
"""Downloaded files, whose checksums are verified at every use."""

RESULTS = Path("results")

BENCHMARK = Path("benchmark")
"""The folder of the benchmark's params.yaml, data and results."""


def takes_clips(model: Path) -> bool:
    """Return whether a model encodes clips; a generator conditioned on categories does not."""
    return not (model / "categories.json").exists()


@dataclass(frozen=True)
class Layout:
    """The files of one data set."""

    dataset: str

    @property
    def clips(self) -> Path:
        """The clips, in the project's format."""
        return Path("data") / self.dataset / "clips.h5"

    @property
    def signals(self) -> Path:
        """The folder of the signals that were extracted from the clips."""
        return Path("data") / self.dataset / "signals"

    @property
    def flow(self) -> Path:
        """The optical flow of the clips, averaged over the cells of a grid."""
        return self.signals / "flow.h5"

    @property
    def landmarks(self) -> Path:
        """The facial landmarks of the clips, and the distances of eyelids and lips."""
        return self.signals / "landmarks.h5"

    @property
    def judge(self) -> Path:
        """The folder of the judge."""
        return Path("data") / self.dataset / "judge"

    @property
    def results(self) -> Path:
        """The folder of the scores of the data set's signals, judge and models."""
        return RESULTS / "scores" / self.dataset

    def model(self, method: str) -> Path:
        """Return the folder of a trained model."""
        return Path("data") / self.dataset / method

    def preview(self, method: str) -> Path:
        """Return the picture of a model's swaps that is renewed while it trains."""
        return Path("previews") / f"{self.dataset}-{method}.png"

    def predictions(self, method: str) -> Path:
        """Return the file of the judge's probabilities from which scores are computed."""
        return Path("data") / self.dataset / f"{method}-predictions.npz"

    def scores(self, method: str) -> Path:
        """Return the folder of a model's history, scores and pictures."""
        return self.results / method
