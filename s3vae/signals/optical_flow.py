"""Optical flow between neighbouring frames of a clip, by one of two methods."""

from typing import Annotated, Literal

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray
from pydantic import Field, PositiveFloat, PositiveInt
from pydantic.dataclasses import dataclass

from s3vae.settings import STRICT

Brightness = Annotated[int, Field(ge=0, le=255)]


@dataclass(frozen=True, config=STRICT)
class Farneback:
    """Farneback's polynomial expansion (OpenCV): fast, and the default.

    `foreground`: flow is set to 0 where neither frame is brighter than this (None: nowhere).
    """

    kind: Literal["farneback"] = "farneback"
    levels: PositiveInt = 3
    pyramid_scale: Annotated[float, Field(gt=0, lt=1)] = 0.5
    window: PositiveInt = 9
    iterations: PositiveInt = 2
    poly_n: Literal[5, 7] = 5
    poly_sigma: PositiveFloat = 1.1
    foreground: Brightness | None = None


@dataclass(frozen=True, config=STRICT)
class TVL1:
    """Dual TV-L1 (OpenCV contrib), with fewer scales and iterations than OpenCV's defaults.

    `foreground`: flow is set to 0 where neither frame is brighter than this (None: nowhere).
    Without it the flow of an object spreads into a textureless background.
    """

    kind: Literal["tvl1"] = "tvl1"
    epsilon: PositiveFloat = 0.05
    scales: PositiveInt = 3
    scale_step: Annotated[float, Field(gt=0, lt=1)] = 0.5
    warps: PositiveInt = 5
    inner_iterations: PositiveInt = 20
    outer_iterations: PositiveInt = 10
    attachment: PositiveFloat = 0.15
    tightness: PositiveFloat = 0.3
    time_step: PositiveFloat = 0.25
    median: Literal[1, 3, 5] = 3
    foreground: Brightness | None = 20


FlowMethod = Annotated[Farneback | TVL1, Field(discriminator="kind")]


def clip_flow(
    frames: UInt8[ndarray, "time height width channel"], method: Farneback | TVL1
) -> Float[ndarray, "time-1 height width 2"]:
    """Estimate the flow from each frame to the next, in pixels; x to the right, y downwards.

    Thread-safe: each call has its own OpenCV object and uses one OpenCV thread.
    """
    require_contrib()
    cv2.setNumThreads(1)
    engine = _engine(method)
    shades = grey(frames)
    flow = np.empty((len(frames) - 1, *shades.shape[1:], 2), np.float32)
    for before, after, pair in zip(shades, shades[1:], flow, strict=False):
        engine.calc(before, after, pair)
    if method.foreground is not None:
        flow[np.maximum(shades[:-1], shades[1:]) <= method.foreground] = 0
    return flow


def grey(
    frames: UInt8[ndarray, "*frames height width channel"],
) -> UInt8[ndarray, "*frames height width"]:
    """Average over channels, so that pure colours contrast equally with black and with white.

    Luma would give blue a tenth of white, near the foreground threshold; the maximum over channels
    would give yellow the value of white.
    """
    channels = [frames[..., index].astype(np.uint16) for index in range(frames.shape[-1])]
    mean = np.asarray(np.sum(channels, axis=0, dtype=np.uint16)) // len(channels)
    return mean.astype(np.uint8)


def require_contrib() -> None:
    """Raise ImportError unless the installed cv2 is that of opencv-contrib-python."""
    if not hasattr(cv2, "optflow"):
        raise ImportError(
            f"cv2 {cv2.__version__} has no optflow: opencv-python has overwritten "
            "opencv-contrib-python (both install the folder cv2). Reinstall it: "
            "pip install --force-reinstall --no-deps 'opencv-contrib-python==5.0.0.93'"
        )


def _engine(method: Farneback | TVL1) -> cv2.DenseOpticalFlow:
    if isinstance(method, Farneback):
        return cv2.FarnebackOpticalFlow.create(
            numLevels=method.levels,
            pyrScale=method.pyramid_scale,
            winSize=method.window,
            numIters=method.iterations,
            polyN=method.poly_n,
            polySigma=method.poly_sigma,
        )
    # by position: releases of OpenCV spell `innnerIterations` differently
    return cv2.optflow.DualTVL1OpticalFlow.create(
        method.time_step,
        method.attachment,
        method.tightness,
        method.scales,
        method.warps,
        method.epsilon,
        method.inner_iterations,
        method.outer_iterations,
        method.scale_step,
        0.0,
        method.median,
    )
