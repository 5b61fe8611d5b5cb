"""Where every stage finds and leaves its files, relative to the folder of dvc.yaml."""

from dataclasses import dataclass
from pathlib import Path

CHECKPOINTS = Path(".checkpoints")
"""Ignored by git and DVC: unfinished work, by the hash of what it is made from; gone at the end."""

RAW = Path("data/raw")
"""Downloaded files, each verified by its checksum whenever it is used."""

RESULTS = Path("results")

BENCHMARK = Path("benchmark")
"""The folder of the benchmark's params.yaml, data and results."""


def takes_clips(model: Path) -> bool:
    """Whether a trained model encodes clips; a generator that is told categories does not."""
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
        """The optical flow of the clips, summarised on a grid."""
        return self.signals / "flow.h5"

    @property
    def landmarks(self) -> Path:
        """The facial landmarks of the clips, and the distances of lids and lips."""
        return self.signals / "landmarks.h5"

    @property
    def judge(self) -> Path:
        """The folder of the judge."""
        return Path("data") / self.dataset / "judge"

    @property
    def results(self) -> Path:
        """Scores of the data set itself: of its flow, of its judge."""
        return RESULTS / "scores" / self.dataset

    def model(self, method: str) -> Path:
        """The folder of a trained model."""
        return Path("data") / self.dataset / method

    def predictions(self, method: str) -> Path:
        """The judge's probabilities that a model's scores are computed from."""
        return Path("data") / self.dataset / f"{method}-predictions.npz"

    def scores(self, method: str) -> Path:
        """The folder of a model's history, scores and pictures."""
        return self.results / method
