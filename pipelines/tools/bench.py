"""`make bench`: throughput on this machine, each figure beside an alternative in the same run.

Every training and frame size is measured in a process of its own, since the allocator is set up
before the first tensor and peak memory is per process. Quote ratios, not times: machines differ.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.paths import BENCHMARK, Layout
from pipelines.runner import map_shards
from pipelines.stages.flow import tracker
from s3vae.data.clips import ClipFile
from s3vae.processes import cores
from s3vae.signals.flow_grid import MotionSettings, clips_motion
from s3vae.signals.optical_flow import TVL1, Farneback

if TYPE_CHECKING:
    from s3vae.engine.batches import ClipBatches

WARMUP, SHARD, PEER_STEPS = 3, 32, 3
SIDES, CLIPS, TIME = (64, 128, 256), 4, 8
FLOW_CLIPS = {"farneback": 768, "tvl1": 96}
Figures = Mapping[str, float]

OURS, PAPER = "fast preset, s3vae-plus", "paper preset, every frame decoded"
PEER = "C-DSVAE, its network and losses"
TRAININGS: dict[str, tuple[str, str, int, bool]] = {
    OURS: ("fast", "ours", 40, True),
    f"{OURS}, default allocator": ("fast", "ours", 20, False),
    PAPER: ("paper", "paper", 3, True),
}
"""By row: architecture preset, loss preset, timed steps, whether freed memory is kept."""


def clip_file() -> Path:
    """Return the Sprites clips of the benchmark, or else dSprites of the root pipeline."""
    for path in (BENCHMARK / Layout("sprites").clips, Layout("dsprites").clips):
        if path.exists():
            return path
    raise FileNotFoundError(f"{path} is missing: run dvc repro first")


def flow_rate(path: Path, settings: MotionSettings) -> float:
    """Return frame pairs per second on all cores, reading and gridding included."""
    clips = ClipFile(path)
    count = min(FLOW_CLIPS[settings.method.kind], clips.clips)
    shards = [range(first, min(first + SHARD, count)) for first in range(0, count, SHARD)]
    start = time.perf_counter()
    map_shards(
        "flow", lambda shard: clips_motion(clips.frames(shard), settings, tracker(settings)), shards
    )
    return float(count * (clips.time - 1) / (time.perf_counter() - start))


def measure_apart(*arguments: str) -> Figures:
    """Measure a training or a size of frames in a new process of this module."""
    command = [sys.executable, "-m", "pipelines.tools.bench", *arguments]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    figures: Figures = json.loads(output.splitlines()[-1])
    return figures


def measure_training(row: str, path: Path) -> Figures:
    """Return frames per second of training steps, the share of reading, and peak memory in GB.

    The training clips are read beforehand, as in the first epoch; that time is separate.
    """
    from s3vae.runtime import keep_freed_memory

    if row == PEER:
        from pipelines.tools.bench_peer import peer_rate

        keep_freed_memory()
        rate = peer_rate(ClipFile(path), PEER_STEPS)
        return {"frames_per_second": rate, "peak_gb": peak_gb()}
    architecture, losses, steps, tuned = TRAININGS[row]
    if tuned:  # before torch allocates
        keep_freed_memory()
    return train_steps(architecture, losses, steps, path)


def train_steps(architecture: str, losses: str, steps: int, path: Path) -> Figures:
    """Train with these presets for a few timed steps; return their rates."""
    import torch

    from s3vae.engine.batches import training_batches
    from s3vae.engine.schedule import TrainingSettings
    from s3vae.model.architecture import PRESETS as ARCHITECTURES
    from s3vae.runtime import choose_device, generator_at
    from s3vae.signals.flow_file import FlowSignal
    from s3vae.training.build import objective_of, training_set_for
    from s3vae.training.method import Method
    from s3vae.training.presets import PRESETS as LOSSES

    device, settings = choose_device(), TrainingSettings(steps=WARMUP + steps)
    method = Method(ARCHITECTURES[architecture], LOSSES[losses], settings)
    data = training_set_for(method, ClipFile(path), FlowSignal(path.parent / "signals" / "flow.h5"))
    objective = objective_of(method, data).to(device).train()
    optimizer = torch.optim.Adam(objective.parameters(), lr=1e-4, fused=True)
    first_reading = seconds_to_read(data.batches)
    batches = iter(training_batches(data.batches, data.train, settings, first=0))

    def step(number: int) -> tuple[float, int]:
        """Take one step; return the seconds of reading its batch, and its frames."""
        before = time.perf_counter()
        batch = next(batches).to(device)
        reading = time.perf_counter() - before
        optimizer.zero_grad()
        terms = objective(batch, generator_at(device, 0, number))
        terms.total(method.losses.weights).backward()
        optimizer.step()
        return reading, batch.frames.shape[0] * batch.frames.shape[1]

    for number in range(WARMUP):
        step(number)
    start = time.perf_counter()
    steps_taken = [step(number) for number in range(WARMUP, WARMUP + steps)]
    figures = timed(steps_taken, time.perf_counter() - start)
    return {**figures, "first_reading": first_reading}


def seconds_to_read(batches: "ClipBatches") -> float:
    """Read all training clips once; return the seconds."""
    from s3vae.engine.batches import in_turn

    start = time.perf_counter()
    for indices in in_turn(batches.clips.split("train"), SHARD):
        batches[indices]
    return time.perf_counter() - start


def timed(steps: list[tuple[float, int]], seconds: float) -> Figures:
    """Return the rates of steps (seconds of reading, frames), and the process's peak memory."""
    reading, frames = sum(step[0] for step in steps), sum(step[1] for step in steps)
    rate = frames / seconds
    return {"frames_per_second": rate, "reading": reading / seconds, "peak_gb": peak_gb()}


