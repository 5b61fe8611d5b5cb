"""GRID: cut, split and crop of made-up videos."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy import ndarray

from s3vae.data import crops
from s3vae.data.clips import SPLITS, ClipFile, write_clips
from s3vae.data.grid import SPEAKERS, Grid

FRAMES, SIDE, BAND = 75, 32, 8
WHOLE = Grid(crop="none", size=(SIDE, SIDE))


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write videos with a band for the frame and one for the speaker, above a dark left half."""
    raw = tmp_path_factory.mktemp("raw")
    (raw / "grid").mkdir()
    for speaker, name in enumerate(SPEAKERS):
        written = raw / "video.avi"
        writer = cv2.VideoWriter(str(written), cv2.VideoWriter.fourcc(*"FFV1"), 25, (SIDE, SIDE))
        assert writer.isOpened()
        for number in range(FRAMES):
            frame = np.zeros((SIDE, SIDE, 3), np.uint8)
            frame[:BAND], frame[BAND : 2 * BAND] = 3 * number, 20 * speaker
            frame[2 * BAND :, SIDE // 2 :] = 200
            writer.write(frame)
        writer.release()
        written.rename(raw / "grid" / f"{name}.mpg")
    return raw


def shown(clip: ndarray) -> tuple[list[int], set[int]]:
    """Return the numbers of a clip's frames, and its speakers."""
    number, speaker = (clip[:, band, 0, 0] for band in (BAND // 2, 3 * BAND // 2))
    return (number / 3).round().astype(int).tolist(), set((speaker / 20).round().astype(int))


def test_clips_are_consecutive_frames_of_the_speaker_of_their_label(numbered: Path) -> None:
    clips = WHOLE.clips(numbered)
    for clip, label in zip(clips.frames, clips.labels["speaker"], strict=True):
        frames, speakers = shown(clip)
        assert (np.diff(frames) == 1).all()
        assert speakers == {label}


def test_all_frames_of_train_precede_those_of_val_and_these_those_of_test(numbered: Path) -> None:
    clips = WHOLE.clips(numbered)
    frames = np.array([shown(clip)[0] for clip in clips.frames])
    train, val, test = (frames[clips.split == split] for split in range(len(SPLITS)))
    assert train.min() == 0
    assert train.max() < val.min()
    assert val.max() < test.min()


def test_only_train_clips_have_their_mirror_image_in_the_set(numbered: Path) -> None:
    clips = WHOLE.clips(numbered)
    frames = np.stack(list(clips.frames))
    known = {clip.tobytes() for clip in frames}
    mirrored = np.array([clip[:, :, ::-1].tobytes() in known for clip in frames])
    assert (mirrored == (clips.split == SPLITS.index("train"))).all()


def test_every_split_shows_every_speaker_even_at_the_limits_of_the_settings(
    numbered: Path, tmp_path: Path
) -> None:
    limits = Grid(crop="none", size=(SIDE, SIDE), time=25, val=1 / 3, test=1 / 3)
    write_clips(tmp_path / "clips.h5", limits.clips(numbered))
    clips = ClipFile(tmp_path / "clips.h5")
    assert clips.shape[1:] == (25, SIDE, SIDE, 3)
    assert [factor.kind for factor in clips.factors] == ["static"]
    for split in SPLITS:
        assert set(clips.labels("speaker")[clips.split(split)]) == set(range(len(SPEAKERS)))


def test_frames_are_cropped_to_the_face_of_their_video(
    numbered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crops, "detect_face", lambda *_: crops.Box(0, BAND, BAND, BAND))
    clips = Grid(size=(SIDE, SIDE)).clips(numbered)
    for clip, speaker in zip(clips.frames, clips.labels["speaker"], strict=True):
        assert abs(clip.astype(int) - 20 * speaker).max() <= 2


def test_a_video_without_a_face_is_refused_with_the_remedy(numbered: Path) -> None:
    with pytest.raises(ValueError, match=r"bbaf2n\.mpg shows no face: set `crop: centre`"):
        Grid().clips(numbered)
