"""The objective: gradients reach what they should, and the exchange is for training alone."""

from collections.abc import Callable
from dataclasses import fields

import pytest
import torch
from torch import Generator, Tensor

from s3vae.distributions import Gaussian
from s3vae.engine.batches import Batch
from s3vae.losses.exchange import MotionExchange, same_cluster
from s3vae.model.s3vae import Posterior
from s3vae.tensors import to_unit
from s3vae.training.objective import Objective, Terms
from s3vae.training.presets import Charbonnier, LossSettings, Weights, losses

Draws = Callable[[int], Generator]
Make = Callable[..., Objective]

ENCODER = "frame_encoder"
REACHED = {
    "reconstruction": {ENCODER, "static_posterior", "dynamic_posterior", "decoder"},
    "static_kl": {ENCODER, "static_posterior"},
    "dynamic_kl": {ENCODER, "dynamic_posterior", "prior"},
    "consistency": {ENCODER, "static_posterior"},
    "factor_prediction": {ENCODER, "dynamic_posterior", "signal_head"},
    "independence": {ENCODER, "static_posterior", "dynamic_posterior"},
    "aggregate": {ENCODER, "static_posterior"},
    "cluster_alignment": {ENCODER, "static_posterior"},
}


def exchange_of(objective: Objective) -> MotionExchange:
    assert objective.exchange is not None
    return objective.exchange


@pytest.mark.parametrize("posterior", ["bilstm", "pooled", "averaged"])
@pytest.mark.parametrize("term", REACHED)
def test_the_gradient_of_a_term_reaches_what_it_should_and_nothing_else(
    term: str, posterior: str, make: Make, batch: Batch, draws: Draws
) -> None:
    settings = losses(
        "ours", {"cluster_alignment": 1}, mutual_information="paper", aggregate_decay=0.9
    )
    objective = make(settings, static_posterior=posterior)
    objective(batch, draws(1))  # of which the exchange remembers what the price asks for
    getattr(objective(batch, draws(0)), term).backward()
    reached = {
        name
        for name, part in objective.model.named_children()
        if any(each.grad is not None and each.grad.any() for each in part.parameters())
    }
    assert reached == REACHED[term]


@pytest.mark.parametrize("preset", ["paper", "released", "baseline", "ours"])
def test_every_preset_gives_finite_terms_and_trains_every_parameter(
    preset: str, make: Make, batch: Batch, draws: Draws
) -> None:
    settings = losses(preset)
    objective = make(settings)
    terms = objective(batch, draws(0))
    assert all(torch.isfinite(term) for term in terms.named().values())
    terms.total(settings.weights).backward()
    untrained = {
        name.split(".")[1]
        for name, each in objective.named_parameters()
        if each.grad is None or not each.grad.any()
    }
    assert untrained == ({"signal_head"} if preset == "baseline" else set())


def test_the_total_is_every_term_times_its_weight() -> None:
    assert tuple(field.name for field in fields(Weights)) == Terms._fields
    terms = Terms(*(torch.tensor(10.0**power) for power in range(7)))
    assert terms.total(Weights(1, 2, 3, 4, 5, 6, 7, 8, 9)).item() == 7654321
    priced = terms._replace(cluster_alignment=torch.tensor(0.25))
    assert priced.total(Weights(1, 2, 3, 4, 5, 6, 7, 8, 9)).item() == 7654323
    with_labels = terms._replace(supervision=torch.tensor(0.5))
    assert with_labels.total(Weights(1, 2, 3, 4, 5, 6, 7, 8, 9)).item() == 7654325.5


def test_the_same_randomness_gives_the_same_terms(make: Make, batch: Batch, draws: Draws) -> None:
    def total(seed: int) -> float:
        objective = make(losses("ours"))
        terms: Terms = objective(batch, draws(seed))
        return terms.total(objective.settings.weights).item()

    assert total(0) == total(0)
    assert total(0) != total(1)


def test_charbonnier_errors_take_the_place_of_squares_after_the_steps_named(
    make: Make, batch: Batch, draws: Draws
) -> None:
    absolute = Charbonnier(start_step=2)
    late, squares = make(losses("paper", charbonnier=absolute)), make(losses("paper"))
    pairs = [
        [each(batch, draws(0)).reconstruction.item() for each in (late, squares)] for _ in range(3)
    ]
    assert [mine == theirs for mine, theirs in pairs] == [True, True, False]
    validated = [each.eval()(batch, draws(0)).reconstruction.item() for each in (late, squares)]
    assert validated[0] == validated[1]
    resumed = make(losses("paper", charbonnier=absolute))
    resumed.load_state_dict(late.state_dict())
    assert resumed.steps == 3


