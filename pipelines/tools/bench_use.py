"""`make bench`, second part: how fast a trained model and the command are on this machine."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import torch
from numpy import ndarray

from pipelines.tools.bench import Figures, show
from s3vae.app.film import write_film
from s3vae.export.onnx_files import export_onnx
from s3vae.model.architecture import architecture
from s3vae.model.s3vae import S3VAE
from s3vae.processes import cores
from s3vae.tensors import to_bytes, to_unit

CLIPS, TIME, SECONDS = 8, 15, 3.0
FRAMES = 75
"""Frames of the videos of which the command makes one."""


def measure_coding() -> Mapping[str, Figures]:
    """Return frames per second, encoded and decoded, by size, threads and engine."""
    rows = {}
    for side in (64, 128):
        sizes = {"height": side, "width": side, "decoder": "layered"}
        model = S3VAE(architecture("fast", **sizes)).eval()
        shape = CLIPS, TIME, side, side, 3
        video = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "onnx"
            export_onnx(model, folder)
            for threads in sorted({1, min(2, cores())}):
                ours = rate(coded_by_torch(model, threads), video)
                theirs = rate(coded_by_onnx(folder, threads), video)
                figures = {"PyTorch": ours, "onnxruntime": theirs, "ratio": theirs / ours}
                rows[f"{side}x{side}, {threads} threads"] = figures
    return rows


def coded_by_torch(model: S3VAE, threads: int) -> Callable[[ndarray], object]:
    """Return a function that encodes and decodes clips by PyTorch."""
    torch.set_num_threads(threads)

    @torch.no_grad()
    def coded(video: ndarray) -> object:
        posterior = model.encode(to_unit(torch.from_numpy(video)))
        return to_bytes(model.decode(posterior.static.mean, posterior.dynamic.mean))

    return coded


def coded_by_onnx(folder: Path, threads: int) -> Callable[[ndarray], object]:
    """Return a function that encodes and decodes clips by onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    encode, decode = (
        onnxruntime.InferenceSession(folder / f"{name}.onnx", options)
        for name in ("encode", "decode")
    )

    def coded(video: ndarray) -> object:
        static, dynamic = encode.run(["static", "dynamic"], {"video": video})
        return decode.run(["video"], {"static": static, "dynamic": dynamic})

    return coded


def rate(coded: Callable[[ndarray], object], video: ndarray) -> float:
    """Return frames per second."""
    coded(video)
    start, rounds = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        coded(video)
        rounds += 1
    return rounds * CLIPS * TIME / (time.perf_counter() - start)


def measure_commands() -> Mapping[str, Figures]:
    """Return the seconds of whole commands, from the shell to the written file."""
    rows = {}
    with tempfile.TemporaryDirectory() as temporary:
        videos = [str(ball(Path(temporary) / f"{name}.mp4")) for name in ("one", "two")]
        model = ["-o", str(Path(temporary) / "out.mp4"), "--force", "--model", "weizmann"]
        for words in (["--help"], ["swap", *videos, *model], ["generate", *model]):
            start = time.perf_counter()
            command = [sys.executable, "-m", "s3vae.app.command", *words]
            subprocess.run(command, check=True, capture_output=True)
            rows[f"`s3vae {words[0]}`"] = {"seconds": time.perf_counter() - start}
    return rows


def ball(path: Path) -> Path:
    """Write a video of a ball that crosses the picture."""
    frames = np.full((FRAMES, 240, 320, 3), 90, np.uint8)
    for index, frame in enumerate(frames):
        cv2.circle(frame, (20 + 3 * index, 120), 25, (200, 200, 200), -1)
    write_film(path, frames, np.arange(FRAMES) / 25)
    return path


if __name__ == "__main__":
    show("clips encoded and decoded, frames/s", measure_coding())
    show(f"command (videos of {FRAMES} frames)", measure_commands())
