"""`make bench`: throughput on this machine, each figure beside an alternative in the same run.

What is measured has a process of its own, since the allocator is set up before the first tensor and
peak memory is per process. Quote ratios, not times: machines differ.
"""

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from pipelines.paths import BENCHMARK, CHECKPOINTS, Layout
from pipelines.reporting.score_table import markdown
from pipelines.runner import map_shards
from pipelines.stages.flow import tracker
from pipelines.tools.bench_peer import peer_learner
from s3vae.data.clips import ClipFile
from s3vae.engine.batches import Batch, ClipBatches, in_turn, training_batches
from s3vae.engine.checkpoint import Checkpoint
from s3vae.engine.fit import Learner, fit
from s3vae.engine.optimizers import Muon
from s3vae.engine.schedule import TrainingSettings
from s3vae.model.architecture import PRESETS as ARCHITECTURES
from s3vae.model.architecture import architecture
from s3vae.model.s3vae import S3VAE
from s3vae.processes import cores
from s3vae.runtime import choose_device, keep_freed_memory
from s3vae.signals.flow_file import FlowSignal
from s3vae.signals.flow_grid import MotionSettings, clips_motion
from s3vae.signals.optical_flow import TVL1, Farneback
from s3vae.training.build import objective_of, training_set_for
from s3vae.training.method import Method
from s3vae.training.presets import PRESETS as LOSSES

WARMUP, SHARD = 3, 32
SIDES, CLIPS, TIME = (64, 128, 256), 4, 8
FLOW_CLIPS = {"farneback": 768, "tvl1": 96}
OPTIMIZER_STEPS = 10
Figures = Mapping[str, float]

OURS, PAPER = "fast preset, s3vae-plus", "paper preset, every frame decoded"
PEER = "C-DSVAE, its network and losses"
TRAININGS: dict[str, tuple[str, str, int, bool]] = {
    OURS: ("fast", "ours", 40, True),
    f"{OURS}, default allocator": ("fast", "ours", 20, False),
    PAPER: ("paper", "paper", 3, True),
    PEER: ("paper", "", 3, True),
}
"""By row: architecture preset, loss preset, timed steps, whether freed memory is kept.

C-DSVAE brings losses of its own."""
OUR_MUON = "Muon, ours (float32)"


def clip_file() -> Path:
    """Return the Sprites clips of the benchmark, or else dSprites of the root pipeline."""
    for path in (BENCHMARK / Layout("sprites").clips, Layout("dsprites").clips):
        if path.exists():
            return path
    raise FileNotFoundError(f"{path} is missing: run dvc repro first")


