"""The objective: where gradients flow, and what differs between training and validation."""

from collections.abc import Callable
from dataclasses import fields

import pytest
import torch
from torch import Generator, Tensor

from s3vae.distributions import Gaussian
from s3vae.engine.batches import Batch
from s3vae.model.s3vae import Posterior
from s3vae.tensors import to_unit
from s3vae.training.objective import Objective, Terms
from s3vae.training.presets import LossSettings, Weights, losses

Draws = Callable[[int], Generator]
Make = Callable[..., Objective]
Step = Callable[..., Terms]

ENCODER = "frame_encoder"
REACHED = {
    "reconstruction": {ENCODER, "static_posterior", "dynamic_posterior", "decoder"},
    "static_kl": {ENCODER, "static_posterior"},
    "dynamic_kl": {ENCODER, "dynamic_posterior", "prior"},
    "consistency": {ENCODER, "static_posterior"},
    "factor_prediction": {ENCODER, "dynamic_posterior", "signal_head"},
    "independence": {ENCODER, "static_posterior", "dynamic_posterior"},
    "aggregate": {ENCODER, "static_posterior"},
}


@pytest.fixture
def step(batch: Batch, draws: Draws) -> Step:
    """Return the terms of an objective on the batch, with changes to what is known of its clips."""

    def step(objective: Objective, seed: int = 0, **known: Tensor) -> Terms:
        terms: Terms = objective(Batch(batch.frames, batch.known | known), draws(seed))
        return terms

    return step


def decoder_calls(objective: Objective) -> list[Tensor]:
    """The z_f that the decoder receives in each coming step, a row per decoded frame."""
    codes: list[Tensor] = []
    objective.model.decoder.register_forward_pre_hook(
        lambda _, inputs: codes.append(inputs[0].detach().flatten(0, -2))
    )
    return codes


@pytest.mark.parametrize("posterior", ["bilstm", "pooled"])
@pytest.mark.parametrize("term", REACHED)
def test_the_gradient_of_a_term_reaches_its_own_modules_and_no_other(
    term: str, posterior: str, make: Make, step: Step
) -> None:
    settings = losses("ours", mutual_information="paper")
    objective = make(settings, static_posterior=posterior)
    getattr(step(objective), term).backward()
    reached = {
        name
        for name, part in objective.model.named_children()
        if any(each.grad is not None and each.grad.any() for each in part.parameters())
    }
    assert reached == REACHED[term]


@pytest.mark.parametrize("preset", ["paper", "released", "baseline", "ours"])
def test_every_preset_has_finite_terms_and_trains_every_parameter(
    preset: str, make: Make, step: Step
) -> None:
    objective = make(losses(preset))
    terms = step(objective)
    assert all(torch.isfinite(term) for term in terms.named().values())
    terms.total(objective.settings.weights).backward()
    untrained = {
        name.split(".")[1]
        for name, each in objective.named_parameters()
        if each.grad is None or not each.grad.any()
    }
    assert untrained == ({"signal_head"} if preset == "baseline" else set())


def test_the_total_is_the_weighted_sum_of_all_terms() -> None:
    assert tuple(field.name for field in fields(Weights)) == Terms._fields
    weights = Weights(*range(1, 9))
    terms = Terms(*(torch.tensor(10.0**power) for power in range(7)))
    assert terms.total(weights).item() == 7654321
    supervised = terms._replace(supervision=torch.tensor(0.5))
    assert supervised.total(weights).item() == 7654321 + 8 * 0.5


def test_the_same_seed_gives_the_same_terms(make: Make, step: Step) -> None:
    first, second, other = (step(make(losses("ours")), seed).named() for seed in (0, 0, 1))
    assert first == second
    assert first != other


def test_distances_are_regressed_from_every_frame_of_z_t(
    make: Make, step: Step, draws: Draws
) -> None:
    objective = make(losses("paper", signal="distances"))
    distances = torch.randn(8, 4, 3, generator=draws(1))
    near = step(objective, distances=distances).factor_prediction
    distances[:, 0] += 10
    assert step(objective, distances=distances).factor_prediction > near + 50


