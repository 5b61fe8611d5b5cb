"""Frame rates: one motion has one speed, whatever rate it is filmed at."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy import ndarray

from s3vae.data import footage
from s3vae.data.footage import Cut, Footage, TooManyUnreadableError, read_clips, scan_footage
from s3vae.data.media import frame_times
from s3vae.data.rates import frames_at, increasing, mixed_rates, uneven_rate


def moving(path: Path, fps: float, seconds: float = 2) -> Path:
    """Film a scene that brightens by 100 grey levels a second."""
    codec = {".avi": "MJPG", ".flv": "FLV1"}.get(path.suffix, "mp4v")
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, (32, 32))
    for number in range(round(seconds * fps)):
        writer.write(np.full((32, 32, 3), 20 + round(100 * number / fps), np.uint8))
    writer.release()
    return path


def scan(paths: list[Path], fps: float | None = None) -> list[Footage]:
    return scan_footage("mine", paths, Cut(time=5, stride=2), "none", 0, fps=fps)


def greys(footage: Footage) -> ndarray:
    return np.stack(list(read_clips([footage])))[..., 0, 0, 0].astype(int)


@pytest.mark.parametrize("suffix", ["avi", "mp4", "mkv", "flv", "ts"])
def test_recordings_of_one_motion_at_two_rates_give_the_same_clips(
    tmp_path: Path, suffix: str
) -> None:
    paths = [moving(tmp_path / f"{fps}.{suffix}", fps) for fps in (30, 60)]
    slow, fast = (greys(each) for each in scan(paths, fps=30))
    assert slow.shape == fast.shape == (6, 5)
    assert abs(slow - fast).max() <= 3
    assert abs(slow - greys(scan(paths[:1])[0])).max() == 0
    assert abs(slow[0] - greys(scan(paths[1:])[0])[0]).max() > 10


def test_frames_of_a_variable_rate_are_those_nearest_in_time() -> None:
    times = np.array([0, 0.01, 0.05, 0.1, 0.12, 0.2, 0.31, 0.39, 0.4])
    assert frames_at(10, times) == [0, 3, 5, 6, 8]
    assert frames_at(10, times + 7) == frames_at(10, times)


@pytest.mark.parametrize("rate", [29.5, 29.97, 30])
def test_a_rate_that_is_nearly_the_stated_one_keeps_all_frames_once(rate: float) -> None:
    assert frames_at(30, np.round(np.arange(400) / rate, 3)) == [*range(400)]


@pytest.mark.parametrize(("fps", "remedy"), [(30, "set `fps: 15`"), (20, "set `fps: 15`")])
def test_a_video_with_fewer_frames_than_the_stated_rate_is_refused_with_one_that_it_has(
    tmp_path: Path, fps: float, remedy: str
) -> None:
    path = moving(tmp_path / "slow.avi", 15)
    with pytest.raises(TooManyUnreadableError, match=rf"slow\.avi: .*15 per second.*: {remedy}"):
        scan([path], fps=fps)
    assert scan([path], fps=15)


def test_a_slow_part_of_a_video_counts_as_too_few_frames() -> None:
    times = np.cumsum([*[1 / 30] * 60, *[1 / 6] * 12])
    with pytest.raises(ValueError, match=r"gaps of up to 0\.17 s: set `fps: 7`"):
        frames_at(13, times)
    assert np.diff(times[frames_at(6, times)]) == pytest.approx(1 / 6, abs=1 / 30)


def test_a_video_whose_rate_changes_is_reported_and_one_with_late_frames_is_not() -> None:
    changing = np.cumsum([*[1 / 30] * 60, *[1 / 6] * 12])
    assert "from 6 to 30 frames per second" in uneven_rate(changing)
    assert "set `fps: 6`" in uneven_rate(changing)
    jittered = np.round(np.arange(60) / 30, 3)
    late = np.delete(jittered, [20, 40])
    assert uneven_rate(jittered) == uneven_rate(late) == uneven_rate(np.full(60, np.nan)) == ""


def test_the_changing_rate_of_a_video_is_logged_unless_a_rate_is_stated(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = moving(tmp_path / "a.avi", 30)
    changing = np.cumsum([*[1 / 30] * 30, *[1 / 10] * 30])
    monkeypatch.setattr(footage, "in_processes", lambda function, *each: map(function, *each))
    monkeypatch.setattr(footage, "frame_times", lambda _: changing)
    scan([path], fps=10)
    assert "several speeds" not in caplog.text
    scan([path])
    assert "a.avi: it has from 10 to 30 frames per second" in caplog.text


def test_a_video_without_time_stamps_is_refused_if_a_rate_is_stated() -> None:
    with pytest.raises(ValueError, match="no time stamps"):
        frames_at(10, np.zeros(5))


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([0, 40, 80, 0, 40, 80], [0, 40, 80, 120, 160, 200]),  # joined files
        ([0, 40, 80, 80, 120], [0, 40, 80, 100, 120]),
        ([0, 0, 40, 40, 80], [0, 20, 40, 60, 80]),
        ([0, 40, 30, 120], [0, 40, 80, 120]),  # a single late frame
        ([0, 40, 80, 80], [0, 40, 80, 100]),
        ([0, 40, 80, 0], [0, 40, 80, 120]),
        ([0, 40, 80, 200, 120, 160, 200, 240], [0, 40, 80, 200, 210, 220, 230, 240]),
        ([0, 40, 80, 30, 35, 120, 160], [0, 40, 80, 280 / 3, 320 / 3, 120, 160]),
        ([0, 0, 0], [np.nan] * 3),
        ([5], [5]),
        ([], []),
    ],
)
def test_time_stamps_that_start_anew_or_repeat_increase(
    stamps: list[float], times: list[float]
) -> None:
    np.testing.assert_allclose(increasing(np.array(stamps, float)), times)


def test_all_frames_of_joined_videos_are_used(tmp_path: Path) -> None:
    parts = [moving(tmp_path / f"{name}.mpg", 25).read_bytes() for name in "ab"]
    joined = tmp_path / "joined.mpg"
    joined.write_bytes(b"".join(parts))
    times = frame_times(joined)
    assert np.diff(times) == pytest.approx(np.full(len(times) - 1, 1 / 25), abs=0.02)
    assert len(frames_at(12.5, times)) == pytest.approx(len(times) / 2, abs=1)


def test_pictures_of_a_folder_have_no_rate_and_are_all_used(tmp_path: Path) -> None:
    folder = tmp_path / "take"
    folder.mkdir()
    for number in range(10):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((32, 32, 3), number, np.uint8))
    assert np.isnan(frame_times(folder)).all()
    (footage,) = scan([folder], fps=30)
    assert greys(footage).tolist() == [[0, 2, 4, 6, 8]]


def test_several_rates_in_a_folder_are_reported_with_the_setting_unless_it_is_made(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = [moving(tmp_path / f"{k}.avi", fps) for k, fps in enumerate((30, 60, 30))]
    scan(paths, fps=30)
    scan(paths[::2])
    assert "several rates" not in caplog.text
    scan(paths)
    assert "mine: videos have several rates (2 of 30, 1 of 60 frames per second)" in caplog.text
    assert caplog.text.count("set `fps: 30` in the `data` section") == 1


def test_rates_that_differ_little_are_one() -> None:
    assert mixed_rates([29.97, 30, float("nan")]) is None
    assert mixed_rates([float("nan")]) is None
