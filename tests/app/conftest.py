"""Small videos with sound, and a tiny model as one folder."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
import torch
from numpy import ndarray

if TYPE_CHECKING:
    from s3vae.app.model import VideoModel
    from s3vae.model.architecture import Architecture

RATE, HERTZ = 10, 8000
FACTS = {"scores": {}}


def write_video(path: Path, frames: int, level: int = 0, *, sound: bool = False) -> Path:
    """Write a grey ball that crosses frames of 96x72, with a tone as long as them if `sound`."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=RATE, options={"crf": "1"})
        video.width, video.height, video.pix_fmt = 96, 72, "yuv420p"
        voice = output.add_stream("aac", rate=HERTZ, layout="mono") if sound else None
        for index in range(frames):
            picture = np.full((72, 96, 3), level, np.uint8)
            picture[30:50, 5 + 4 * index % 60 :][:, :16] = 200
            output.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(video.encode())
        if voice is not None:
            wave = np.sin(np.arange(frames * HERTZ // RATE) / 3).astype(np.float32)[None]
            tone = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            tone.sample_rate, tone.pts, tone.time_base = HERTZ, 0, Fraction(1, HERTZ)
            output.mux(voice.encode(tone))
            output.mux(voice.encode())
    return path


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A silent video of 7 frames, and one of 12 frames with sound."""
    folder = tmp_path_factory.mktemp("videos")
    return (
        write_video(folder / "appearance.mp4", 7, level=90),
        write_video(folder / "motion.mp4", 12, sound=True),
    )


@pytest.fixture(scope="session")
def folder(tiny: "Architecture", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shared model of clips of 4 frames, every second one of a video."""
    from s3vae.app.package import Package, write_package
    from s3vae.data.preparation import Preparation
    from s3vae.model.s3vae import S3VAE

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    model = S3VAE(replace(tiny, decoder="warped")).eval()
    package = Package(model, Preparation(time=4, stride=2, error_per_pixel=1.0), FACTS)
    write_package(folder, package, "# tiny\n", half=False)
    return folder


@pytest.fixture(scope="session")
def model(folder: Path) -> "VideoModel":
    from s3vae.app.load import load

    return load(folder, "cpu")


@pytest.fixture(scope="session")
def noise() -> Callable[..., ndarray]:
    """Return random frames of these sizes."""

    def drawn(time: int, height: int = 64, width: int = 64, channels: int = 3) -> ndarray:
        shape = time, height, width, channels
        return np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)

    return drawn


@pytest.fixture
def clip(noise: Callable[..., ndarray]) -> ndarray:
    """Four random frames of the size of the model."""
    return noise(4)
