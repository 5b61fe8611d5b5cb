"""The objective that a method and a training set define."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from s3vae.baselines.saved import load_model, save_model
from s3vae.data.clips import ClipFile
from s3vae.engine.checkpoint import Checkpoint
from s3vae.engine.schedule import TrainingSettings
from s3vae.model.architecture import Architecture, architecture
from s3vae.model.two_objects import networks
from s3vae.runtime import generator_at
from s3vae.signals.clusters import ClusterSettings
from s3vae.signals.flow_file import FlowSignal, write_flow
from s3vae.training import build
from s3vae.training.build import fit_objective, objective_of, training_set_for
from s3vae.training.method import Method
from s3vae.training.presets import Exchange, losses


@pytest.mark.parametrize("initial_states", [False, True])
def test_the_prior_has_an_initial_state_per_cluster_if_set(
    initial_states: bool, clips: ClipFile, flow: FlowSignal
) -> None:
    clustering = ClusterSettings(candidates=(3,), restarts=2)
    exchange = Exchange(clustering=clustering, initial_states=initial_states)
    settings = losses("ours", exchange=exchange)
    method = Method(architecture("fast"), settings, TrainingSettings(steps=1))
    data = training_set_for(method, clips, flow)
    prior = objective_of(method, data).model.prior
    assert (prior.starts is not None) is initial_states
    assert prior.shares.tolist() == (data.cluster_frequencies.tolist() if initial_states else [1])


def objects_method() -> Method:
    sizes = architecture("fast", encoder="objects", decoder="sprites", static=8, dynamic=6)
    return Method(sizes, losses("ours", exchange=None), TrainingSettings(steps=1))


def test_training_on_objects_needs_a_signal_with_tracks(clips: ClipFile, flow: FlowSignal) -> None:
    with pytest.raises(ValueError, match=r"flow\.h5 has no tracks.*objects: 2"):
        training_set_for(objects_method(), clips, flow)


def test_in_training_objects_are_encoded_along_the_tracks_of_the_signal(
    clips: ClipFile, flow: FlowSignal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tracking them again would take longer than the rest of a step."""
    tracks = np.zeros((clips.clips, clips.time, 2, 2), np.int16)
    tracks[:, :, 1] = 26  # corners of windows to the right of and below the middle
    motion = replace(flow.motion, tracks=tracks, unexplained=np.zeros(clips.clips, np.float32))
    write_flow(tmp_path / "flow.h5", [motion], {"objects": 2}, clips.sha256)

    def refuse(_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(networks, "track", refuse)
    data = training_set_for(objects_method(), clips, FlowSignal(tmp_path / "flow.h5"))
    objective = objective_of(objects_method(), data)
    positions: list[torch.Tensor] = []
    objective.model.dynamic_posterior.register_forward_hook(  # type: ignore[union-attr]
        lambda _, inputs, __: positions.append(inputs[0][..., -4:])
    )
    batch = data.batches[clips.split("train")[:4]]
    objective.losses(batch, generator_at(torch.device("cpu"), 0))
    assert torch.equal(positions[0][0, 0], torch.tensor([-1.6, -1.6, 1.0, 1.0]))


def test_a_model_stops_when_the_validation_loss_no_longer_falls(
    clips: ClipFile, flow: FlowSignal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "validation_losses", lambda *_: {"total": 7.0})
    schedule = TrainingSettings(steps=50, batch_size=4, validate_every=2, patience=2)
    sizes = architecture("fast", encoder_width=4, decoder_width=4)
    method = Method(sizes, losses("ours", exchange=None), schedule)
    data = training_set_for(method, clips, flow)
    checkpoint, cpu = Checkpoint(tmp_path, "stops"), torch.device("cpu")
    fitted = fit_objective(objective_of(method, data), data, method, checkpoint, cpu, "stops")
    assert fitted.history[-1]["step"] == 6


def weights_of(module: nn.Module) -> Tensor:
    return torch.cat([weight.detach().flatten() for weight in module.parameters()])


def test_an_accelerated_training_takes_the_same_way_and_leaves_a_plain_model(
    clips: ClipFile,
    flow: FlowSignal,
    tiny: Architecture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # not compiled: the checks of types that tests switch on cannot be traced
    monkeypatch.setattr(torch, "compile", lambda forward, backend: forward)
    cpu, learned = torch.device("cpu"), []
    for accelerated in (False, True):
        schedule = TrainingSettings(steps=3, warmup=0, batch_size=12, accelerated=accelerated)
        method = Method(tiny, losses("baseline"), schedule)
        data = training_set_for(method, clips, flow)
        objective = objective_of(method, data)
        before = weights_of(objective)
        fit_objective(objective, data, method, Checkpoint(tmp_path, f"{accelerated}"), cpu, "train")
        learned.append(weights_of(objective) - before)
        assert "forward" not in vars(objective.model.decoder)
        save_model(objective.model, tmp_path / f"{accelerated}")
        load_model(tmp_path / f"{accelerated}", cpu)
    assert not torch.equal(*learned)
    assert torch.cosine_similarity(*learned, dim=0) > 0.9
