"""Facial distances predicted from z_t against the true ones, as scores and as a picture."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
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
def predict_distances(
    model: S3VAE, codes: Codes, clips: ClipFile, signal: LandmarkSignal
) -> Distances:
    """Return the distances that the signal head predicts from z_t, in the unit of the landmarks."""
    train = clips.split("train")
    mean, spread = signal.scale(train[signal.whole[train]])
    standardized = model.predict_signal(codes.dynamic).double().cpu().numpy()
    distances: ndarray = standardized * spread + mean
    return distances


def distance_scores(
    predicted: Distances, signal: LandmarkSignal, rows: Int[ndarray, " clip"]
) -> dict[str, float]:
    """Return R² of each distance and their mean, over clips whose landmarks are complete."""
    whole = signal.whole[rows]
    true = signal.distances[rows][whole].astype(np.float64)
    errors = ((predicted[whole] - true) ** 2).mean(axis=(0, 1))
    explained = 1 - errors / true.var(axis=(0, 1))
    names = [f"distances_explained_{name.replace(' ', '_')}" for name in DISTANCES]
    return {"distances_explained": float(explained.mean())} | dict(
        zip(names, explained.tolist(), strict=True)
    )


def draw_distances(path: Path, predicted: Distances, true: Distances) -> None:
    """Write a PNG with a column per clip and a row per distance, against frames."""
    from matplotlib.figure import Figure  # takes a second

    clips = len(predicted)
    figure = Figure(figsize=(WIDTH * clips, HEIGHT * len(DISTANCES)), layout="constrained")
    rows = figure.subplots(len(DISTANCES), clips, squeeze=False, sharex=True, sharey="row")
    for index, (name, panels) in enumerate(zip(DISTANCES, rows, strict=True)):
        panels[0].set(ylabel=f"{name} / outer eyes")
        for panel, prediction, truth in zip(panels, predicted, true, strict=True):
            panel.plot(truth[:, index], "-", color="0.6", lw=3, label="true")
            panel.plot(prediction[:, index], "--", color="C3", label="read off z_t")
            panel.grid(alpha=0.3)
    for panel in rows[-1]:
        panel.set(xlabel="frame")
    rows[0][0].legend(fontsize="x-small")
    with replacing(path) as aside:
        figure.savefig(aside, format="png", dpi=80, metadata={"Software": None})
