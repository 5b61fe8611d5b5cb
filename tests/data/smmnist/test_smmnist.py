"""Stochastic moving MNIST: which digits are where, how they move, and how the set is split."""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from s3vae.data.clips import ClipFile, ClipSet, write_clips
from s3vae.data.datasets import DataSet
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
BESIDE = Path(__file__).parents[4] / "shared" / "mirror"
FEW: dict[str, Any] = {"digits": "embedded", "train": 30, "val": 10, "test": 10}


def small(**changes: Any) -> ClipSet:
    """Draw a few clips of the embedded digits, unless `changes` say otherwise."""
    return SMMNIST(**(FEW | changes)).clips(RAW)


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """All frames of a few clips."""
    return np.stack(list(small().frames))


def idx(array: np.ndarray) -> bytes:
    """An array of bytes in MNIST's form."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


@pytest.fixture
def drawn_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """MNIST's files with digits that are squares, the brighter the larger their label."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    labels = np.tile(np.arange(10, dtype=np.uint8), 20)
    images = np.zeros((200, 28, 28), np.uint8)
    images[:, 8:20, 8:20] = (10 + 10 * labels)[:, None, None]
    corner = np.arange(400, dtype=np.int64).reshape(2, 200)  # tells every image from all others
    for name in SUMS:
        numbers = corner[int(name.startswith("t10k"))]
        images[:, 0, 0], images[:, 0, 1] = numbers // 100, numbers % 100
        content = idx(images if "images" in name else labels)
        (folder / name).write_bytes(content)
        monkeypatch.setitem(SUMS, name, hashlib.sha256(content).hexdigest())
    return tmp_path


def test_frames_are_grey_and_two_digits_are_on_black(frames: np.ndarray) -> None:
    assert frames.shape == (50, 15, SIZE, SIZE, 1)
    assert frames.dtype == np.uint8
    assert np.median(frames) == 0
    lit = (frames > 127).mean(axis=(1, 2, 3, 4))
    assert ((lit > 0.01) & (lit < 0.2)).all()


def test_overlaps_are_summed_and_white_at_most() -> None:
    one = np.array([0, 50, 200, 255, 0], np.uint8).reshape(1, 1, 5)
    other = np.array([0, 100, 100, 255, 9], np.uint8).reshape(1, 1, 5)
    assert _frames(one, other)[0, 0, :, 0].tolist() == [0, 150, 255, 255, 9]


def test_labels_are_ordered_and_of_the_digits_shown(drawn_mnist: Path) -> None:
    clips = SMMNIST(digits="mnist", train=60, val=0, test=0).clips(drawn_mnist)
    smaller, larger = (clips.labels[name] for name in FACTORS)
    assert (smaller <= larger).all()
    for clip, low, high in zip(clips.frames, smaller, larger, strict=True):
        middle = {int(value) for value in np.unique(clip)}
        assert any(abs(value - 10 - 10 * high) <= 2 for value in middle)
        assert any(abs(value - 10 - 10 * low) <= 2 for value in middle)


def test_digits_move_no_faster_than_told_and_stay_inside() -> None:
    corners = _corners(np.random.default_rng(0), 500, 15)
    assert corners.min() == 0
    assert corners.max() == SIZE - DIGIT
    moves = np.diff(corners, axis=2)
    assert np.abs(moves).max() == FASTEST


def test_between_walls_digits_go_straight_and_at_walls_somewhere_new() -> None:
    corners = _corners(np.random.default_rng(0), 500, 15)
    moves = np.diff(corners, axis=2)
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


def test_the_motion_of_the_set_is_summarised_from_both_digits() -> None:
    motion = small().motion
    assert motion is not None
    assert motion.shape == (50, 14, 3, 3, 3)
    assert motion[..., 0].any(axis=(1, 2, 3)).mean() > 0.9  # hardly any clip stands still
    assert (motion[..., 0] + 1e-4 >= np.hypot(motion[..., 1], motion[..., 2])).all()


def split_images(splits: tuple[Digits, ...]) -> list[set[bytes]]:
    return [{image.tobytes() for image in split.images} for split in splits]


def test_no_digit_image_is_in_two_splits() -> None:
    splits = split_images(embedded_digits())
    assert [len(split) for split in splits] == [3600, 400, 1000]
    assert not splits[0] & splits[2]
    assert not (splits[0] | splits[2]) & splits[1]


def test_of_the_full_set_a_tenth_of_each_class_validates(drawn_mnist: Path) -> None:
    splits = full_digits(drawn_mnist / "mnist")
    images = split_images(splits)
    assert [len(each) for each in images] == [180, 20, 200]
    assert len(set.union(*images)) == 400
    assert np.bincount(splits[1].labels).tolist() == [2] * 10


def test_fresh_clips_show_what_their_labels_say(drawn_mnist: Path) -> None:
    settings = SMMNIST(digits="mnist", train=2, val=0, test=0)
    fresh = settings.fresh_clips(drawn_mnist)
    shown = set()
    for number in range(200):
        frames, factors = fresh.clip(number)
        assert frames.shape == (15, SIZE, SIZE, 1)
        low, high = (factors[name] for name in FACTORS)
        assert low <= high
        seen = {int(value) for value in np.unique(frames)}
        for digit in (low, high):
            assert any(abs(value - 10 - 10 * digit) <= 2 for value in seen)
        shown.add((low, high))
    assert len(shown) > 40  # of 55 pairs


