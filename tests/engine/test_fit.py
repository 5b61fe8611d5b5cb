"""The training loop: it learns, reports, validates, and stops at a loss that is not finite."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor, nn

from s3vae.engine.batches import Batch
from s3vae.engine.checkpoint import Checkpoint, History
from s3vae.engine.fit import Learner, Losses, NonFiniteLossError, Snapshot, fit, stalled
from s3vae.engine.schedule import TrainingSettings
from s3vae.tensors import to_unit
from s3vae.training.build import learner_of, validation_losses
from s3vae.training.objective import Objective, Terms
from s3vae.training.presets import losses
from s3vae.training.training_set import TrainingSet

CPU = torch.device("cpu")
EMPTY = Batch(torch.zeros(1, 1, 1, 1, 1, dtype=torch.uint8), {})
Make = Callable[..., Objective]


class Slope(nn.Module):
    """One parameter with its minimum at 3; `change` alters a loss at chosen steps."""

    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(0.0))
        self.step = 0
        self.change: Callable[[int, Tensor], Tensor] = lambda step, loss: loss
        self.modes: list[bool] = []

    def losses(self, batch: Batch, generator: Generator) -> Losses:
        self.step += 1
        fine = (self.value - 3).square()
        wild = self.change(self.step - 1, fine)
        return {"fine": fine, "wild": wild, "total": fine + wild}

    def validate(self) -> dict[str, float]:
        self.modes.append(self.training)
        return {"total": 7.0}


def settings(steps: int, **changes: int) -> TrainingSettings:
    every = {"log_every": 5, "validate_every": 10, "checkpoint_every": 5}
    return TrainingSettings(steps=steps, learning_rate=0.2, warmup=0, **(every | changes))


def run(
    slope: Slope,
    schedule: TrainingSettings,
    folder: Path,
    keep: Snapshot = lambda step: None,
    finished: Callable[[History], bool] = lambda history: False,
) -> tuple[History, History]:
    """Return the history and the rows in the order of their reports."""
    slope.step = 0
    reported: History = []

    def batches(first: int) -> Iterator[Batch]:
        slope.step = first
        return iter([EMPTY] * (schedule.steps - first))

    history, _ = fit(
        Learner(slope, slope.losses, slope.validate, finished),
        batches,
        schedule,
        Checkpoint(folder, "key"),
        CPU,
        lambda row: reported.append(dict(row)),
        label="slope",
        snapshot=keep,
    )
    return history, reported


def recorded(slope: Slope) -> list[tuple[bool, float]]:
    """Mode and value of the module, as they will be before every step."""
    states: list[tuple[bool, float]] = []

    def record(step: int, loss: Tensor) -> Tensor:
        states.append((slope.training, slope.value.item()))
        return loss

    slope.change = record
    return states


def test_snapshots_are_written_before_the_checkpoint_of_their_step(tmp_path: Path) -> None:
    """A training killed while it writes a snapshot writes it again."""
    schedule = settings(12, snapshot_every=4, checkpoint_every=4, log_every=4)
    snapshots: list[int] = []

    def keep(step: int) -> None:
        snapshots.append(step)
        if snapshots == [4, 8]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(Slope(), schedule, tmp_path, keep)
    run(Slope(), schedule, tmp_path, keep)
    assert snapshots == [4, 8, 8, 12]


def test_a_training_ends_early_once_it_is_finished_and_a_resume_stays_there(tmp_path: Path) -> None:
    schedule = settings(100)
    for _ in range(2):
        slope = Slope()
        history, _ = run(slope, schedule, tmp_path, finished=lambda rows: len(rows) == 3)
        assert history[-1]["step"] == slope.step == 15


def test_a_training_stalls_when_no_validation_of_the_latest_is_the_smallest() -> None:
    def rows(*totals: float) -> History:
        return [each for total in totals for each in ({"total": 0.0}, {"val_total": total})]

    assert stalled(rows(5, 3, 4, 3), patience=2)
    assert not stalled(rows(5, 3, 4, 2), patience=2)
    assert not stalled(rows(5, 3, 4), patience=2)
    assert not stalled(rows(1, 2), patience=2), "nothing before them"
    assert not stalled(rows(1, 2, 3, 4), patience=None)


def test_every_row_is_reported_and_validation_losses_have_names_of_their_own(
    tmp_path: Path,
) -> None:
    history, reported = run(Slope(), settings(23), tmp_path)
    assert history == reported
    assert [row["step"] for row in history] == [5, 10, 15, 20, 23]
    assert [row.get("val_total") for row in history] == [None, 7, None, 7, 7]
    assert {"fine", "wild", "total"} <= history[0].keys()


def test_a_row_is_the_mean_over_the_steps_since_the_last_row(tmp_path: Path) -> None:
    each, _ = run(Slope(), settings(10, log_every=1), tmp_path / "each")
    fives, _ = run(Slope(), settings(10, log_every=5), tmp_path / "fives")
    assert fives[1]["fine"] == pytest.approx(sum(row["fine"] for row in each[5:]) / 5)


def test_steps_are_in_training_mode_and_due_validations_in_eval_mode(tmp_path: Path) -> None:
    """Validation may be due between two rows of the history."""
    slope = Slope()
    states = recorded(slope)
    run(slope, settings(30, log_every=4, validate_every=10, checkpoint_every=8), tmp_path)
    assert slope.modes == [False, False, False]
    assert [training for training, _ in states] == [True] * 30
    assert not slope.training


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda value, loss: loss * float("nan"), "wild is nan"),
        (lambda value, loss: loss * float("inf"), "wild is inf"),
        (lambda value, loss: (value * 0).sqrt(), "gradient norm is nan"),
    ],
)
def test_a_loss_or_gradient_that_is_not_finite_stops_and_leaves_the_last_checkpoint(
    change: Callable[[Tensor, Tensor], Tensor], message: str, tmp_path: Path
) -> None:
    slope, restored, finite = Slope(), Slope(), Slope()
    slope.change = lambda step, loss: change(slope.value, loss) if step == 6 else loss
    with pytest.raises(NonFiniteLossError, match=rf"{message} at step 6; .*key\.safetensors"):
        run(slope, settings(20), tmp_path)
    states = recorded(finite)
    run(finite, settings(20), tmp_path / "finite")
    optimizer = torch.optim.Adam(restored.parameters(), fused=True)
    assert Checkpoint(tmp_path, "key").load(restored, [optimizer])[0] == 5
    assert restored.value.item() == states[5][1]
    assert torch.isfinite(slope.value)


def test_the_error_before_the_first_checkpoint_names_none(tmp_path: Path) -> None:
    slope = Slope()
    slope.change = lambda step, loss: loss * float("nan")
    with pytest.raises(NonFiniteLossError, match="at step 0; no checkpoint"):
        run(slope, settings(20), tmp_path)


def test_the_gradient_is_clipped_to_its_largest_norm(tmp_path: Path) -> None:
    """Steps of Adam do not depend on the scale of gradients, so the gradient itself is tested."""
    slope = Slope()
    slope.change = lambda step, loss: loss * 1e6
    gradients: list[float] = []
    slope.value.register_hook(lambda gradient: gradients.append(gradient.item()))
    run(slope, settings(1), tmp_path)
    assert abs(gradients[0]) > 1e6
    assert slope.value.grad.norm().item() == pytest.approx(1000, rel=1e-3)


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    run(Slope(), settings(10), tmp_path)
    again = Slope()
    history, reported = run(again, settings(10), tmp_path)
    assert again.value.item() > 0
    assert [row["step"] for row in history] == [5, 10]
    assert reported == []


@pytest.mark.parametrize(("mutual_information", "steps"), [("paper", 80), ("ours", 160)])
def test_one_batch_is_overfitted(
    mutual_information: str, steps: int, make: Make, data: TrainingSet, tmp_path: Path
) -> None:
    """To a tenth of the errors of black images and of the signal of a still clip.

    Our estimator has a gradient, which separates codes of so few clips and slows learning.
    """
    settings = losses(
        "ours", exchange=None, decoded_frames=None, mutual_information=mutual_information
    )
    objective = make(settings)
    batch = data.batches[data.batches.clips.split("train")[::6]]
    history, _ = fit(
        learner_of(objective, data, CPU),
        lambda first: iter([batch] * (steps - first)),
        TrainingSettings(steps=steps, learning_rate=0.05, warmup=5, log_every=10),
        Checkpoint(tmp_path, "key"),
        CPU,
        lambda row: None,
        label="overfit",
    )
    black = to_unit(batch.frames).square().sum().item() / len(batch.frames)
    still = batch.known["cells"].square().mean(dim=-1).sum(dim=-1).mean().item()
    assert history[-1]["reconstruction"] < black / 10
    assert history[-1]["factor_prediction"] < still / 10
    assert history[-1]["total"] < history[0]["total"] / 10


def test_validation_is_deterministic_and_changes_nothing(make: Make, data: TrainingSet) -> None:
    objective = make(losses("ours")).eval()
    before = {name: value.clone() for name, value in objective.state_dict().items()}
    first = validation_losses(objective, data, CPU)
    assert first == validation_losses(objective, data, CPU)
    assert set(first) == {*Terms._fields, "total"} - {"supervision"}
    torch.testing.assert_close(objective.state_dict(), before, rtol=0, atol=0)


@pytest.mark.parametrize("size", [4, 5, 11])
def test_validation_is_a_mean_over_clips_for_any_batch_size(
    size: int, make: Make, data: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are twelve clips: batches of 11 leave one clip alone."""
    objective = make(losses("ours", decoded_frames=None)).eval()
    whole = validation_losses(objective, data, CPU)
    monkeypatch.setattr("s3vae.training.build.VALIDATION_BATCH", size)
    parts = validation_losses(objective, data, CPU)
    assert parts["static_kl"] == pytest.approx(whole["static_kl"], rel=1e-4)
    assert all(torch.isfinite(torch.tensor(value)) for value in parts.values())


def test_checkpoints_between_two_rows_of_the_history_are_refused() -> None:
    with pytest.raises(ValueError, match=r"checkpoint_every \(4\) must be a multiple of log_every"):
        settings(20, checkpoint_every=4)
