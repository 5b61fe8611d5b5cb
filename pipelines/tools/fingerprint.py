"""Fingerprints: a hash of every method's weights after six steps on small made-up clips.

Equal lines before and after a change, on the same machine, show that the change left training
alone. Clips, signals and steps are the project's own; only their size is not.
"""

import dataclasses
import hashlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from numpy import ndarray
from ruamel.yaml import YAML
from torch import nn

from pipelines.params import read_pipeline, section
from pipelines.stages.flow import tracker
from s3vae.data.clips import ClipFile, ClipSet, Factor, write_clips
from s3vae.engine.checkpoint import Checkpoint
from s3vae.engine.schedule import TrainingSettings
from s3vae.judge.learner import fit_judge, new_judge
from s3vae.judge.settings import JudgeStage
from s3vae.runtime import keep_freed_memory
from s3vae.signals.flow_file import write_flow
from s3vae.signals.flow_grid import MotionSettings, clips_motion
from s3vae.signals.landmark_file import write_landmarks
from s3vae.signals.landmarks import POINTS, Landmarks
from s3vae.training.build import fit_objective, objective_of, signal_of, training_set_for
from s3vae.training.method import AnyMethod
from s3vae.training.targets import read_signal

STEPS, CLIPS, TIME, SIZE = 6, 60, 6, 64
CPU = torch.device("cpu")
MOTIONS = ((0, 3), (3, 0), (-2, -2))
"""Pixels down and to the right per frame."""


def fingerprints(folder: Path = Path()) -> Iterator[tuple[str, str]]:
    """Yield name and hash of every judge and method that the configs of a folder describe."""
    for config in sorted((folder / read_pipeline(folder).code / "configs").glob("*.yaml")):
        name, asked = config.stem, YAML(typ="safe").load(config)
        with tempfile.TemporaryDirectory() as temporary:
            clips = made_up_clips(Path(temporary) / "clips.h5")
            judge = section(JudgeStage, name, "judge", folder=folder)
            yield f"{name} judge", judge_fingerprint(judge, clips)
            motion = section(MotionSettings, name, "flow", folder=folder)
            write_signals(Path(temporary), clips, motion)
            for method in asked["methods"]:
                settings: Any = section(AnyMethod, name, "methods", method, folder=folder)
                yield f"{name} {method}", method_fingerprint(settings, clips, Path(temporary))


def method_fingerprint(method: Any, clips: ClipFile, folder: Path) -> str:
    """The hash of a method's model after its first steps on these clips and their signals."""
    method = dataclasses.replace(method, training=shortened(method.training))
    signal = read_signal(signal_of(method), folder)
    data = training_set_for(method, clips, signal)
    objective = objective_of(method, data)
    checkpoint = Checkpoint(folder, "fingerprint")
    fit_objective(objective, data, method, checkpoint, CPU, label="fingerprint")
    return hash_of(objective.model)


def judge_fingerprint(settings: JudgeStage, clips: ClipFile) -> str:
    """The hash of a judge after its first steps on these clips."""
    settings = dataclasses.replace(
        settings, training=shortened(settings.training), fresh=False, frames=None
    )
    judge = new_judge(clips, settings, CPU)
    checkpoint = Checkpoint(clips.path.parent, "fingerprint-judge")
    fit_judge(judge, clips, settings, checkpoint, CPU, report=lambda row: None)
    return hash_of(judge)


def shortened(training: TrainingSettings) -> TrainingSettings:
    """The schedule of a few steps that ends with a validation and leaves no checkpoint."""
    return dataclasses.replace(
        training,
        steps=STEPS,
        least_passes=0,
        warmup=2,
        batch_size=16,
        validate_every=STEPS,
        patience=None,
        snapshot_every=None,
    )


def hash_of(module: nn.Module) -> str:
    """Sixteen hexadecimal digits of all weights and buffers, whatever their names and order."""
    tensors = sorted(
        hashlib.sha256(
            f"{tuple(value.shape)}".encode() + value.contiguous().numpy().tobytes()
        ).digest()
        for value in module.state_dict().values()
    )
    return hashlib.sha256(b"".join(tensors)).hexdigest()[:16]


def made_up_clips(path: Path) -> ClipFile:
    """Two bright squares on black; their colour is a static factor, their way a dynamic one."""
    generator = np.random.default_rng(0)
    motion, colour = np.arange(CLIPS) % len(MOTIONS), np.arange(CLIPS) // len(MOTIONS) % 3
    starts = generator.integers((16, 8), (20, 12), (CLIPS, 2))
    values = ("0", "1", "2")
    write_clips(
        path,
        ClipSet(
            name="made up",
            source="fingerprint",
            licence="MIT",
            parameters={},
            shape=(CLIPS, TIME, SIZE, SIZE, 3),
            frames=map(clip_of, motion, colour, starts),
            factors=(Factor("colour", "static", values), Factor("motion", "dynamic", values)),
            labels={"colour": colour, "motion": motion},
            identity=np.arange(CLIPS),
            split=np.where(np.arange(CLIPS) < 48, 0, np.where(np.arange(CLIPS) < 54, 1, 2)),
        ),
    )
    return ClipFile(path)


def clip_of(
    motion: SupportsIndex, colour: SupportsIndex, start: ndarray
) -> UInt8[ndarray, "time height width 3"]:
    """One clip: both squares move alike, one of them grey."""
    frames = np.zeros((TIME, SIZE, SIZE, 3), np.uint8)
    for time, frame in enumerate(frames):
        row, column = start + time * np.array(MOTIONS[motion])
        frame[row : row + 9, column : column + 12, colour] = 250
        frame[row + 20 : row + 32, column + 30 : column + 38] = 180
    return frames


def write_signals(folder: Path, clips: ClipFile, settings: MotionSettings) -> None:
    """The flow of the clips, and landmarks whose lids and lips open as the motion factor says."""
    found = clips_motion(clips.frames(range(clips.clips)), settings, tracker(settings))
    write_flow(folder / "flow.h5", [found], settings.parameters, clips.sha256)
    points = made_up_points(clips.labels("motion"))
    seen = Landmarks(points, np.ones(points.shape[:2], bool))
    write_landmarks(folder / "landmarks.h5", [seen], {"longest_gap": 0}, clips.sha256)


def made_up_points(motion: ndarray) -> Float32[ndarray, "clip time 68 2"]:
    """Points at random whose heights over each other grow with time, by a rate per motion."""
    points = np.random.default_rng(1).uniform(10, 50, (POINTS, 2)).astype(np.float32)
    rise = np.arange(TIME)[None, :, None] * (1 + motion)[:, None, None]
    clips = np.tile(points, (len(motion), TIME, 1, 1))
    clips[..., 36:, 1] += rise * np.sin(np.arange(36, POINTS))
    return clips


if __name__ == "__main__":
    keep_freed_memory()
    torch.set_num_threads(1)
    for name, digest in fingerprints():
        sys.stdout.write(f"{digest}  {name}\n")