def test_fresh_clips_show_digits_of_the_train_split_only(
    drawn_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = {
        image.tobytes()
        for split in full_digits(drawn_mnist / "mnist")[1:]
        for image in split.images
    }
    for name in (name for name in SUMS if "images" in name):
        file = drawn_mnist / "mnist" / name
        images = np.frombuffer(file.read_bytes()[16:], np.uint8).reshape(-1, 28, 28).copy()
        for image in images:
            if image.tobytes() in held:
                image[8:20, 8:20] = 255
        file.write_bytes(idx(images))
        monkeypatch.setitem(SUMS, name, hashlib.sha256(idx(images)).hexdigest())
    fresh = SMMNIST(digits="mnist").fresh_clips(drawn_mnist)
    assert max(fresh.clip(number)[0].max() for number in range(200)) < 240  # twice 100, and ringing
    assert fresh.clip(0)[0].any()


def test_of_a_source_the_same_digits_are_taken_wherever_others_are(drawn_mnist: Path) -> None:
    anything = SMMNIST(digits="any", train=2, val=0, test=0)
    for place in (drawn_mnist, drawn_mnist / "elsewhere"):
        source = anything.clips(place).source
        assert anything.of_source(source).clips(place).source == source
    with pytest.raises(FileNotFoundError, match="does not hold MNIST whole"):
        anything.of_source("MNIST").fresh_clips(drawn_mnist / "elsewhere")


def test_a_fresh_clip_is_told_by_its_number_and_the_seed() -> None:
    one, again, other = (SMMNIST(**FEW, seed=seed).fresh_clips(RAW) for seed in (0, 0, 1))
    assert np.array_equal(one.clip(3)[0], again.clip(3)[0])
    assert not np.array_equal(one.clip(3)[0], one.clip(4)[0])
    assert not np.array_equal(one.clip(3)[0], other.clip(3)[0])


def test_files_of_mnist_that_are_not_whole_are_not_used(drawn_mnist: Path) -> None:
    (drawn_mnist / "mnist" / "t10k-labels-idx1-ubyte").write_bytes(b"broken")
    few = {"train": 2, "val": 0, "test": 0}
    assert "5,000" in SMMNIST(digits="any", **few).clips(drawn_mnist).source
    with pytest.raises(FileNotFoundError, match="does not hold MNIST whole"):
        SMMNIST(digits="mnist", **few).clips(drawn_mnist)


def test_every_digit_is_in_every_split() -> None:
    for split in embedded_digits():
        assert len(set(np.bincount(split.labels).tolist())) == 1


def test_the_clips_of_a_split_are_as_many_as_asked_for() -> None:
    clips = small()
    assert np.bincount(clips.split).tolist() == [30, 10, 10]
    assert len(set(clips.identity.tolist())) == 50


def test_the_same_seed_draws_the_same_clips_and_another_one_others(frames: np.ndarray) -> None:
    assert np.array_equal(np.stack(list(small().frames)), frames)
    assert not np.array_equal(np.stack(list(small(seed=1).frames)), frames)


def test_the_set_fits_the_format_and_names_its_source(tmp_path: Path) -> None:
    write_clips(tmp_path / "clips.h5", small())
    clips = ClipFile(tmp_path / "clips.h5")
    assert [factor.kind for factor in clips.factors] == ["static", "static"]
    assert "5,000" in clips.source


def test_without_the_full_set_the_embedded_digits_serve(drawn_mnist: Path) -> None:
    anything = {"digits": "any", "train": 2, "val": 0, "test": 0}
    assert "5,000" in SMMNIST(**anything).clips(drawn_mnist / "elsewhere").source
    assert SMMNIST(**anything).clips(drawn_mnist).source == "MNIST"


def test_files_are_asked_for_only_where_they_may_be_used() -> None:
    assert not SMMNIST(digits="embedded").files
    assert [file.optional for file in SMMNIST(digits="any").files] == [True] * 4
    assert not any(file.optional for file in SMMNIST(digits="mnist").files)


def test_settings_that_make_no_clips_are_refused() -> None:
    with pytest.raises(ValidationError, match="train"):
        TypeAdapter(DataSet).validate_python({"kind": "smmnist", "train": 0})


@pytest.mark.skipif(
    not (Path(os.environ.get("S3VAE_MIRROR") or BESIDE) / "mnist").is_dir(),
    reason="no mirror folder with MNIST: set S3VAE_MIRROR",
)
def test_the_full_set_comes_from_the_mirror(tmp_path: Path) -> None:
    mirror = os.environ.get("S3VAE_MIRROR") or str(BESIDE)
    settings = SMMNIST(digits="mnist", train=20, val=5, test=5)
    for file in settings.files:
        fetch(file, tmp_path, mirror)
    clips = settings.clips(tmp_path)
    assert clips.source == "MNIST"
    assert len(list(clips.frames)) == 30
