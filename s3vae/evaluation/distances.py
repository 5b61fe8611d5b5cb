"""What z_t tells of the facial distances: against the true ones, as scores and as a picture."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from numpy import ndarray

from s3vae.data.clips import ClipFile
from s3vae.evaluation.codes import Codes
from s3vae.files import replacing
from s3vae.model.s3vae import S3VAE
from s3vae.signals.landmark_file import LandmarkSignal
from s3vae.signals.landmarks import DISTANCES

WIDTH, HEIGHT = 2.6, 1.7
"""Inches of one clip's curve of one distance."""
Distances = Float[ndarray, "clip time 3"]


@torch.no_grad()
def read_off(model: S3VAE, codes: Codes, clips: ClipFile, signal: LandmarkSignal) -> Distances:
    """The distances that the model's head reads off z_t, in those of the landmarks' own unit."""
    train = clips.split("train")
    mean, spread = signal.scale(train[signal.whole[train]])
    told = model.predict_signal(codes.dynamic).double().cpu().numpy()
    distances: ndarray = told * spread + mean
    return distances


def distance_scores(
    told: Distances, signal: LandmarkSignal, rows: Int[ndarray, " clip"]
) -> dict[str, float]:
    """How much of each distance's variance z_t explains (R²), and their mean; over whole clips."""
    whole = signal.whole[rows]
    true = signal.distances[rows][whole].astype(np.float64)
    lost = ((told[whole] - true) ** 2).mean(axis=(0, 1))
    explained = 1 - lost / true.var(axis=(0, 1))
    names = [f"distances_explained_{name.replace(' ', '_')}" for name in DISTANCES]
    return {"distances_explained": float(explained.mean())} | dict(
        zip(names, explained.tolist(), strict=True)
    )


def draw_distances(path: Path, told: Distances, true: Distances) -> None:
    """A column per clip, a row per distance, against frames; as PNG."""
    figure = Figure(figsize=(WIDTH * len(told), HEIGHT * len(DISTANCES)), layout="constrained")
    rows = figure.subplots(len(DISTANCES), len(told), squeeze=False, sharex=True, sharey="row")
    for number, (name, panels) in enumerate(zip(DISTANCES, rows, strict=True)):
        panels[0].set(ylabel=f"{name} / outer eyes")
        for panel, of_told, of_true in zip(panels, told, true, strict=True):
            panel.plot(of_true[:, number], "-", color="0.6", lw=3, label="true")
            panel.plot(of_told[:, number], "--", color="C3", label="read off z_t")
            panel.grid(alpha=0.3)
    for panel in rows[-1]:
        panel.set(xlabel="frame")
    rows[0][0].legend(fontsize="x-small")
    with replacing(path) as aside:
        figure.savefig(aside, format="png", dpi=80, metadata={"Software": None})
