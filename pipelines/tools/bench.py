"""`make bench`: throughput on this machine, each figure beside its rival in the same run.

Every training figure is taken in a process of its own, since the allocator is set up before the
first tensor and peak memory is a process's. Give ratios, not bare times: machines differ.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.paths import BENCHMARK, Layout
from pipelines.runner import map_shards
from pipelines.stages.flow import tracker
from s3vae.data.clips import ClipFile
from s3vae.processes import cores
from s3vae.signals.flow_grid import MotionSettings, clips_motion
from s3vae.signals.optical_flow import TVL1, Farneback

WARMUP = 3
FLOW_CLIPS = {"farneback": 768, "tvl1": 96}
SHARD = 32
Figures = Mapping[str, float]

if TYPE_CHECKING:
    from s3vae.engine.batches import ClipBatches

TRAININGS: dict[str, tuple[str, str, int, bool]] = {
    "fast preset, s3vae-plus": ("fast", "ours", 40, True),
    "fast preset, s3vae-plus, allocator as it comes": ("fast", "ours", 20, False),
    "paper preset, every frame decoded": ("paper", "paper", 3, True),
}
"""By row: architecture preset, loss preset, timed steps, whether freed memory is kept."""


def clip_file() -> Path:
    """The Sprites clips of the benchmark, or the root pipeline's dSprites where there are none."""
    sprites, dsprites = BENCHMARK / Layout("sprites").clips, Layout("dsprites").clips
    for path in (sprites, dsprites):
        if path.exists():
            return path
    msg = f"neither {sprites} nor {dsprites} is there: run dvc repro first"
    raise FileNotFoundError(msg)


def flow_rate(path: Path, settings: MotionSettings) -> float:
    """Frame pairs per second, reading and gridding included, on all cores."""
    clips = ClipFile(path)
    count = min(FLOW_CLIPS[settings.method.kind], clips.clips)
    shards = [range(start, min(start + SHARD, count)) for start in range(0, count, SHARD)]
    begun = time.perf_counter()
    map_shards(
        "flow", lambda shard: clips_motion(clips.frames(shard), settings, tracker(settings)), shards
    )
    return float(count * (clips.time - 1) / (time.perf_counter() - begun))


def training_figures(row: str, path: Path) -> Figures:
    """What one training of the table costs, measured in a new process."""
    asked = json.dumps({"row": row, "clips": str(path)})
    command = [sys.executable, "-m", "pipelines.tools.bench", asked]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    figures: Figures = json.loads(answer.splitlines()[-1])
    return figures


def measure_training(row: str, path: Path) -> Figures:
    """Frames per second of whole training steps, the share of reading, and peak memory in GB.

    The training clips are read beforehand, as a training's first epoch does; that is told apart.
    """
    from s3vae.runtime import keep_freed_memory

    architecture, losses, steps, kept = TRAININGS[row]
    if kept:
        keep_freed_memory()
    import torch

    from pipelines.stages.train import batches_from
    from s3vae.engine.schedule import TrainingSettings
    from s3vae.model.architecture import PRESETS as ARCHITECTURES
    from s3vae.runtime import choose_device, generator_at
    from s3vae.signals.flow_file import FlowSignal
    from s3vae.training.build import objective_of, training_set_for
    from s3vae.training.method import Method
    from s3vae.training.presets import PRESETS as LOSSES

    device = choose_device()
    settings = TrainingSettings(steps=WARMUP + steps)
    method = Method(ARCHITECTURES[architecture], LOSSES[losses], settings)
    flow = FlowSignal(path.with_name("flow.h5"))
    given = training_set_for(method, ClipFile(path), flow)
    objective = objective_of(method, given).to(device).train()
    optimizer = torch.optim.Adam(objective.parameters(), lr=1e-4, fused=True)
    first_reading = read_once(given.batches)
    reading, frames, begun = 0.0, 0, 0.0
    batches = iter(batches_from(0, given, method))
    for step in range(WARMUP + steps):
        if step == WARMUP:
            begun, reading, frames = time.perf_counter(), 0.0, 0
        asked_at = time.perf_counter()
        batch = next(batches).to(device)
        reading += time.perf_counter() - asked_at
        frames += batch.frames.shape[0] * batch.frames.shape[1]
        optimizer.zero_grad()
        terms = objective(batch, generator_at(device, 0, step))
        terms.total(method.losses.weights).backward()
        optimizer.step()
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {
        "frames_per_second": frames / seconds,
        "reading": reading / seconds,
        "first_reading": first_reading,
        "peak_gb": peak,
    }


def optimizer_steps(architecture: str, steps: int = 10) -> dict[str, float]:
    """Milliseconds of an optimizer's step on all matrices of a model; kernels are taken as such."""
    import torch

    from s3vae.engine.optimizers import Muon
    from s3vae.model.architecture import PRESETS as ARCHITECTURES
    from s3vae.model.s3vae import S3VAE

    generator = torch.Generator().manual_seed(0)
    weights = [
        torch.nn.Parameter(weight.detach().flatten(1))
        for weight in S3VAE(ARCHITECTURES[architecture]).parameters()
        if weight.ndim > 1
    ]
    for weight in weights:
        weight.grad = torch.randn(weight.shape, generator=generator)
    rivals = {
        "Muon, ours (float32)": Muon(weights, 0.0),
        "Muon, PyTorch's (bfloat16)": torch.optim.Muon(weights, lr=0.0),
        "Adam": torch.optim.Adam(weights, lr=0.0, fused=True),
    }
    taken = {}
    for name, optimizer in rivals.items():
        optimizer.step()
        begun = time.perf_counter()
        for _ in range(steps):
            optimizer.step()
        taken[name] = 1000 * (time.perf_counter() - begun) / steps
    return taken


def read_once(batches: "ClipBatches") -> float:
    """Seconds to read all training clips, which are then held in memory if they fit."""
    from s3vae.engine.batches import in_turn

    begun = time.perf_counter()
    for indices in in_turn(batches.clips.split("train"), SHARD):
        batches[indices]
    return time.perf_counter() - begun


def main() -> None:
    """Print the tables."""
    path = clip_file()
    print(f"clips: {path}, {cores()} workers\n")
    print("| optical flow, reading and gridding included | frame pairs/s |\n|---|---|")
    for method in (Farneback(), TVL1()):
        print(f"| {method.kind} | {flow_rate(path, MotionSettings(method=method)):,.0f} |")
    rows = {row: training_figures(row, path) for row in TRAININGS}
    paper = rows["paper preset, every frame decoded"]["frames_per_second"]
    print(
        "\n| training | frames/s | against paper | reading, share of step "
        "| first reading of the training clips, s | peak memory, GB |"
    )
    print("|---|---|---|---|---|---|")
    for row, figures in rows.items():
        rate = figures["frames_per_second"]
        print(
            f"| {row} | {rate:,.0f} | {rate / paper:.1f}x | {figures['reading']:.1%} "
            f"| {figures['first_reading']:.1f} | {figures['peak_gb']:.2f} |"
        )
    taken = optimizer_steps("fast")
    print("\n| optimizer, fast preset | ms a step | against ours |\n|---|---|---|")
    for name, milliseconds in taken.items():
        ratio = milliseconds / taken["Muon, ours (float32)"]
        print(f"| {name} | {milliseconds:,.1f} | {ratio:.2f}x |")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asked = json.loads(sys.argv[1])
        print(json.dumps(measure_training(asked["row"], Path(asked["clips"]))))
    else:
        main()