def apart(function: Callable[..., Any], *arguments: object) -> Any:
    """Call a function in a new process; return its result."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def measure_flow(path: Path, settings: MotionSettings) -> Figures:
    """Return frame pairs per second on all cores, reading and gridding included."""
    clips = ClipFile(path)
    count = min(FLOW_CLIPS[settings.method.kind], clips.clips)
    shards = [range(first, min(first + SHARD, count)) for first in range(0, count, SHARD)]
    start = time.perf_counter()
    map_shards(
        "flow", lambda shard: clips_motion(clips.frames(shard), settings, tracker(settings)), shards
    )
    return {"frame pairs/s": count * (clips.time - 1) / (time.perf_counter() - start)}


def measure_training(row: str, path: Path) -> Figures:
    """Return frames per second of training steps, the share of reading, and peak memory in GB.

    The training clips are read beforehand, as in the first epoch; that time is separate.
    """
    sizes, losses, steps, tuned = TRAININGS[row]
    if tuned:  # before torch allocates
        keep_freed_memory()
    clips, device = ClipFile(path), choose_device()
    settings = TrainingSettings(steps=WARMUP + steps)
    if row == PEER:
        batches, learner = ClipBatches(clips, {}), peer_learner(clips, device)
    else:
        method = Method(ARCHITECTURES[sizes], LOSSES[losses], settings)
        data = training_set_for(method, clips, FlowSignal(path.parent / "signals" / "flow.h5"))
        objective = objective_of(method, data).to(device)
        batches, learner = data.batches, Learner(objective, objective.losses, dict)
    start = time.perf_counter()
    for indices in in_turn(clips.split("train"), SHARD):
        batches[indices]
    first_reading = time.perf_counter() - start
    return {
        **timed_training(learner, batches, settings, device),
        "first reading of the training clips, s": first_reading,
        "peak memory, GB": peak_gb(),
    }


def timed_training(
    learner: Learner, batches: ClipBatches, settings: TrainingSettings, device: torch.device
) -> Figures:
    """Train; return the rates of the steps after the first `WARMUP`."""
    clips = batches.clips
    marks: list[tuple[float, float]] = []  # when each step began, and when it had read its batch

    def timed(first: int) -> Iterator[Batch]:
        begin = time.perf_counter()
        for batch in training_batches(batches, clips.split("train"), settings, first):
            marks.append((begin, time.perf_counter()))
            yield batch
            begin = time.perf_counter()

    checkpoint = Checkpoint(CHECKPOINTS, "bench")
    fit(learner, timed, settings, checkpoint, device, report=lambda row: None, label="bench")
    seconds = time.perf_counter() - marks[WARMUP][0]
    reading = sum(read - begin for begin, read in marks[WARMUP:])
    frames = len(marks[WARMUP:]) * settings.batch_size * clips.time
    return {"frames/s": frames / seconds, "reading, share of step": reading / seconds}


def peak_gb() -> float:
    """Return the largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measure_frames(side: int) -> Figures:
    """Return the milliseconds and megabytes per frame of the fast preset, gradients included."""
    model = S3VAE(architecture("fast", height=side, width=side))
    video, frames = torch.rand(CLIPS, TIME, 3, side, side), CLIPS * TIME
    before = peak_gb()
    for number in range(2 * WARMUP):
        if number == WARMUP:
            start = time.perf_counter()
        static, dynamic = model.encode(video)
        model.decode(static.mean, dynamic.mean).sum().backward()  # type: ignore[no-untyped-call]
    seconds = (time.perf_counter() - start) / WARMUP
    return {
        "ms to encode, decode and differentiate": 1000 * seconds / frames,
        "MB": 1000 * (peak_gb() - before) / frames,
    }


def measure_optimizers() -> Mapping[str, Figures]:
    """Return milliseconds of an optimizer's step on all matrices and kernels of the fast preset."""
    generator = torch.Generator().manual_seed(0)
    weights = [
        torch.nn.Parameter(weight.detach().flatten(1))
        for weight in S3VAE(ARCHITECTURES["fast"]).parameters()
        if weight.ndim > 1
    ]
    for weight in weights:
        weight.grad = torch.randn(weight.shape, generator=generator)
    optimizers = {
        OUR_MUON: Muon(weights, 0.0),
        "Muon, PyTorch's (bfloat16)": torch.optim.Muon(weights, lr=0.0),
        "Adam": torch.optim.Adam(weights, lr=0.0, fused=True),
    }
    figures = {}
    for name, optimizer in optimizers.items():
        optimizer.step()
        start = time.perf_counter()
        for _ in range(OPTIMIZER_STEPS):
            optimizer.step()
        figures[name] = {"ms a step": 1000 * (time.perf_counter() - start) / OPTIMIZER_STEPS}
    return figures


def show(title: str, rows: Mapping[str, Figures], base: str = "") -> None:
    """Print figures as Markdown, with the ratio of the first one to that of the row `base`."""
    table = pd.DataFrame(rows).T
    if base:
        first = table.iloc[:, 0]
        table.insert(1, f"against {base}", first / first[base])
    texts = table.map(lambda value: f"{value:,.0f}" if value >= 100 else f"{value:.3g}")
    texts.insert(0, title, table.index)
    print(markdown(texts), flush=True)


def main() -> None:
    """Print every table as soon as it is complete."""
    path = clip_file()
    print(f"clips: {path}, {cores()} workers\n")
    flows = [MotionSettings(method=method) for method in (Farneback(), TVL1())]
    show(
        "optical flow, reading and gridding included",
        {each.method.kind: apart(measure_flow, path, each) for each in flows},
    )
    show("training", {row: apart(measure_training, row, path) for row in TRAININGS}, PAPER)
    show("optimizer, fast preset", apart(measure_optimizers), OUR_MUON)
    sizes = {f"{side}x{side}": apart(measure_frames, side) for side in SIDES}
    show("frames, fast preset", sizes, f"{SIDES[0]}x{SIDES[0]}")


if __name__ == "__main__":
    main()
