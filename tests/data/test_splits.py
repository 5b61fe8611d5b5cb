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


@pytest.mark.parametrize("shares", [(0.1, 0.2), (0.25, 0.25)])
@pytest.mark.parametrize("count", [3, 4, 7])
def test_short_videos_train_with_most_of_their_clips(
    count: int, shares: tuple[float, float]
) -> None:
    videos = 20
    split = split_clips_by_time([count] * videos, *shares).reshape(videos, count)
    assert (np.diff(split) >= 0).all()  # in order of time
    assert (split[:, 0] == 0).all()
    val, test = ((split == k).mean() for k in (1, 2))
    assert (val, test) == pytest.approx(shares, abs=0.03)


def test_a_split_with_too_few_clips_is_refused_with_the_remedy() -> None:
    require_all_splits("a", np.array([0, 0, 1, 2]), "remedy")
    with pytest.raises(ValueError, match=r"0 .* clips for val and 0 .* clips for test: remedy"):
        require_all_splits("a", np.array([0, 0]), "remedy")
    with pytest.raises(ValueError, match="a: the split has 1 of at least 2 clips for train"):
        require_all_splits("a", np.array([0, 1, 2]), "remedy")
