"""Motion signals as targets of dynamic factor prediction: one class per signal.

The class of a signal defines its file, its targets, the outputs of the head that predicts it from
z_t, and its loss. No other code depends on the kind of signal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from s3vae.losses import prediction
from s3vae.signals.clusters import TrainClips
from s3vae.signals.flow_file import FlowSignal
from s3vae.signals.flow_grid import DIRECTIONS
from s3vae.signals.landmark_file import LandmarkSignal
from s3vae.signals.landmarks import DISTANCES
from s3vae.tensors import Scalar

SignalFile = FlowSignal | LandmarkSignal
Predicted = Float[Tensor, "batch time output"]
Targets = Mapping[str, Tensor]


@runtime_checkable
class Target(Protocol):
    """A signal to be predicted from z_t."""

    file: ClassVar[Any]
    """The class of its signal file."""

    def targets(self, signal: Any, train: TrainClips) -> Targets:
        """Return tables with a row per clip, in units fitted on training clips only."""

    def outputs(self, signal: Any) -> int:
        """Return the number of outputs of the head per frame."""

    def loss(self, predicted: Predicted, targets: Targets) -> Scalar:
        """Return the error of the head on a batch, summed over time, mean over clips."""


@dataclass(frozen=True)
class TopCells:
    """The grid cells of largest motion (paper, eq. 6), and their directions (released code)."""

    directions: bool
    file: ClassVar = FlowSignal

    def targets(self, signal: FlowSignal, train: TrainClips) -> Targets:
        """Return the indices of the strongest cells and the direction bin of every cell."""
        motion = signal.motion
        direction = motion.direction.reshape(*motion.direction.shape[:2], -1)
        return {
            "top": torch.from_numpy(motion.top.astype(np.int64)),
            "direction": torch.from_numpy(direction.astype(np.int64)),
        }

    def outputs(self, signal: FlowSignal) -> int:
        """Return one logit per cell and, with directions, one per cell and bin."""
        bins = signal.parameters.get("directions", DIRECTIONS) if self.directions else 0
        return _cells(signal) * (1 + bins)

    def loss(self, predicted: Predicted, targets: Targets) -> Scalar:
        """Return the multi-label cross-entropy of the cells plus that of the directions."""
        cells = targets["direction"].shape[-1]
        loss = prediction.top_cells_loss(predicted[..., :cells], targets["top"])
        if not self.directions:
            return loss
        logits = predicted[..., cells:].reshape(*predicted.shape[:2], cells, -1)
        return loss + prediction.direction_loss(logits, targets["direction"])


@dataclass(frozen=True)
class Cells:
    """Mean magnitude, x and y of the flow in every grid cell, over their standard deviation."""

    file: ClassVar = FlowSignal

    def targets(self, signal: FlowSignal, train: TrainClips) -> Targets:
        """Return three dimensions per cell."""
        cells = signal.motion.cells.reshape(*signal.motion.cells.shape[:2], -1)
        return {"cells": torch.from_numpy(cells / max(float(cells[train].std()), 1e-6))}

    def outputs(self, signal: FlowSignal) -> int:
        """Return three outputs per cell."""
        return 3 * _cells(signal)

    def loss(self, predicted: Predicted, targets: Targets) -> Scalar:
        """Return the squared error."""
        return prediction.flow_regression(predicted, targets["cells"])


@dataclass(frozen=True)
class Distances:
    """The three facial distances (the paper, section 3.3), standardised."""

    file: ClassVar = LandmarkSignal

    def targets(self, signal: LandmarkSignal, train: TrainClips) -> Targets:
        """Return each distance less its mean, over its standard deviation."""
        mean, deviation = signal.scale(train)
        standardised = (signal.distances - mean) / deviation
        return {"distances": torch.from_numpy(standardised.astype(np.float32))}

    def outputs(self, signal: SignalFile) -> int:
        """Return one output per distance."""
        return len(DISTANCES)

    def loss(self, predicted: Predicted, targets: Targets) -> Scalar:
        """Return the squared error."""
        return prediction.distance_regression(predicted, targets["distances"])


TARGETS: dict[str, Target] = {
    "top-cells": TopCells(directions=False),
    "top-cells+direction": TopCells(directions=True),
    "cells": Cells(),
    "distances": Distances(),
}
"""The targets by their names in `losses.signal` of configs/<data set>.yaml."""


def read_signal(name: str, folder: Path) -> SignalFile:
    """Read the file of a signal from the folder of a data set's signals."""
    file: type[SignalFile] = TARGETS[name].file
    return file(folder / f"{file.kind}.h5")


def known_signal(name: str) -> str:
    """Return the name of a signal. Raises ValueError if there is none of this name."""
    if name not in TARGETS:
        raise ValueError(f"there is no signal {name!r}: choose one of {', '.join(TARGETS)}")
    return name


def _cells(signal: FlowSignal) -> int:
    """Return the number of grid cells of a flow signal."""
    rows, columns = signal.motion.cells.shape[2:4]
    return int(rows * columns)
