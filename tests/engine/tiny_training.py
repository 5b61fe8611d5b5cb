"""A tiny training for tests of resuming: tiny_training.py DATA CHECKPOINTS PAUSE [RESULT]."""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from s3vae.data.clips import ClipFile
from s3vae.engine.batches import Batch, training_batches
from s3vae.engine.checkpoint import Checkpoint, History
from s3vae.engine.fit import fit
from s3vae.engine.parallel import process_group
from s3vae.engine.schedule import TrainingSettings
from s3vae.model.architecture import architecture
from s3vae.model.s3vae import S3VAE
from s3vae.signals.clusters import ClusterSettings
from s3vae.signals.flow_file import FlowSignal
from s3vae.tensors import to_unit
from s3vae.training.build import learner_of
from s3vae.training.objective import Objective
from s3vae.training.presets import Exchange, losses
from s3vae.training.targets import TARGETS
from s3vae.training.training_set import training_set
from s3vae.weights import save_weights

STEPS = 24
SETTINGS = TrainingSettings(
    steps=STEPS, batch_size=8, warmup=5, log_every=3, validate_every=6, checkpoint_every=3
)
SIZES = {"encoder_width": 4, "decoder_width": 4, "features": 8, "recurrent": 8, "static": 4}


class StoppedError(Exception):
    """The training was interrupted on purpose."""


def train(
    data: Path, checkpoints: Path, pause: float = 0, stop_before: int = STEPS
) -> tuple[Objective, History]:
    """Train `s3vae-plus` on the squares; raises StoppedError before step `stop_before`."""
    clips, cpu = ClipFile(data / "clips.h5"), torch.device("cpu")
    exchange = Exchange(clustering=ClusterSettings(candidates=(3,), least=-1, restarts=1))
    settings = losses("ours", exchange=exchange, same_cluster_swap=0.3)
    data_set = training_set(
        clips, FlowSignal(data / "flow.h5"), TARGETS["cells"], exchange.clustering
    )
    torch.manual_seed(SETTINGS.seed)
    clusters = len(data_set.cluster_frequencies)
    sizes = architecture("fast", signal=data_set.outputs, clusters=clusters, **SIZES)
    objective = Objective(S3VAE(sizes), settings, clusters, len(clips.split("train")))

    def batches(first: int) -> Iterator[Batch]:
        order = training_batches(data_set.batches, data_set.train, SETTINGS, first)
        for step, batch in enumerate(order, start=first):
            if step == stop_before:
                raise StoppedError
            time.sleep(pause)
            yield batch

    checkpoint = Checkpoint(checkpoints, "tiny")
    learner = learner_of(objective, data_set, cpu)
    with process_group(cpu):
        history, _ = fit(
            learner, batches, SETTINGS, checkpoint, cpu, lambda row: None, label="tiny"
        )
    return objective, history


@torch.no_grad()
def outputs(trained: Objective, data: Path) -> dict[str, Tensor]:
    """The codes of some clips and their reconstructions."""
    video = to_unit(torch.from_numpy(ClipFile(data / "clips.h5").frames(range(6))))
    static, dynamic = (code.mean for code in trained.model.encode(video))
    decoded = trained.model.decode(static, dynamic)
    return {"static": static, "dynamic": dynamic, "decoded": decoded.contiguous()}


if __name__ == "__main__":
    if len(sys.argv) > 4:  # results are compared more exactly than single precision
        torch.set_default_dtype(torch.float64)
    trained, rows = train(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
    for result in map(Path, sys.argv[4:]):  # a folder per process
        rank = result / os.environ.get("RANK", "0")
        rank.mkdir(parents=True)
        save_weights(trained, rank)
        (rank / "history.json").write_text(json.dumps(rows))
        save_file(outputs(trained, Path(sys.argv[1])), rank / "outputs.safetensors")
