"""Which part of a video a model takes."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy import ndarray

from s3vae.app.recording import open_recording, require_frames
from s3vae.data import crops
from s3vae.data.media import frames_of
from s3vae.data.preparation import Preparation

SIZE = (64, 64)


@pytest.mark.parametrize("made", [Preparation(stride=2), Preparation(fps=5)])
def test_every_second_frame_is_taken_at_the_stride_or_the_rate_of_training(
    made: Preparation, videos: tuple[Path, Path]
) -> None:
    recording = open_recording(videos[1], made, SIZE, grey=False)
    assert recording.taken == [0, 2, 4, 6, 8, 10]
    np.testing.assert_allclose(recording.times, np.arange(12) / 10, atol=1e-6)
    taken = [*recording.frames()]
    whole = [*frames_of(videos[1])][::2]
    for frame, full in zip(taken, whole, strict=True):
        assert frame.shape == (64, 64, 3)
        centre = cv2.resize(full[:, 12:84], SIZE, interpolation=cv2.INTER_AREA)
        assert np.array_equal(frame, centre)


def test_frames_of_the_size_of_the_model_are_taken_as_they_are(clip: ndarray) -> None:
    recording = open_recording(clip, Preparation(stride=2, crop="face"), SIZE, grey=False)
    assert np.array_equal(np.stack([*recording.frames()]), clip)


def test_a_model_of_grey_clips_takes_grey_frames_and_colour_models_take_grey_video(
    noise: Callable[..., ndarray],
) -> None:
    (frame,) = open_recording(noise(1, 80), Preparation(), SIZE, grey=True).frames()
    assert frame.shape == (64, 64, 1)
    grey = noise(1, channels=1)
    (frame,) = open_recording(grey, Preparation(), SIZE, grey=False).frames()
    assert np.array_equal(frame, np.repeat(grey[0], 3, axis=-1))


@pytest.mark.parametrize("fps", [None, 10])
def test_one_picture_is_a_video_of_one_frame_at_any_rate(fps: float | None, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "me.png"), np.zeros((70, 70, 3), np.uint8))
    recording = open_recording(tmp_path / "me.png", Preparation(fps=fps), SIZE, grey=False)
    assert len([*recording.frames()]) == len(recording.times) == 1


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((2, 64, 64, 3)),
        np.zeros((64, 64, 3), np.uint8),
        np.zeros((1, 9, 9, 4), np.uint8),
        np.zeros((1, 0, 9, 3), np.uint8),
    ],
)
def test_arrays_that_are_no_frames_are_refused(frames: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be uint8"):
        require_frames(frames)


def test_times_at_another_rate_cover_the_video(videos: tuple[Path, Path]) -> None:
    recording = open_recording(videos[1], Preparation(), SIZE, grey=False)
    np.testing.assert_allclose(recording.at_rate(20), np.arange(23) / 20)


def test_what_cannot_be_read_is_named(
    noise: Callable[..., ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FileNotFoundError, match=r"nix\.mp4 does not exist"):
        open_recording(tmp_path / "nix.mp4", Preparation(), SIZE, grey=False)
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(ValueError, match=r"text\.mp4: .*cannot read"):
        open_recording(tmp_path / "text.mp4", Preparation(), SIZE, grey=False)
    with pytest.raises(ValueError, match="the array holds no frames"):
        open_recording(noise(0), Preparation(), SIZE, grey=False)
    with pytest.raises(ValueError, match="holds no frames: name one video"):
        open_recording(tmp_path, Preparation(), SIZE, grey=False)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(PermissionError, match=r"text\.mp4 may not be read"):
        open_recording(tmp_path / "text.mp4", Preparation(), SIZE, grey=False)


def test_frames_that_are_missing_in_a_damaged_file_are_counted(
    videos: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = videos[1].read_bytes()
    middle = whole.index(b"mdat") + 3000
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(whole[:middle] + bytes(2000) + whole[middle + 2000 :])
    recording = open_recording(damaged, Preparation(), SIZE, grey=False)
    assert f"only {len(recording.times)} of its 12 frames can be read" in caplog.text


def test_faces_are_sought_in_the_whole_video_as_for_the_clips_of_training(
    videos: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sought = []
    monkeypatch.setattr(crops, "detect_face", lambda frame, size: sought.append(frame))
    with pytest.raises(ValueError, match="shows no face"):
        open_recording(videos[1], Preparation(stride=2, crop="face"), SIZE, grey=False)
    whole = [*frames_of(videos[1])]
    assert np.array_equal(sought, [whole[index] for index in (0, 6, 11)])


def test_a_video_without_a_face_is_refused_by_a_model_of_faces(videos: tuple[Path, Path]) -> None:
    pytest.importorskip("dlib")
    with pytest.raises(ValueError, match=r"motion\.mp4 shows no face"):
        open_recording(videos[1], Preparation(crop="face"), SIZE, grey=False)
