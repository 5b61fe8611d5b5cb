"""Stochastic moving MNIST: its digits, their motion, and the splits."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s3vae.data.clips import SPLITS, ClipFile, ClipSet, write_clips
from s3vae.data.download import fetch
from s3vae.data.smmnist.mnist import SUMS, Digits, embedded_digits, full_digits
from s3vae.data.smmnist.smmnist import (
    DIGIT,
    FACTORS,
    FASTEST,
    SIZE,
    SMMNIST,
    _corners,
    _flow,
    _frames,
)

RAW = Path("unused")
FEW: dict[str, Any] = {"digits": "embedded", "train": 30, "val": 10, "test": 10}
TWO: dict[str, Any] = {"train": 2, "val": 0, "test": 0}


def small(**changes: Any) -> ClipSet:
    """Draw a few clips of the embedded digits, with changed settings."""
    return SMMNIST(**(FEW | changes)).clips(RAW)


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """All frames of a few clips."""
    return np.stack(list(small().frames))


def idx(array: np.ndarray) -> bytes:
    """Encode an array of bytes in MNIST's format."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


@pytest.fixture
def drawn_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write MNIST's files with squares as digits, whose brightness encodes the label."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    labels = np.tile(np.arange(10, dtype=np.uint8), 20)
    images = np.zeros((200, 28, 28), np.uint8)
    images[:, 8:20, 8:20] = (10 + 10 * labels)[:, None, None]
    corner = np.arange(400, dtype=np.int64).reshape(2, 200)  # makes every image unique
    for name in SUMS:
        numbers = corner[int(name.startswith("t10k"))]
        images[:, 0, 0], images[:, 0, 1] = numbers // 100, numbers % 100
        content = idx(images if "images" in name else labels)
        (folder / name).write_bytes(content)
        monkeypatch.setitem(SUMS, name, hashlib.sha256(content).hexdigest())
    return tmp_path


def test_a_clip_is_two_grey_digits_on_black(frames: np.ndarray) -> None:
    assert frames.shape == (50, 15, SIZE, SIZE, 1)
    assert frames.dtype == np.uint8
    assert np.median(frames) == 0
    lit = (frames > 127).mean(axis=(1, 2, 3, 4))
    assert ((lit > 0.01) & (lit < 0.2)).all()


def test_overlapping_digits_are_added_up_to_white() -> None:
    one = np.array([0, 50, 200, 255, 0], np.uint8).reshape(1, 1, 5)
    other = np.array([0, 100, 100, 255, 9], np.uint8).reshape(1, 1, 5)
    assert _frames(one, other)[0, 0, :, 0].tolist() == [0, 150, 255, 255, 9]


def has_digits(frames: np.ndarray, labels: tuple[int, int]) -> bool:
    """Check that the labels are ordered and that both of their squares are drawn."""
    values = np.unique(frames).astype(int)
    return labels[0] <= labels[1] and all(
        (abs(values - 10 - 10 * label) <= 2).any() for label in labels
    )


def test_labels_are_ordered_and_are_those_of_the_drawn_digits(drawn_mnist: Path) -> None:
    clips = SMMNIST(digits="mnist", train=60, val=0, test=0).clips(drawn_mnist)
    labels = zip(*(clips.labels[name].tolist() for name in FACTORS), strict=True)
    assert all(has_digits(*each) for each in zip(clips.frames, labels, strict=True))


def test_digits_stay_inside_move_straight_and_change_their_velocity_only_at_walls() -> None:
    corners = _corners(np.random.default_rng(0), 500, 15)
    assert (corners.min(), corners.max()) == (0, SIZE - DIGIT)
    moves = np.diff(corners, axis=2)
    assert np.abs(moves).max() == FASTEST
    changed = (moves[:, :, 1:] != moves[:, :, :-1]).any(axis=-1)
    at_wall = ((corners == 0) | (corners == SIZE - DIGIT)).any(axis=-1)
    assert not (changed & ~at_wall[:, :, 1:-1] & ~at_wall[:, :, 2:]).any()
    assert changed.any()


def test_the_exact_motion_is_that_of_the_brighter_digit() -> None:
    one, other = np.zeros((2, 2, SIZE, SIZE), np.uint8)
    one[:, 10:20, 10:20], other[:, 15:30, 15:30] = 150, 200
    one[:, 40:50, 40:50] = 100  # too dark to count
    moves = np.array([[[3, -1]], [[-2, 4]]])
    flow = _flow(one, other, moves)
    assert flow.shape == (1, SIZE, SIZE, 2)
    assert flow[0, 12, 12].tolist() == [3, -1]
    assert flow[0, 28, 28].tolist() == flow[0, 17, 17].tolist() == [-2, 4]
    assert not flow[0, 45, 45].any()
    assert not flow[0, 60, 5].any()


def test_the_motion_of_the_set_is_averaged_over_grid_cells() -> None:
    motion = small().motion
    assert motion is not None
    assert motion.shape == (50, 14, 3, 3, 3)
    assert motion[..., 0].any(axis=(1, 2, 3)).mean() > 0.9  # few clips are still
    assert (motion[..., 0] + 1e-4 >= np.hypot(motion[..., 1], motion[..., 2])).all()


