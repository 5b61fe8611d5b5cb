"""Batches: every clip once per epoch, in an order that depends on the seed alone."""

import pickle

import numpy as np
import pytest
import torch
from numpy import ndarray

from s3vae.data.clips import ClipFile
from s3vae.engine.batches import ClipBatches, ShuffledBatches, in_turn, training_batches
from s3vae.engine.schedule import TrainingSettings
from s3vae.losses.consistency import other_clips
from s3vae.training.training_set import TrainingSet

CLIPS = np.arange(100, 124)


def batches(steps: int, first: int = 0, seed: int = 0, size: int = 8) -> list[ndarray]:
    return list(ShuffledBatches(CLIPS, size, seed, steps, first))


def test_every_clip_is_drawn_once_per_epoch() -> None:
    drawn = np.concatenate(batches(steps=9)).reshape(3, 24)
    assert (np.sort(drawn, axis=1) == CLIPS).all()


def test_an_incomplete_batch_is_dropped_and_all_clips_are_equally_likely() -> None:
    drawn = np.concatenate(batches(steps=1200, size=7)).reshape(400, 21)
    assert all(len(set(epoch)) == 21 for epoch in drawn)
    frequencies = np.bincount(drawn.ravel(), minlength=124)[100:] / 400
    assert frequencies == pytest.approx(np.full(24, 21 / 24), abs=0.08)


def test_the_order_differs_between_epochs_and_seeds_and_depends_on_nothing_else() -> None:
    epochs = [tuple(map(tuple, batches(steps=30)[i : i + 3])) for i in range(0, 30, 3)]
    assert len(set(epochs)) == 10
    assert np.array_equal(batches(steps=3, seed=5), batches(steps=3, seed=5))
    assert not np.array_equal(batches(steps=3, seed=5), batches(steps=3, seed=6))


@pytest.mark.parametrize("first", [0, 1, 3, 4, 10])
def test_a_resumed_order_is_the_rest_of_the_uninterrupted_one(first: int) -> None:
    remaining = batches(steps=10, first=first)
    assert len(remaining) == 10 - first == len(ShuffledBatches(CLIPS, 8, 0, 10, first))
    for resumed, expected in zip(remaining, batches(steps=10)[first:], strict=True):
        assert np.array_equal(resumed, expected)


def test_fewer_clips_than_a_batch_holds_are_one_batch() -> None:
    for batch in batches(steps=3, size=100):
        assert sorted(batch) == CLIPS.tolist()


def test_an_empty_split_is_refused() -> None:
    with pytest.raises(ValueError, match="no clip to train on"):
        ShuffledBatches(CLIPS[:0], 8, 0, 10)


def test_negatives_have_the_identity_of_their_clip_no_more_often_than_by_chance() -> None:
    """Clips of one identity are neighbours in a file, but not in a batch."""
    identity = np.arange(2592) // 48
    order = ShuffledBatches(np.arange(2592), 32, 0, 200)
    alike = []
    for batch in order:
        negatives = other_clips(torch.from_numpy(batch).float()).long().numpy()
        alike.append(np.mean(identity[batch] == identity[negatives]))
    assert np.mean(alike) == pytest.approx(47 / 2591, abs=0.01)


def test_a_batch_has_the_frames_and_targets_of_its_clips(
    data: TrainingSet, clips: ClipFile
) -> None:
    chosen = np.array([3, 0, 40])
    batch = data.batches[chosen]
    assert np.array_equal(batch.frames.numpy(), clips.frames(chosen))
    assert batch.known["cluster"].tolist() == clips.labels("motion")[chosen].tolist()
    assert all(len(table) == 3 for table in batch.known.values())


def test_a_clip_is_read_once_if_all_frames_fit_into_memory(
    clips: ClipFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    original = ClipFile.frames

    def counted(file: ClipFile, indices: ndarray) -> ndarray:
        read.extend(indices.tolist())
        frames: ndarray = original(file, indices)
        return frames

    monkeypatch.setattr(ClipFile, "frames", counted)
    held, not_held = ClipBatches(clips, {}), ClipBatches(clips, {}, cache_bytes=1000)
    for chosen in (np.array([5, 1]), np.array([1, 7, 5]), np.array([7, 7])):
        assert torch.equal(held[chosen].frames, torch.from_numpy(original(clips, chosen)))
    assert read == [5, 1, 7]
    for _ in range(2):
        assert torch.equal(not_held[np.array([1])].frames, held[np.array([1])].frames)
    assert read == [5, 1, 7, 1, 1]


def test_frames_in_memory_are_not_sent_to_other_processes(clips: ClipFile) -> None:
    batches = ClipBatches(clips, {})
    chosen = np.arange(clips.clips)
    frames = batches[chosen].frames
    sent = pickle.dumps(batches)
    assert len(sent) < frames.numel() / 10
    assert torch.equal(pickle.loads(sent)[chosen].frames, frames)


# torch warns on machines with one core, Python since 3.12 of forks beside threads
@pytest.mark.filterwarnings("ignore:This DataLoader will create", "ignore:.*fork.*")
def test_reading_in_other_processes_gives_the_same_batches(data: TrainingSet) -> None:
    settings = TrainingSettings(steps=7, batch_size=8)
    alone, together = (
        list(training_batches(data.batches, data.train, settings, 2, workers)) for workers in (0, 2)
    )
    assert len(alone) == len(together) == 5
    for mine, its in zip(alone, together, strict=True):
        torch.testing.assert_close(mine, its, rtol=0, atol=0)


@pytest.mark.parametrize("size", [1, 5, 24, 99])
def test_batches_in_turn_have_every_clip_once_and_in_order(size: int) -> None:
    drawn = list(in_turn(CLIPS, size))
    assert max(map(len, drawn)) <= size
    assert np.array_equal(np.concatenate(drawn), CLIPS)
