"""MoCoGAN's training: who learns from what, and what is kept."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Generator, nn

from s3vae.baselines.interface import Categories
from s3vae.baselines.mocogan.baseline import MoCoGANMethod
from s3vae.baselines.mocogan.generator import MoCoGAN
from s3vae.baselines.mocogan.objective import AdversarialObjective, AdversarialSettings
from s3vae.engine.batches import Batch
from s3vae.engine.checkpoint import Checkpoint, History
from s3vae.engine.fit import fit
from s3vae.engine.schedule import TrainingSettings
from s3vae.training.build import learner_of, objective_of
from s3vae.training.targets import TARGETS
from s3vae.training.training_set import training_set

if TYPE_CHECKING:
    from s3vae.data.clips import ClipFile
    from s3vae.model.architecture import Architecture
    from s3vae.signals.flow_file import FlowSignal
    from s3vae.training.training_set import TrainingSet

Draws = Callable[[int], Generator]
CPU = torch.device("cpu")


@pytest.fixture
def labelled(clips: "ClipFile", flow: "FlowSignal") -> "TrainingSet":
    return training_set(clips, flow, TARGETS["cells"], labelled=True)


@pytest.fixture
def told(labelled: "TrainingSet") -> Batch:
    return labelled.batches[labelled.batches.clips.split("train")[::3]]


@pytest.fixture
def objective(tiny: "Architecture") -> AdversarialObjective:
    torch.manual_seed(0)
    model = MoCoGAN(tiny, Categories("dynamic", {"motion": 3}))
    return AdversarialObjective(model, AdversarialSettings(width=4, decay=0.5))


def taught(module: nn.Module) -> bool:
    """Whether a gradient has reached any of its weights."""
    return any(p.grad is not None and bool(p.grad.any()) for p in module.parameters())


@pytest.mark.parametrize(
    ("term", "learns", "does_not"),
    [
        ("frame_discriminator", "frames", ("clips", "generator")),
        ("clip_discriminator", "clips", ("frames", "generator")),
        ("real_category", "clips", ("frames", "generator")),
        ("frame_generator", "generator", ("frames", "clips")),
        ("clip_generator", "generator", ("frames", "clips")),
        ("generated_category", "generator", ("frames", "clips")),
    ],
)
def test_each_term_teaches_whom_it_should_and_nobody_else(
    objective: AdversarialObjective,
    told: Batch,
    draws: Draws,
    term: str,
    learns: str,
    does_not: tuple[str, str],
) -> None:
    objective.losses(told, draws(0))[term].backward()
    assert taught(getattr(objective, learns))
    assert not any(taught(getattr(objective, name)) for name in (*does_not, "model"))


def test_what_is_kept_is_a_running_mean_of_the_generator(
    objective: AdversarialObjective, told: Batch, draws: Draws
) -> None:
    before = objective.model.motion.bias.clone()
    nn.init.constant_(objective.generator.motion.bias, 3.0)
    objective(told, draws(0))
    assert torch.allclose(objective.model.motion.bias, (before + 3) / 2)
    objective.eval()
    objective(told, draws(0))
    assert torch.allclose(objective.model.motion.bias, (before + 3) / 2)


def trained(
    method: MoCoGANMethod, labelled: "TrainingSet", folder: Path, stop: int | None = None
) -> tuple[AdversarialObjective, History]:
    """Train on all training clips at once, or fail before a step."""
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


def test_it_is_told_the_moving_factor_and_comes_to_know_it(
    tiny: "Architecture", labelled: "TrainingSet", tmp_path: Path
) -> None:
    """The discriminator of clips tells the motions apart; nothing diverges."""
    schedule = TrainingSettings(
        steps=80, batch_size=12, learning_rate=0.003, warmup=0, momentum=0.5, log_every=10
    )
    method = MoCoGANMethod(tiny, AdversarialSettings(width=8), schedule)
    objective, history = trained(method, labelled, tmp_path)
    assert objective.model.categories == Categories("dynamic", {"motion": 3})
    assert history[-1]["real_category"] < history[0]["real_category"] / 2


def test_a_stopped_training_goes_on_as_if_nothing_had_been(
    tiny: "Architecture", labelled: "TrainingSet", tmp_path: Path
) -> None:
    schedule = TrainingSettings(steps=5, warmup=0, log_every=1, checkpoint_every=1)
    method = MoCoGANMethod(tiny, AdversarialSettings(width=4), schedule)
    unbroken, _ = trained(method, labelled, tmp_path / "unbroken")
    with pytest.raises(KeyboardInterrupt):
        trained(method, labelled, tmp_path / "broken", stop=3)
    resumed, _ = trained(method, labelled, tmp_path / "broken")
    for name, value in unbroken.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value), name


def test_clips_without_factors_are_refused(
    clips: "ClipFile",
    labelled: "TrainingSet",
    tiny: "Architecture",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clips, "factors", ())
    method = MoCoGANMethod(tiny, AdversarialSettings(), TrainingSettings(steps=1))
    with pytest.raises(ValueError, match="has no labels"):
        objective_of(method, labelled)