def split_images(splits: tuple[Digits, ...]) -> list[set[bytes]]:
    return [{image.tobytes() for image in split.images} for split in splits]


def test_no_digit_image_is_in_two_splits_and_every_class_is_in_all() -> None:
    splits = split_images(embedded_digits())
    assert [len(split) for split in splits] == [3600, 400, 1000]
    assert len(set.union(*splits)) == 5000
    for split in embedded_digits():
        assert len(set(np.bincount(split.labels).tolist())) == 1


def test_a_tenth_of_each_class_of_the_full_train_set_is_for_validation(drawn_mnist: Path) -> None:
    splits = full_digits(drawn_mnist / "mnist")
    images = split_images(splits)
    assert [len(each) for each in images] == [180, 20, 200]
    assert len(set.union(*images)) == 400
    assert np.bincount(splits[1].labels).tolist() == [2] * 10


def test_fresh_clips_have_the_digits_of_their_labels(drawn_mnist: Path) -> None:
    fresh = SMMNIST(digits="mnist").fresh_clips(drawn_mnist)
    pairs = set()
    for frames, factors in map(fresh.clip, range(200)):
        assert frames.shape == (15, SIZE, SIZE, 1)
        labels = factors[FACTORS[0]], factors[FACTORS[1]]
        assert has_digits(frames, labels)
        pairs.add(labels)
    assert len(pairs) > 40  # of 55


def test_fresh_clips_have_digits_of_the_train_split_only(
    drawn_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_white_held_out_digits(folder: Path) -> tuple[Digits, ...]:
        train, *held = full_digits(folder)
        return train, *(Digits(np.full_like(each.images, 255), each.labels) for each in held)

    monkeypatch.setattr("s3vae.data.smmnist.smmnist.full_digits", with_white_held_out_digits)
    fresh = SMMNIST(digits="mnist").fresh_clips(drawn_mnist)
    brightest = max(fresh.clip(number)[0].max() for number in range(200))
    assert 0 < brightest < 240  # twice 100, and overshoot


def test_the_digits_of_a_source_are_used_even_if_others_are_available(drawn_mnist: Path) -> None:
    settings = SMMNIST(digits="any", **TWO)
    for folder, label in ((drawn_mnist, "MNIST"), (drawn_mnist / "elsewhere", "5,000")):
        source = settings.clips(folder).source
        assert label in source
        assert settings.of_source(source).clips(drawn_mnist).source == source
    with pytest.raises(FileNotFoundError, match="does not hold all of MNIST"):
        settings.of_source("MNIST").fresh_clips(drawn_mnist / "elsewhere")


def test_a_fresh_clip_depends_on_its_number_and_the_seed() -> None:
    one, again, other = (SMMNIST(**FEW, seed=seed).fresh_clips(RAW) for seed in (0, 0, 1))
    assert np.array_equal(one.clip(3)[0], again.clip(3)[0])
    assert not np.array_equal(one.clip(3)[0], one.clip(4)[0])
    assert not np.array_equal(one.clip(3)[0], other.clip(3)[0])


def test_damaged_files_of_mnist_are_not_used(drawn_mnist: Path) -> None:
    (drawn_mnist / "mnist" / "t10k-labels-idx1-ubyte").write_bytes(b"damaged")
    assert "5,000" in SMMNIST(digits="any", **TWO).clips(drawn_mnist).source
    with pytest.raises(FileNotFoundError, match="does not hold all of MNIST"):
        SMMNIST(digits="mnist", **TWO).clips(drawn_mnist)


def test_the_same_seed_draws_the_same_clips_and_another_one_others(frames: np.ndarray) -> None:
    assert np.array_equal(np.stack(list(small().frames)), frames)
    assert not np.array_equal(np.stack(list(small(seed=1).frames)), frames)


def test_the_set_fits_the_format_and_has_the_requested_number_of_clips(tmp_path: Path) -> None:
    write_clips(tmp_path / "clips.h5", small())
    clips = ClipFile(tmp_path / "clips.h5")
    assert [factor.kind for factor in clips.factors] == ["static", "static"]
    assert [len(clips.split(name)) for name in SPLITS] == [30, 10, 10]
    assert len(set(clips.identity.tolist())) == 50


def test_files_are_downloaded_only_if_they_are_used() -> None:
    assert not SMMNIST(digits="embedded").files
    assert [file.optional for file in SMMNIST(digits="any").files] == [True] * 4
    assert not any(file.optional for file in SMMNIST(digits="mnist").files)


def test_the_full_set_comes_from_the_mirror(
    tmp_path: Path, mirror_with: Callable[[str], str]
) -> None:
    settings = SMMNIST(digits="mnist", train=20, val=5, test=5)
    for file in settings.files:
        fetch(file, tmp_path, mirror_with("mnist"))
    clips = settings.clips(tmp_path)
    assert clips.source == "MNIST"
    assert len(list(clips.frames)) == 30