def test_distances_are_regressed_from_every_frame_of_z_t(
    make: Make, batch: Batch, draws: Draws
) -> None:
    objective = make(losses("paper", signal="distances"))
    told = torch.randn(len(batch.frames), batch.frames.shape[1], 3, generator=draws(1))
    near = batch._replace(known={**batch.known, "distances": told})
    terms: Terms = objective(near, draws(0))
    first = told.clone()
    first[:, 0] += 10
    far: Terms = objective(near._replace(known={**near.known, "distances": first}), draws(0))
    assert far.factor_prediction > terms.factor_prediction + 50


def test_in_eval_mode_nothing_is_exchanged(make: Make, batch: Batch, draws: Draws) -> None:
    with_exchange, without = make(losses("ours")), make(losses("ours", exchange=None))
    exchange = exchange_of(with_exchange)
    exchange.means.normal_(std=9)
    before = {name: memory.clone() for name, memory in exchange.state_dict().items()}
    mine, its = (each.eval()(batch, draws(0)).named() for each in (with_exchange, without))
    assert mine.keys() == its.keys()
    assert all(torch.equal(mine[name], its[name]) for name in mine)
    assert all(torch.equal(now, before[name]) for name, now in exchange.state_dict().items())


def test_in_training_the_decoder_is_shown_codes_of_exchanged_motion(
    make: Make, batch: Batch, draws: Draws
) -> None:
    objective = make(losses("ours"))
    exchange = exchange_of(objective)
    exchange.updates[:] = 1e9
    exchange.means[:] = 100 * torch.eye(3, 4)
    shown = shown_static_codes(objective, batch, draws(0))
    moved = shown.abs().amax(dim=1) > 10
    assert moved.any()
    assert not moved.all()  # some clips are exchanged with one of their own cluster


def test_the_memory_moves_with_every_training_batch(make: Make, batch: Batch, draws: Draws) -> None:
    objective = make(losses("ours"))
    objective(batch, draws(0))
    assert exchange_of(objective).updates.tolist() == [1, 1, 1]
    assert exchange_of(objective).means.any(dim=1).all()


def test_the_memory_is_of_posterior_means_not_of_draws(
    make: Make, batch: Batch, draws: Draws
) -> None:
    objective = make(losses("ours"))
    with torch.no_grad():
        means = objective.model.encode(to_unit(batch.frames)).static.mean
    objective(batch, draws(0))
    for cluster, mean in enumerate(exchange_of(objective).means):
        torch.testing.assert_close(mean, means[batch.known["cluster"] == cluster].mean(dim=0))


def test_consistency_moves_anchor_positive_and_negative(make: Make, draws: Draws) -> None:
    objective = make(losses("ours", margin=9))
    features = torch.randn(8, 4, 8, generator=draws(0), requires_grad=True)
    mean = torch.randn(8, 4, generator=draws(1), requires_grad=True)
    codes = Gaussian(mean, torch.ones(8, 4)), Gaussian(torch.zeros(8, 4, 3), torch.ones(8, 4, 3))
    term = objective.consistency(features, Posterior(*codes), draws(2))
    term.backward()
    assert features.grad.any(dim=-1).any(dim=-1).all()
    assert mean.grad.any(dim=-1).all()


def test_a_batch_of_one_cluster_is_shown_its_own_codes(
    make: Make, batch: Batch, draws: Draws
) -> None:
    alike = Batch(batch.frames, {**batch.known, "cluster": torch.zeros(8, dtype=torch.long)})
    objective, without = make(losses("ours")), make(losses("ours", exchange=None))
    torch.testing.assert_close(
        shown_static_codes(objective, alike, draws(0)),
        shown_static_codes(without, alike, draws(0)),
    )


def shown_static_codes(objective: Objective, batch: Batch, generator: Generator) -> Tensor:
    """What the decoder is given of z_f, a row per clip."""
    seen: list[Tensor] = []
    hook = objective.model.decoder.register_forward_pre_hook(
        lambda _, given: seen.append(given[0].detach())
    )
    objective(batch, generator)
    hook.remove()
    (codes,) = seen
    return codes.reshape(len(batch.frames), -1, codes.shape[-1])[:, 0]


@pytest.mark.parametrize(("asked", "decoded"), [(1, 1), (3, 3), (None, 4), (9, 4)])
def test_as_many_frames_are_decoded_as_asked(
    asked: int | None, decoded: int, make: Make, batch: Batch, draws: Draws
) -> None:
    objective = make(losses("ours", decoded_frames=asked))
    counts: list[int] = []
    objective.model.decoder.register_forward_hook(lambda _, __, out: counts.append(len(out)))
    objective(batch, draws(0))
    assert counts == [8 * decoded]


def test_no_exchange_is_made_where_all_clips_move_alike(make: Make, batch: Batch) -> None:
    settings = losses("ours")
    objective = Objective(make(settings).model, settings, clusters=1, clips=24)
    assert objective.exchange is None


