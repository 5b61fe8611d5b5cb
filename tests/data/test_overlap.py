"""More clips between those of train: which ones, with which crop, and never of another split."""

from pathlib import Path

import numpy as np
import pytest

from s3vae.data.crops import Box
from s3vae.data.footage import Footage
from s3vae.data.overlap import overlapping
from s3vae.data.splits import TEST, TRAIN

HERE, THERE = Box(0, 0, 10, 10), Box(50, 0, 10, 10)


def video(frames: int, *starts: int, step: int = 1) -> Footage:
    """Return a video of which every `step`-th frame is used, with clips of 3 of these, 2 apart."""
    used = range(0, frames, step)
    windows = tuple(used[start : start + 5 : 2] for start in starts)
    boxes = (HERE, THERE, THERE)[: len(starts)]
    return Footage(Path("a"), windows, boxes, used=used)


def first_frames(footage: Footage) -> list[int]:
    return [window[0] for window in footage.windows]


def test_clips_begin_between_two_train_clips_with_the_crop_of_the_nearer_one() -> None:
    (longer,), origin = overlapping([video(12, 0, 6)], np.array([TRAIN, TRAIN]), least=100)
    assert first_frames(longer) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert longer.boxes == (HERE, HERE, HERE, THERE, THERE, THERE, THERE, THERE)
    assert origin.tolist() == [0] * 6 + [1] * 2
    assert {len(window) for window in longer.windows} == {3}
    assert {tuple(np.diff(window)) for window in longer.windows} == {(2, 2)}


def test_no_clip_is_added_that_reaches_into_another_split_or_over_a_clip_without_a_face() -> None:
    (longer,), _ = overlapping([video(12, 0, 6)], np.array([TRAIN, TEST]), least=100)
    assert first_frames(longer) == [0, 6]
    (longer,), _ = overlapping([video(18, 0, 12)], np.array([TRAIN, TRAIN]), least=100)
    assert first_frames(longer) == [0, 12, 13]


@pytest.mark.parametrize("least", [0, 4, 5, 9])
def test_train_gets_as_many_clips_as_are_wanted_from_all_over_the_videos(least: int) -> None:
    footage, split = [video(12, 0, 6), video(12, 0, 6)], np.array([TRAIN] * 4)
    longer, origin = overlapping(footage, split, least)
    assert len(origin) == max(least, 4)
    assert abs(len(longer[0].windows) - len(longer[1].windows)) <= 1


def test_a_video_that_is_a_little_longer_than_its_clip_gives_more_of_its_used_frames() -> None:
    (longer,), origin = overlapping([video(24, 0, step=3)], np.array([TRAIN]), least=9)
    assert [list(window) for window in longer.windows] == [
        [start, start + 6, start + 12] for start in (0, 3, 6, 9)
    ]
    assert origin.tolist() == [0] * 4
