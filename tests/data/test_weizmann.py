"""Weizmann: cut and split of drawn videos and, with the mirror, of the real set."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s3vae.data.clips import SPLITS
from s3vae.data.download import fetch
from s3vae.data.weizmann import ACTIONS, OUTFITS, SIZE, STRIPS, Weizmann

FRAMES = 60


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write strips that encode the frame in red and the video in green, with a dark left half."""
    folder = tmp_path_factory.mktemp("numbered")
    for number, video in enumerate(STRIPS):
        frames = np.zeros((FRAMES, SIZE, SIZE, 4), np.uint8)
        frames[..., 0] = np.arange(FRAMES)[:, None, None]
        frames[..., 1] = number
        frames[:, :, SIZE // 2 :, 2] = 200
        path = folder / "weizmann" / f"{video}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        strip = frames.transpose(1, 0, 2, 3).reshape(SIZE, -1, 4)
        Image.fromarray(strip).save(path, format="png", compress_level=1)
    return folder


def test_clips_are_consecutive_frames_of_one_video(numbered: Path) -> None:
    for clip in Weizmann(step=5).clips(numbered).frames:
        frames, video = clip[:, 0, 0, 0].astype(int), clip[..., 1]
        assert (np.diff(frames) == 1).all()
        assert (video == video[0, 0, 0]).all()


def test_no_frame_is_in_two_splits(numbered: Path) -> None:
    clips = Weizmann(step=1).clips(numbered)
    splits: dict[tuple[int, ...], set[int]] = {}
    for clip, split in zip(clips.frames, clips.split, strict=True):
        for frame in clip:
            splits.setdefault(tuple(frame[0, 0, :2].tolist()), set()).add(int(split))
    assert all(len(each) == 1 for each in splits.values())


def test_the_mirror_image_of_every_clip_is_in_its_split(numbered: Path) -> None:
    clips = Weizmann(step=9).clips(numbered)
    frames = np.stack(list(clips.frames))
    for split in range(len(SPLITS)):
        of_split = frames[clips.split == split]
        mirrored = of_split[:, :, :, ::-1]
        assert sorted(each.tobytes() for each in of_split) == sorted(
            each.tobytes() for each in mirrored
        )


@pytest.mark.parametrize("split_by", ["time", "combination"])
def test_the_number_of_clips_is_that_of_the_shape(numbered: Path, split_by: str) -> None:
    clips = Weizmann(split_by=split_by).clips(numbered)  # type: ignore[arg-type]
    assert len(list(clips.frames)) == clips.shape[0] == len(clips.split) == len(clips.identity)


def test_four_outfits_occur_in_one_action_only(numbered: Path) -> None:
    labels = Weizmann().clips(numbered).labels
    actions = [set(labels["action"][labels["outfit"] == k]) for k in range(len(OUTFITS))]
    assert sorted(map(len, actions)) == [1, 1, 1, 1, 3, 3, 3, 3, 4, 4, 4, 4, 4]


def test_held_out_combinations_are_new_but_their_outfits_and_actions_are_not(
    numbered: Path,
) -> None:
    clips = Weizmann(split_by="combination").clips(numbered)
    outfit, action = clips.labels["outfit"], clips.labels["action"]
    pairs = {
        name: set(zip(outfit[of].tolist(), action[of].tolist(), strict=True))
        for name, of in ((name, clips.split == k) for k, name in enumerate(SPLITS))
    }
    for held_out in ("val", "test"):
        assert not pairs[held_out] & pairs["train"]
        assert {o for o, _ in pairs[held_out]} <= {o for o, _ in pairs["train"]}
        assert {a for _, a in pairs[held_out]} == set(range(len(ACTIONS)))
    assert {a for _, a in pairs["train"]} == set(range(len(ACTIONS)))


def test_the_real_set_has_every_outfit_and_action_in_every_split(
    tmp_path: Path, mirror_with: Callable[[str], str]
) -> None:
    for file in Weizmann().files:
        fetch(file, tmp_path, mirror_with("weizmann"))
    clips = Weizmann().clips(tmp_path)
    assert next(iter(clips.frames)).shape == clips.shape[1:]
    for split in range(len(SPLITS)):
        rows = clips.split == split
        assert set(clips.labels["outfit"][rows]) == set(range(len(OUTFITS)))
        assert set(clips.labels["action"][rows]) == set(range(len(ACTIONS)))