def test_the_signal_that_the_settings_name_is_predicted(
    make: Make, batch: Batch, draws: Draws
) -> None:
    """A signal that is not named may be anything: the term does not change."""
    named = {"cells": "cells", "top-cells": "top", "top-cells+direction": "direction"}
    for signal, table in named.items():
        objective = make(LossSettings(signal=signal))  # type: ignore[arg-type]
        term = objective.eval()(batch, draws(0)).factor_prediction
        for name in ("cells", "top", "direction"):
            other = Batch(batch.frames, {**batch.known, name: batch.known[name].flip(0)})
            changed = objective(other, draws(0)).factor_prediction != term
            assert changed.item() == (
                name == table or (name == "top" and signal == "top-cells+direction")
            )


CLUSTERS = torch.tensor([0, 1, 0, 2, 1, 0, 0, 1])
ALONE = 3


def test_partners_are_others_of_the_same_cluster(draws: Draws) -> None:
    for seed in range(50):
        mates = same_cluster(CLUSTERS, 1.0, draws(seed))
        assert torch.equal(CLUSTERS[mates], CLUSTERS)
        own = mates == torch.arange(8)
        assert own.nonzero().flatten().tolist() == [ALONE]


def test_without_probability_everyone_is_their_own_partner(draws: Draws) -> None:
    assert torch.equal(same_cluster(CLUSTERS, 0.0, draws(0)), torch.arange(8))


def test_a_partner_is_had_as_often_as_asked_and_each_as_often(draws: Draws) -> None:
    generator = draws(0)
    chosen = torch.stack([same_cluster(CLUSTERS, 0.4, generator) for _ in range(3000)])
    shares = torch.bincount(chosen[:, 0], minlength=8) / 3000
    expected = torch.tensor([0.6, 0, 0.4 / 3, 0, 0, 0.4 / 3, 0.4 / 3, 0])
    assert (shares - expected).abs().max() < 0.04


def test_a_batch_is_priced_by_what_is_remembered_of_those_before_it(
    make: Make, batch: Batch, draws: Draws
) -> None:
    objective = make(losses("ours", {"cluster_alignment": 1}))
    first, second = (objective(batch, draws(0)).cluster_alignment for _ in range(2))
    assert first.item() == 0
    assert second.item() > 0


def test_validation_is_priced_by_what_training_left(make: Make, batch: Batch, draws: Draws) -> None:
    objective = make(losses("ours", {"cluster_alignment": 1})).eval()
    exchange = exchange_of(objective)
    exchange.means.normal_(std=1000)  # far enough that the codes of an untrained model matter
    exchange.updates.fill_(1000)
    codes = objective.model.encode(to_unit(batch.frames)).static.mean
    price = exchange.alignment(codes, batch.known["cluster"])
    assert price.abs() > 0.01
    torch.testing.assert_close(objective(batch, draws(0)).cluster_alignment, price)


def test_in_training_the_aggregate_is_that_of_all_batches_so_far(
    make: Make, batch: Batch, draws: Draws
) -> None:
    objective = make(losses("ours", aggregate_decay=0.9))
    told = [objective(batch, draws(seed)).aggregate for seed in range(2)]
    memory = objective.moments
    assert memory is not None
    assert memory.updates == 2
    mean, second = memory.mean, memory.second_moment
    expected = mean.square().sum() + (second - torch.eye(len(mean))).square().sum()
    torch.testing.assert_close(told[1], expected)
    assert not torch.allclose(told[0], told[1])


def test_in_validation_the_aggregate_is_that_of_its_own_clips(
    make: Make, batch: Batch, draws: Draws
) -> None:
    remembering, plain = (
        make(losses("ours", aggregate_decay=decay)).eval()(batch, draws(0)).aggregate
        for decay in (0.9, 0.0)
    )
    assert plain.item() > 0
    torch.testing.assert_close(remembering, plain)


def test_what_is_free_is_not_computed(make: Make, batch: Batch, draws: Draws) -> None:
    priced = losses("ours", {"cluster_alignment": 1})
    assert make(priced)(batch, draws(0)).cluster_alignment is not None
    assert make(losses("ours"))(batch, draws(0)).cluster_alignment is None
    alone = Objective(make(priced).model, priced, clusters=1, clips=24)
    assert alone(batch, draws(0)).cluster_alignment is None


def test_with_partners_a_clip_is_decoded_from_the_motion_of_a_mate(
    make: Make, batch: Batch, draws: Draws
) -> None:
    objective = make(losses("ours", same_cluster_swap=1.0, decoded_frames=None))
    static = torch.zeros(8, 4)
    dynamic = torch.arange(8.0)[:, None, None].expand(8, 4, 3)
    posterior = objective.model.encode(torch.rand(8, 4, 3, 64, 64))
    clusters = batch.known["cluster"]
    _, decoded = objective.decoder_inputs(posterior, static, dynamic, clusters, draws(0))
    mates = decoded[:, 0, 0].long()
    assert torch.equal(batch.known["cluster"][mates], batch.known["cluster"])
    assert not (mates == torch.arange(8)).any()
