"""Splits of footage by name and by time."""

import numpy as np
import pytest

from s3vae.data.splits import require_all_splits, split_by_name, split_clips_by_time


def test_more_videos_move_no_video_to_another_split() -> None:
    names = [f"video {number}.mp4" for number in range(2000)]
    split = split_by_name(names, val=0.1, test=0.2)
    shares = np.bincount(list(split.values())) / len(names)
    assert np.allclose(shares, (0.7, 0.1, 0.2), atol=0.03)
    fewer = split_by_name(names[:1000], val=0.1, test=0.2)
    assert fewer == {name: split[name] for name in names[:1000]}


@pytest.mark.parametrize("count", [5, 10])
def test_no_split_of_a_few_videos_is_empty_unless_its_share_is_0(count: int) -> None:
    for folder in range(50):
        names = [f"{folder} {number}.mp4" for number in range(count)]
        assert set(split_by_name(names, val=0.1, test=0.2).values()) == {0, 1, 2}
    assert set(split_by_name(names, val=0, test=0).values()) == {0}


def test_clips_are_split_in_order_of_time_if_a_video_has_one_for_each_split() -> None:
    split = split_clips_by_time([3, 2, 10, 1], val=0.1, test=0.2)
    assert split.tolist() == [0, 0, 2, 0, 0, *[0] * 7, 1, 2, 2, 0]
    assert split_clips_by_time([3], val=0.1, test=0.2).tolist() == [0, 1, 2]
    assert split_clips_by_time([2, 1], val=0.1, test=0.2).tolist() == [0, 0, 0]


@pytest.mark.parametrize("count", [3, 4, 7])
def test_most_short_videos_train_with_most_of_their_clips(count: int) -> None:
    split = split_clips_by_time([count] * 20, 0.1, 0.2).reshape(20, count)
    assert (np.diff(split) >= 0).all()  # in order of time
    assert (2 * (split == 0).sum(axis=1) >= count).all()
    assert [(split == k).mean() for k in (1, 2)] == pytest.approx([0.1, 0.2], abs=0.03)


def test_one_short_video_tests_and_another_validates() -> None:
    split = split_clips_by_time([3] * 20, 0.2, 0.2).reshape(20, 3)
    tests, validates = ((split == k).any(axis=1) for k in (2, 1))
    assert tests.sum() == validates.sum() == 12
    assert (tests & validates).sum() == 4


def test_a_split_with_too_few_clips_is_refused_with_the_remedy() -> None:
    require_all_splits("a", np.array([0, 0, 1, 2]), "remedy")
    with pytest.raises(ValueError, match=r"0 .* clips for val and 0 .* clips for test: remedy"):
        require_all_splits("a", np.array([0, 0]), "remedy")
    with pytest.raises(ValueError, match="a: the split has 1 of at least 2 clips for train"):
        require_all_splits("a", np.array([0, 1, 2]), "remedy")
