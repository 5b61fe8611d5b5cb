"""Films: readable by any player, equal bytes each time, never half written."""

import re
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numpy import ndarray
from PIL import Image

from s3vae.app.film import OutputError, enlarged, require_writable, save, write_film
from s3vae.data.media import frame_times, frames_of

FRAMES = [np.full((33, 47, 3), 20 * index, np.uint8) for index in range(12)]
UNEVEN = np.cumsum([0, 0.1, 0.2, 0.05, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])


def test_a_film_has_h264_of_even_size_and_every_frame_at_its_time(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    write_film(path, FRAMES, UNEVEN)
    with av.open(str(path)) as film:
        (video,) = film.streams
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (video.height, video.width) == (34, 48)
    np.testing.assert_allclose(frame_times(path), UNEVEN, atol=1e-3)
    for shown, frame in zip(frames_of(path), FRAMES, strict=True):
        assert abs(int(shown[5, 5, 0]) - int(frame[0, 0, 0])) <= 4


def test_a_film_keeps_the_sound_of_the_video_up_to_its_own_end(
    videos: tuple[Path, Path], tmp_path: Path
) -> None:
    path = tmp_path / "film.mp4"
    write_film(path, FRAMES[:6], np.arange(6) / 10, sound=videos[1])
    with av.open(str(path)) as film:
        voice = film.streams.audio[0]
        assert voice.codec_context.name == "aac"
        assert 0.5 <= float(voice.duration * voice.time_base) <= 0.75
        sound = np.concatenate([each.to_ndarray() for each in film.decode(voice)], axis=1)
    assert np.abs(sound).max() > 0.5


@pytest.mark.parametrize("hertz", [12345, 44100])
def test_uncompressed_sound_of_any_rate_is_kept(hertz: int, tmp_path: Path) -> None:
    source = tmp_path / "source.mkv"
    with av.open(str(source), "w") as output:
        video = output.add_stream("mjpeg", rate=10)
        video.width, video.height, video.pix_fmt = 32, 32, "yuvj420p"
        voice = output.add_stream("pcm_s16le", rate=hertz, layout="mono")
        tone = av.AudioFrame.from_ndarray(np.ones((1, hertz), np.int16), "s16", "mono")
        tone.sample_rate, tone.pts = hertz, 0
        picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        output.mux([*video.encode(picture), *voice.encode(tone), *video.encode(), *voice.encode()])
    write_film(tmp_path / "film.mp4", FRAMES[:6], np.arange(6) / 10, sound=source)
    with av.open(str(tmp_path / "film.mp4")) as film:
        assert film.streams.audio[0].codec_context.name == "aac"


def test_damaged_sound_is_left_out_and_said_so(
    videos: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with av.open(str(videos[1])) as whole:
        packets = [packet for packet in whole.demux(whole.streams.audio[0]) if packet.size]
        places = [(packet.pos, packet.size) for packet in packets]
    content = bytearray(videos[1].read_bytes())
    for place, size in places[2:5]:
        content[place : place + size] = b"\xff" * size
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(content)
    write_film(tmp_path / "film.mp4", FRAMES, UNEVEN, sound=damaged)
    assert "damaged packets of its sound are left out" in caplog.text


@pytest.mark.parametrize(("count", "rate"), [(12, 10), (1, 1), (5, 25)])
def test_the_last_frame_is_shown_as_long_as_the_one_before_it(
    count: int, rate: int, tmp_path: Path
) -> None:
    path = tmp_path / "film.mp4"
    write_film(path, FRAMES[:count], np.arange(count) / rate)
    assert len([*frames_of(path)]) == count
    with av.open(str(path)) as film:
        assert film.duration / 1e6 == pytest.approx(count / rate, abs=2e-3)


def test_the_sound_of_joined_videos_ends_with_a_warning_where_its_times_restart(
    videos: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    parts = []
    for number in range(2):
        part = tmp_path / f"{number}.ts"
        with av.open(str(videos[1])) as source, av.open(str(part), "w") as output:
            voice = output.add_stream("aac", rate=source.streams.audio[0].rate)
            video = output.add_stream("libx264", rate=10)
            video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
            for each in source.decode(audio=0):
                output.mux(voice.encode(each))
            for _ in range(10):
                picture = np.zeros((32, 32, 3), np.uint8)
                output.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            output.mux([*voice.encode(), *video.encode()])
        parts.append(part.read_bytes())
    joined, path = tmp_path / "joined.ts", tmp_path / "film.mp4"
    joined.write_bytes(b"".join(parts))
    times = frame_times(joined)
    write_film(path, [FRAMES[0]] * len(times), times - times[0], sound=joined)
    with av.open(str(path)) as film:
        voice, (video,) = film.streams.audio[0], film.streams.video
        assert video.frames == len(times) == 20
        assert 0.9 < float(voice.duration * voice.time_base) < 1.4
    assert "its times restart" in caplog.text


def test_a_name_with_a_colon_is_no_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save(np.stack(FRAMES), "10:30:00.mp4")
    assert len([*frames_of(Path("10:30:00.mp4"))]) == len(FRAMES)


@pytest.mark.parametrize("suffix", [".mp4", ".webp", ".gif"])
def test_frames_that_a_format_cannot_have_are_refused(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"70000x2 pixels .* choose a smaller size"):
        save(np.zeros((1, 2, 70_000, 3), np.uint8), tmp_path / f"wide{suffix}")


@pytest.mark.parametrize("fps", [0, -1, 1e-3, 1e6])
def test_a_rate_that_films_cannot_have_is_refused(fps: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"fps is {re.escape(f'{fps:g}')}, but"):
        save(np.stack(FRAMES), tmp_path / "film.gif", fps)


def test_no_frames_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no frames to write"):
        save(np.stack(FRAMES)[:0], tmp_path / "film.gif")


def test_a_name_that_is_too_long_is_refused_before_any_work(tmp_path: Path) -> None:
    write_film(tmp_path / f"{'n' * 236}.mp4", FRAMES, UNEVEN)
    too_long = tmp_path / f"{'n' * 237}.mp4"
    with pytest.raises(OutputError, match="longer than 240 bytes: choose a shorter name"):
        require_writable(too_long, (".mp4",), force=False)


def test_a_link_whose_target_is_missing_is_not_replaced(tmp_path: Path) -> None:
    link = tmp_path / "film.mp4"
    link.symlink_to("missing.mp4")
    with pytest.raises(OutputError, match="exists"):
        write_film(link, FRAMES, UNEVEN)


def test_a_video_without_sound_gives_a_film_without_sound(
    videos: tuple[Path, Path], tmp_path: Path
) -> None:
    path = tmp_path / "film.mp4"
    write_film(path, FRAMES, UNEVEN, sound=videos[0])
    with av.open(str(path)) as film:
        assert not film.streams.audio


@pytest.mark.parametrize("suffix", [".mp4", ".gif", ".webp", ".png"])
def test_equal_frames_give_equal_bytes(suffix: str, tmp_path: Path) -> None:
    paths = tmp_path / f"first{suffix}", tmp_path / f"second{suffix}"
    for path in paths:
        write_film(path, FRAMES, UNEVEN)
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_an_animation_has_every_frame(suffix: str, tmp_path: Path) -> None:
    write_film(tmp_path / f"film{suffix}", FRAMES, UNEVEN)
    with Image.open(tmp_path / f"film{suffix}") as animation:
        assert (animation.n_frames, animation.size) == (12, (47, 33))


@pytest.mark.parametrize(("suffix", "unit"), [(".gif", 0.01), (".webp", 0.001)])
@pytest.mark.parametrize("rate", [12, 30, 60, 100])
def test_an_animation_lasts_as_long_as_its_frames(
    suffix: str, unit: float, rate: int, tmp_path: Path
) -> None:
    """Frames that are too brief for players are left out, at 60 frames per second every other."""
    frames = np.random.default_rng(0).integers(256, size=(60, 8, 8, 3), dtype=np.uint8)
    save(frames, tmp_path / f"film{suffix}", fps=rate)
    with Image.open(tmp_path / f"film{suffix}") as animation:
        shown = []
        for index in range(animation.n_frames):
            animation.seek(index)
            animation.load()
            shown.append(animation.info["duration"] / 1000)
    assert sum(shown) == pytest.approx(60 / rate, abs=unit)
    assert min(shown) >= max(2 * unit, 0.011 if suffix == ".webp" else 0)


def test_stills_of_wide_frames_are_in_rows(tmp_path: Path) -> None:
    wide = np.zeros((10, 20, 700, 1), np.uint8)
    save(wide, tmp_path / "wide.png")
    with Image.open(tmp_path / "wide.png") as picture:
        assert picture.size == (2100, 60)


def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    def broken() -> Iterator[ndarray]:
        yield from FRAMES[:3]
        raise KeyboardInterrupt

    path = tmp_path / "film.mp4"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt):
        write_film(path, broken(), UNEVEN, force=True)
    assert [each.name for each in tmp_path.iterdir()] == ["film.mp4"]
    assert path.read_text() == "before"


def test_a_film_that_another_process_wrote_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"

    def meanwhile() -> Iterator[ndarray]:
        yield from FRAMES[:11]
        path.write_text("of another process")
        yield FRAMES[11]

    with pytest.raises(OutputError, match=r"exists.*--force"):
        write_film(path, meanwhile(), UNEVEN)
    assert path.read_text() == "of another process"


@pytest.mark.parametrize(
    ("name", "rule"),
    [("film.avi", "must end in .mp4"), ("no/film.mp4", "does not exist"), (".", "must end in")],
)
def test_a_path_that_cannot_be_written_is_refused(name: str, rule: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=rule):
        write_film(tmp_path / name, FRAMES, UNEVEN)


@pytest.mark.parametrize(("side", "size"), [(None, (256, 384)), (32, (32, 48)), (100, (100, 150))])
def test_frames_are_enlarged_by_their_shorter_side(side: int | None, size: tuple[int, int]) -> None:
    assert enlarged(np.zeros((64, 96, 1), np.uint8), side).shape == (*size, 3)


def test_a_folder_without_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(OutputError, match="may not be written to"):
        require_writable(tmp_path / "film.mp4", (".mp4",), force=False)
