"""The supervised baseline: each factor is predicted from its own code, with labels it asks for."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Generator, nn

from s3vae.data.clips import ClipFile
from s3vae.losses.supervision import Supervision, label_of
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.signals.flow_file import FlowSignal
from s3vae.training.objective import Objective
from s3vae.training.presets import losses
from s3vae.training.targets import TARGETS
from s3vae.training.training_set import training_set

STATIC, DYNAMIC = {"colour": 2}, {"motion": 3}
Draws = Callable[[int], Generator]


@pytest.mark.parametrize("kind", ["static", "dynamic"])
def test_a_factor_is_predicted_from_its_own_code_alone(kind: str) -> None:
    values = {"static": STATIC, "dynamic": DYNAMIC}[kind]
    codes = {
        "static": torch.randn(4, 5, requires_grad=True),
        "dynamic": torch.randn(4, 3, 6, requires_grad=True),
    }
    known = {label_of(*values): torch.tensor([0, 1, 0, 1])}
    factors = (STATIC, {}) if kind == "static" else ({}, DYNAMIC)
    Supervision(*factors, 5, 6)(codes["static"], codes["dynamic"], known).backward()
    assert {name for name, code in codes.items() if code.grad is not None} == {kind}


def test_undecided_heads_lose_the_logarithm_of_their_number_of_values() -> None:
    supervision = Supervision(STATIC, DYNAMIC, 5, 6)
    for parameter in supervision.parameters():
        nn.init.zeros_(parameter)
    known = {label_of(name): torch.tensor([0, 1]) for name in STATIC | DYNAMIC}
    loss = supervision(torch.randn(2, 5), torch.randn(2, 3, 6), known)
    assert loss.item() == pytest.approx(math.log(2) + math.log(3))


def test_a_training_set_has_labels_only_on_request(clips: ClipFile, flow: FlowSignal) -> None:
    names = {label_of(factor.name) for factor in clips.factors}
    assert not names & training_set(clips, flow, TARGETS["cells"]).batches.known.keys()
    known = training_set(clips, flow, TARGETS["cells"], labelled=True).batches.known
    assert known[label_of("motion")].tolist() == clips.labels("motion").tolist()


def test_only_the_supervised_objective_has_heads_and_trains_them_with_labels(
    clips: ClipFile, flow: FlowSignal, tiny: Architecture, draws: Draws
) -> None:
    data = training_set(clips, flow, TARGETS["top-cells"], labelled=True)
    batch, sizes = data.batches[clips.split("train")[:8]], replace(tiny, signal=data.outputs)
    supervised, plain = (
        Objective(S3VAE(sizes), losses(preset), 1, 24, clips.factors)
        for preset in ("supervised", "baseline")
    )
    supervised(batch, draws(0)).total(supervised.settings.weights).backward()
    assert all(p.grad is not None and p.grad.any() for p in supervised.supervision.parameters())
    assert plain.supervision is None
    assert "supervision" not in plain(batch, draws(0)).named()


def test_supervision_without_factors_is_refused() -> None:
    with pytest.raises(ValueError, match="declares factors"):
        Supervision({}, {}, 5, 6)
