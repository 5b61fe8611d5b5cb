"""The model that a method and the examples make together."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

if TYPE_CHECKING:
    from pathlib import Path

    from s3vae.data.clips import ClipFile
    from s3vae.signals.flow_file import FlowSignal
    from s3vae.training.method import Method


@pytest.mark.parametrize("starts", [False, True])
def test_the_prior_begins_in_as_many_codes_as_there_are_clusters_if_asked_to(
    starts: bool, clips: "ClipFile", flow: "FlowSignal"
) -> None:
    from s3vae.engine.schedule import TrainingSettings
    from s3vae.model.architecture import architecture
    from s3vae.signals.clusters import ClusterSettings
    from s3vae.training.build import objective_of
    from s3vae.training.method import Method
    from s3vae.training.objective import Objective
    from s3vae.training.presets import Exchange, losses
    from s3vae.training.targets import TARGETS
    from s3vae.training.training_set import training_set

    clustering = ClusterSettings(candidates=(3,), restarts=2)
    exchange = Exchange(clustering=clustering, initial_states=starts)
    method = Method(
        architecture("fast"), losses("ours", exchange=exchange), TrainingSettings(steps=1)
    )
    given = training_set(clips, flow, TARGETS["cells"], exchange and exchange.clustering)
    objective = objective_of(method, given)
    assert isinstance(objective, Objective)
    prior = objective.model.prior
    assert (prior.starts is not None) is starts
    assert prior.shares.tolist() == (given.cluster_frequencies.tolist() if starts else [1])


def objects_method() -> "Method":
    from s3vae.engine.schedule import TrainingSettings
    from s3vae.model.architecture import architecture
    from s3vae.training.method import Method
    from s3vae.training.presets import losses

    sizes = architecture("fast", encoder="objects", decoder="sprites", static=8, dynamic=6)
    return Method(sizes, losses("ours", exchange=None), TrainingSettings(steps=1))


def test_objects_are_not_trained_on_a_signal_without_tracks(
    clips: "ClipFile", flow: "FlowSignal"
) -> None:
    from s3vae.training.build import training_set_for

    with pytest.raises(ValueError, match=r"flow\.h5 has no tracks.*objects: 2"):
        training_set_for(objects_method(), clips, flow)


def test_in_training_objects_are_seen_along_the_tracks_of_the_signal(
    clips: "ClipFile", flow: "FlowSignal", tmp_path: "Path", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never followed anew: that takes longer than all else in a step."""
    from s3vae.model.two_objects import networks
    from s3vae.runtime import generator_at
    from s3vae.signals.flow_file import FlowSignal, write_flow
    from s3vae.training.build import objective_of, training_set_for

    tracks = np.zeros((clips.clips, clips.time, 2, 2), np.int16)
    tracks[:, :, 1] = 26  # corners of windows that lie right of and below the middle
    motion = replace(flow.motion, tracks=tracks, unexplained=np.zeros(clips.clips, np.float32))
    write_flow(tmp_path / "flow.h5", [motion], {"objects": 2}, clips.sha256)

    def refuse(_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(networks, "track", refuse)
    given = training_set_for(objects_method(), clips, FlowSignal(tmp_path / "flow.h5"))
    objective = objective_of(objects_method(), given)
    batch = given.batches[clips.split("train")[:4]]
    seen: list[torch.Tensor] = []
    objective.model.dynamic_posterior.register_forward_hook(  # type: ignore[union-attr]
        lambda _, inputs, __: seen.append(inputs[0][..., -4:])
    )
    objective.losses(batch, generator_at(torch.device("cpu"), 0))
    assert torch.equal(seen[0][0, 0], torch.tensor([-1.6, -1.6, 1.0, 1.0]))
