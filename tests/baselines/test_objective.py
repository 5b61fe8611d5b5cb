"""MoCoGAN's training: gradients of every loss, and the averaged generator."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Generator, nn

from s3vae.baselines.interface import Categories
from s3vae.baselines.mocogan.baseline import MoCoGANMethod
from s3vae.baselines.mocogan.generator import MoCoGAN
from s3vae.baselines.mocogan.objective import AdversarialObjective, AdversarialSettings
from s3vae.baselines.mocogan.views import DiscriminatorViews
from s3vae.data.clips import ClipFile
from s3vae.engine.batches import Batch
from s3vae.engine.checkpoint import Checkpoint, History
from s3vae.engine.fit import fit
from s3vae.engine.schedule import TrainingSettings
from s3vae.losses.supervision import label_of
from s3vae.model.architecture import Architecture
from s3vae.signals.flow_file import FlowSignal
from s3vae.training.build import learner_of, objective_of
from s3vae.training.targets import TARGETS
from s3vae.training.training_set import TrainingSet, training_set

Draws = Callable[[int], Generator]
CPU = torch.device("cpu")


@pytest.fixture
def labelled(clips: ClipFile, flow: FlowSignal) -> TrainingSet:
    return training_set(clips, flow, TARGETS["cells"], labelled=True)


@pytest.fixture
def examples(labelled: TrainingSet) -> Batch:
    return labelled.batches[labelled.batches.clips.split("train")[::3]]


VIEWS = DiscriminatorViews(frames=3)
PUBLISHED = AdversarialSettings("published", width=4, decay=0.5, views=VIEWS)
BOUNDED = AdversarialSettings("bounded", width=4, decay=0.5)


@pytest.fixture(params=[PUBLISHED, BOUNDED], ids=["published", "bounded"])
def objective(request: pytest.FixtureRequest, tiny: Architecture) -> AdversarialObjective:
    torch.manual_seed(0)
    model = MoCoGAN(tiny, Categories("dynamic", {"motion": 3}))
    return AdversarialObjective(model, request.param, 4)


def has_gradient(module: nn.Module) -> bool:
    return any(p.grad is not None and bool(p.grad.any()) for p in module.parameters())


@pytest.mark.parametrize(
    ("term", "learner"),
    [
        ("frame_discriminator", "frames"),
        ("clip_discriminator", "clips"),
        ("real_category", "clips"),
        ("frame_generator", "generator"),
        ("clip_generator", "generator"),
        ("generated_category", "generator"),
    ],
)
def test_each_loss_has_a_gradient_for_one_network_alone(
    objective: AdversarialObjective, examples: Batch, draws: Draws, term: str, learner: str
) -> None:
    objective.losses(examples, draws(0))[term].backward()
    networks = ("frames", "clips", "generator", "model")
    assert [n for n in networks if has_gradient(getattr(objective, n))] == [learner]


def test_the_model_is_a_running_mean_of_the_generator_in_training(
    objective: AdversarialObjective, examples: Batch, draws: Draws
) -> None:
    before = objective.model.motion.bias.clone()
    nn.init.constant_(objective.generator.motion.bias, 3.0)
    objective(examples, draws(0))
    assert torch.allclose(objective.model.motion.bias, (before + 3) / 2)
    objective.eval()
    objective(examples, draws(0))
    assert torch.allclose(objective.model.motion.bias, (before + 3) / 2)


def test_clips_are_discriminated_at_the_same_times_and_motion_is_drawn_for_all(
    tiny: Architecture, draws: Draws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every pixel of a real frame is its number / 255, of a generated one minus its number."""
    time, seen = 20, []
    model = MoCoGAN(tiny, Categories("dynamic", {"motion": 3}))
    views = DiscriminatorViews(shift=0, recolour=0, noise=0)
    settings = AdversarialSettings("published", width=4, views=views)
    objective = AdversarialObjective(model, settings, time)

    def numbered(_: object, time: int, __: Generator) -> torch.Tensor:
        return torch.arange(time, dtype=torch.float32)[None, :, None].expand(2, -1, tiny.dynamic)

    def decode(_: object, dynamic: torch.Tensor) -> torch.Tensor:
        return -dynamic[:, :, :1, None, None].expand(-1, -1, 3, 64, 64)

    monkeypatch.setattr(model, "draw_dynamic", numbered)
    monkeypatch.setattr(model, "decode", decode)
    objective.clips.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0][0, :, 0, 9, 9])
    )
    frames = torch.arange(time, dtype=torch.uint8)[None, :, None, None, None]
    batch = Batch(frames.expand(2, -1, 64, 64, 3), {label_of("motion"): torch.zeros(2).long()})
    starts = set()
    for seed in range(20):
        seen.clear()
        objective.losses(batch, draws(seed))
        real, generated, again = ((255 * seen[0]).round(), -seen[1], -seen[2])
        assert real.tolist() == generated.tolist() == again.tolist()
        assert len(real) == 8
        starts.add(int(real[0]))
    assert max(starts) > 8