def peak_gb() -> float:
    """Return the largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measure_frames(side: int) -> Figures:
    """Return the milliseconds and megabytes per frame of the fast preset, gradients included."""
    import torch

    from s3vae.model.architecture import architecture
    from s3vae.model.s3vae import S3VAE

    model = S3VAE(architecture("fast", height=side, width=side))
    video, frames = torch.rand(CLIPS, TIME, 3, side, side), CLIPS * TIME
    before = peak_gb()
    for number in range(2 * WARMUP):
        if number == WARMUP:
            start = time.perf_counter()
        static, dynamic = model.encode(video)
        model.decode(static.mean, dynamic.mean).sum().backward()  # type: ignore[no-untyped-call]
    seconds = (time.perf_counter() - start) / WARMUP
    memory = 1000 * (peak_gb() - before) / frames
    return {"milliseconds": 1000 * seconds / frames, "megabytes": memory}


def frame_table() -> Iterator[str]:
    """Yield the lines of the table of frame sizes."""
    yield "\n| frames, fast preset | ms to encode, decode and differentiate | against 64x64 | MB |"
    yield "|---|---|---|---|"
    rows = {side: measure_apart(str(side)) for side in SIDES}
    for side, figures in rows.items():
        ratio = figures["milliseconds"] / rows[SIDES[0]]["milliseconds"]
        yield (
            f"| {side}x{side} | {figures['milliseconds']:.2f} | {ratio:.1f}x "
            f"| {figures['megabytes']:.1f} |"
        )


def tables(path: Path) -> Iterator[str]:
    """Yield the lines of all tables."""
    from pipelines.tools.bench_optimizers import optimizer_table

    yield f"clips: {path}, {cores()} workers\n"
    yield "| optical flow, reading and gridding included | frame pairs/s |\n|---|---|"
    for method in (Farneback(), TVL1()):
        yield f"| {method.kind} | {flow_rate(path, MotionSettings(method=method)):,.0f} |"
    yield (
        "\n| training | frames/s | against paper | reading, share of step "
        "| first reading of the training clips, s | peak memory, GB |\n|---|---|---|---|---|---|"
    )
    rows = {row: measure_apart(row, str(path)) for row in TRAININGS}
    for row, figures in rows.items():
        rate = figures["frames_per_second"]
        ratio = rate / rows[PAPER]["frames_per_second"]
        yield (
            f"| {row} | {rate:,.0f} | {ratio:.1f}x | {figures['reading']:.1%} "
            f"| {figures['first_reading']:.1f} | {figures['peak_gb']:.2f} |"
        )
    peer = measure_apart(PEER, str(path))
    rate = peer["frames_per_second"]
    yield (
        f"| {PEER} | {rate:,.0f} | {rate / rows[PAPER]['frames_per_second']:.1f}x | - | - "
        f"| {peer['peak_gb']:.2f} |"
    )
    yield f"\n{OURS}, against {PEER}: {rows[OURS]['frames_per_second'] / rate:.0f}x"
    yield from optimizer_table("fast")
    yield from frame_table()


if __name__ == "__main__":
    if len(sys.argv) == 2:
        print(json.dumps(measure_frames(int(sys.argv[1]))))
    elif len(sys.argv) > 2:
        print(json.dumps(measure_training(sys.argv[1], Path(sys.argv[2]))))
    else:
        for line in tables(clip_file()):
            print(line, flush=True)