@pytest.mark.parametrize(
    ("signal", "targets"),
    [("cells", {"cells"}), ("top-cells", {"top"}), ("top-cells+direction", {"top", "direction"})],
)
def test_only_the_signal_of_the_settings_is_predicted(
    signal: str, targets: set[str], make: Make, step: Step, batch: Batch
) -> None:
    objective = make(LossSettings(signal=signal)).eval()  # type: ignore[arg-type]
    for name in ("cells", "top", "direction"):
        changed = step(objective, **{name: batch.known[name].flip(0)}).factor_prediction
        assert (changed != step(objective).factor_prediction) == (name in targets)


def test_consistency_has_gradients_for_anchor_positive_and_negative(
    make: Make, draws: Draws
) -> None:
    features = torch.randn(8, 4, 8, generator=draws(0), requires_grad=True)
    mean = torch.randn(8, 4, generator=draws(1), requires_grad=True)
    codes = Gaussian(mean, torch.ones(8, 4)), Gaussian(torch.zeros(8, 4, 3), torch.ones(8, 4, 3))
    make(losses("ours", margin=9)).consistency(features, Posterior(*codes), draws(2)).backward()
    assert features.grad.any(dim=-1).any(dim=-1).all()
    assert mean.grad.any(dim=-1).all()


@pytest.mark.parametrize(("setting", "decoded"), [(1, 1), (3, 3), (None, 4), (9, 4)])
def test_as_many_frames_are_decoded_as_set(
    setting: int | None, decoded: int, make: Make, step: Step
) -> None:
    objective = make(losses("ours", decoded_frames=setting))
    calls = decoder_calls(objective)
    step(objective)
    assert [len(codes) for codes in calls] == [8 * decoded]


def test_in_eval_mode_nothing_is_exchanged_or_updated(make: Make, step: Step) -> None:
    with_exchange, without = make(losses("ours")), make(losses("ours", exchange=None))
    with_exchange.exchange.means.normal_(std=9)
    before = {name: each.clone() for name, each in with_exchange.exchange.state_dict().items()}
    assert step(with_exchange.eval()).named() == step(without.eval()).named()
    torch.testing.assert_close(with_exchange.exchange.state_dict(), before, rtol=0, atol=0)


def test_in_training_some_clips_are_decoded_from_codes_shifted_to_another_cluster(
    make: Make, step: Step
) -> None:
    objective = make(losses("ours"))
    objective.exchange.updates[:] = 1e9
    objective.exchange.means[:] = 100 * torch.eye(3, 4)
    calls = decoder_calls(objective)
    step(objective)
    moved = calls[0].abs().amax(dim=1) > 10
    assert moved.any()
    assert not moved.all()  # the target of some clips is their own cluster


def test_a_batch_of_one_cluster_is_decoded_from_its_own_codes(make: Make, step: Step) -> None:
    objectives = make(losses("ours")), make(losses("ours", exchange=None))
    calls = [decoder_calls(each) for each in objectives]
    for objective in objectives:
        step(objective, cluster=torch.zeros(8, dtype=torch.long))
    torch.testing.assert_close(*calls)


def test_every_training_batch_updates_the_cluster_means_with_its_posterior_means(
    make: Make, step: Step, batch: Batch
) -> None:
    objective = make(losses("ours"))
    exchange, means = objective.exchange, objective.model.encode(to_unit(batch.frames)).static.mean
    step(objective)
    assert exchange.updates.tolist() == [1, 1, 1]
    for cluster, mean in enumerate(exchange.means):
        torch.testing.assert_close(mean, means[batch.known["cluster"] == cluster].mean(dim=0))


def test_with_one_cluster_nothing_is_exchanged(make: Make) -> None:
    settings = losses("ours")
    assert Objective(make(settings).model, settings, clusters=1, clips=24).exchange is None


def test_with_same_cluster_swap_a_clip_is_decoded_from_z_t_of_another_clip_of_its_cluster(
    make: Make, batch: Batch, draws: Draws
) -> None:
    objective = make(losses("ours", same_cluster_swap=1.0, decoded_frames=None))
    dynamic = torch.arange(8.0)[:, None, None].expand(8, 4, 3)
    clusters, static = batch.known["cluster"], torch.zeros(8, 4)
    _, decoded = objective.exchange((static, dynamic), static, clusters, draws(0))
    sources = decoded[:, 0, 0].long()
    assert torch.equal(clusters[sources], clusters)
    assert not (sources == torch.arange(8)).any()