def trained(
    method: MoCoGANMethod, labelled: TrainingSet, folder: Path, stop: int | None = None
) -> tuple[AdversarialObjective, History]:
    """Train on all training clips at once; raise KeyboardInterrupt before the step `stop`."""
    objective = objective_of(method, labelled)
    assert isinstance(objective, AdversarialObjective)
    batch = labelled.batches[labelled.batches.clips.split("train")]

    def batches(first: int) -> Iterator[Batch]:
        for step in range(first, method.training.steps):
            if step == stop:
                raise KeyboardInterrupt
            yield batch

    checkpoint = Checkpoint(folder, "key")
    learner = learner_of(objective, labelled, CPU)
    history, _ = fit(
        learner, batches, method.training, checkpoint, CPU, lambda row: None, label="adversarial"
    )
    return objective, history


@pytest.mark.parametrize(("kind", "steps"), [("published", 40), ("bounded", 80)])
def test_the_discriminator_of_clips_learns_the_labels_of_the_dynamic_factor(
    kind: Any, steps: int, tiny: Architecture, labelled: TrainingSet, tmp_path: Path
) -> None:
    schedule = TrainingSettings(
        steps=steps, batch_size=12, learning_rate=0.003, warmup=0, momentum=0.5, log_every=10
    )
    method = MoCoGANMethod(tiny, AdversarialSettings(kind, width=8), schedule)
    objective, history = trained(method, labelled, tmp_path)
    assert objective.model.categories == Categories("dynamic", {"motion": 3})
    assert history[-1]["real_category"] < history[0]["real_category"] / 2


def test_an_interrupted_training_ends_in_the_same_weights(
    tiny: Architecture, labelled: TrainingSet, tmp_path: Path
) -> None:
    schedule = TrainingSettings(steps=5, warmup=0, log_every=1, checkpoint_every=1)
    method = MoCoGANMethod(tiny, PUBLISHED, schedule)
    whole, _ = trained(method, labelled, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        trained(method, labelled, tmp_path / "interrupted", stop=3)
    resumed, _ = trained(method, labelled, tmp_path / "interrupted")
    for name, value in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value), name


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [("factors", (), "has no labels"), ("height", 96, "96x64, but MoCoGAN is for 64x64")],
)
def test_clips_without_factors_or_of_another_size_are_refused(
    name: str,
    value: object,
    rule: str,
    clips: ClipFile,
    labelled: TrainingSet,
    tiny: Architecture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clips, name, value)
    method = MoCoGANMethod(tiny, AdversarialSettings(), TrainingSettings(steps=1))
    with pytest.raises(ValueError, match=rule):
        objective_of(method, labelled)


@pytest.mark.parametrize("setting", [{"patience": 2}, {"accelerated": True}])
def test_settings_that_an_adversary_does_not_follow_are_refused(
    setting: dict[str, Any], tiny: Architecture
) -> None:
    with pytest.raises(ValueError, match="remove `patience` and `accelerated`"):
        MoCoGANMethod(tiny, AdversarialSettings(), TrainingSettings(steps=1, **setting))


def test_the_categories_of_real_clips_are_learned_first(
    tiny: Architecture, examples: Batch, draws: Draws
) -> None:
    settings = AdversarialSettings(
        "published", width=4, views=VIEWS, differences=True, categories_first=1
    )
    model = MoCoGAN(tiny, Categories("dynamic", {"motion": 3}))
    objective = AdversarialObjective(model, settings, 4)
    alone = objective.losses(examples, draws(0))
    alone["total"].backward()
    networks = ("frames", "clips", "generator")
    assert [n for n in networks if has_gradient(getattr(objective, n))] == ["clips"]
    assert alone["total"] == alone["real_category"] > 0
    objective.zero_grad()
    objective.losses(examples, draws(0))["total"].backward()
    assert all(has_gradient(getattr(objective, n)) for n in networks)


def test_a_reader_alone_learns_categories_of_real_clips_and_teaches_the_generator(
    tiny: Architecture, examples: Batch, draws: Draws
) -> None:
    settings = AdversarialSettings(width=4, reader_width=4, categories_first=1)
    model = MoCoGAN(tiny, Categories("dynamic", {"motion": 3}))
    objective = AdversarialObjective(model, settings, 4)
    alone = objective.losses(examples, draws(0))  # the first step is the reader's
    assert alone["total"] == alone["real_category"] > 0
    terms = objective.losses(examples, draws(0))
    for term, learner in [("real_category", "reader"), ("generated_category", "generator")]:
        objective.zero_grad()
        terms[term].backward(retain_graph=True)
        networks = ("frames", "clips", "reader", "generator")
        assert [n for n in networks if has_gradient(getattr(objective, n))] == [learner]


def test_a_reader_has_no_statistics_of_generated_clips(
    tiny: Architecture, examples: Batch, draws: Draws
) -> None:
    settings = AdversarialSettings(width=4, reader_width=4)
    objective = AdversarialObjective(
        MoCoGAN(tiny, Categories("dynamic", {"motion": 3})), settings, 4
    )
    assert objective.reader is not None
    batches = dict(objective.reader.named_buffers())
    objective.losses(examples, draws(0))
    seen = {name: int(each) for name, each in batches.items() if name.endswith("tracked")}
    assert set(seen.values()) == {1}
    assert objective.reader.training


def test_a_reader_refuses_a_setting_that_would_be_idle() -> None:
    with pytest.raises(ValueError, match="`differences` help the discriminator"):
        AdversarialSettings(reader_width=4, differences=True)
