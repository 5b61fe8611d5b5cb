"""The command: what it writes, and what it refuses in one line."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from s3vae.app import commands
from s3vae.app import model as models
from s3vae.app.command import execute
from s3vae.app.model import VideoModel
from s3vae.app.strangers import EncodedVideo
from s3vae.data.media import frames_of


def run(*words: object) -> int:
    """Run the command with these words, and return its exit code."""
    return execute([str(each) for each in words])


def test_two_videos_become_one(
    videos: tuple[Path, Path], folder: Path, model: VideoModel, tmp_path: Path
) -> None:
    film, exact = tmp_path / "swap.mp4", tmp_path / "swap.webp"
    for output in (film, exact):
        assert run("swap", *videos, "-o", output, "--model", folder, "--size", 64) == 0
    assert len([*frames_of(film)]) == 12
    with Image.open(exact) as animation:
        shown = [np.asarray(each.convert("RGB")) for each in ImageSequence.Iterator(animation)]
    # the last two frames are equal, which WebP shows as one
    assert np.array_equal(np.stack(shown), model.swap(*videos)[:11])


def test_the_result_is_laid_into_the_frames_of_the_motion(
    videos: tuple[Path, Path], folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "swap.mp4"
    assert run("swap", *videos, "-o", output, "--model", folder, "--paste") == 0
    shown, real = np.stack([*frames_of(output)]), np.stack([*frames_of(videos[1])])
    assert shown.shape == real.shape
    difference = np.abs(shown.astype(int) - real)
    assert difference[:, :, :12].max() < 12  # beside the crop only compression
    assert difference[:, 20:50, 30:60].mean() > 12


def test_every_command_writes_what_it_says(
    videos: tuple[Path, Path], folder: Path, tmp_path: Path
) -> None:
    model = ("--model", folder)
    drawn, moved = tmp_path / "drawn.gif", tmp_path / "moved.webp"
    assert run("generate", "-n", 5, "--seconds", 0.5, "-o", drawn, *model) == 0
    assert run("traverse", videos[0], "-o", moved, *model) == 0
    assert run("continue", videos[0], "--seconds", 1, "-o", tmp_path / "c.mp4", *model) == 0
    with Image.open(drawn) as film:
        assert film.n_frames == 6
    assert run("generate", "-n", 1, "-o", tmp_path / "one.png", "--seconds", 0.1, *model) == 0
    with Image.open(tmp_path / "one.png") as one:
        assert 256 <= one.height < 270  # with a border
        assert film.width > film.height  # three columns, two rows
    with Image.open(moved) as film:
        assert film.n_frames == 7
    assert len([*frames_of(tmp_path / "c.mp4")]) == 7 + 10
    assert run("encode", *videos, "-o", tmp_path / "codes.npz", *model) == 0
    with np.load(tmp_path / "codes.npz") as codes:
        assert codes["static"].shape == (2, 4)
        assert codes["dynamic_1"].shape == (6, 3)
        assert codes["videos"].tolist() == [str(video) for video in videos]
    often = tmp_path / "often.npz"
    assert run("encode", videos[1], "-o", often, "--fps", 20, *model) == 0
    with np.load(often) as more, np.load(tmp_path / "codes.npz") as codes:
        assert np.allclose(np.diff(more["times_0"]), 0.05)
        assert more["times_0"][-1] >= codes["times_1"][-1]
        for found, known in zip(more["dynamic_0"].T, codes["dynamic_1"].T, strict=True):
            expected = np.interp(more["times_0"], codes["times_1"], known)
            assert np.allclose(found, expected, atol=1e-6)


def test_a_rate_changes_the_frames_of_drawn_clips_and_not_their_motion(
    folder: Path, model: VideoModel, tmp_path: Path
) -> None:
    shown = {}
    for rate in (12, 24):
        output = tmp_path / f"{rate}.webp"
        words = "generate", "-n", 1, "--seconds", 0.5, "--fps", rate, "--size", 64
        assert run(*words, "-o", output, "--model", folder) == 0
        with Image.open(output) as film:
            frames = [np.asarray(each.convert("RGB")) for each in ImageSequence.Iterator(film)]
        shown[rate] = np.stack(frames)[:, 2:, 2:]  # without the margin of the grid
    assert np.array_equal(shown[24][::2], shown[12])
    assert np.array_equal(shown[12], model.generate(1, 6)[0])


@pytest.mark.parametrize("command", ["swap", "traverse --code dynamic", "continue"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "the model is adapted to it"),
        (("--adapt", "3"), "the model is adapted to it"),
        (("--adapt", "0"), "it is shown as the most similar appearance"),
    ],
    ids=["by default", "steps", "none"],
)
def test_the_model_is_adapted_to_an_appearance_that_it_hardly_knows(
    command: str,
    options: tuple[str, ...],
    said: str,
    videos: tuple[Path, Path],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """All videos are encoded before; the film is what the adapted model draws, here nothing."""
    steps = []
    black = np.zeros((64, 64, 3), np.uint8)

    def adapted(model: VideoModel, shown: list[EncodedVideo], count: int, _: str) -> VideoModel:
        assert [each.name for each in shown] == [str(videos[0])]
        steps.append(count)
        monkeypatch.delattr(VideoModel, "encode")
        monkeypatch.setattr(VideoModel, "frames", lambda _, codes: [black for _ in codes.times])
        return model

    chosen = videos if command == "swap" else videos[:1]

    monkeypatch.setattr(models, "STRANGE", 0.0)
    monkeypatch.setattr(VideoModel, "adapted", adapted)
    film = tmp_path / "film.gif"
    assert run(*command.split(), *chosen, "-o", film, "--model", folder, *options) == 0
    assert said in caplog.text
    assert steps == [int(each) for each in options[1:] or ["200"] if each != "0"]
    with Image.open(film) as shown:
        inner = np.asarray(shown.convert("RGB"))[8:40, 8:40]  # within the margin of a grid
        assert (inner.max() == 0) == bool(steps)


@pytest.mark.parametrize(("ratio", "adaptable"), [(1e9, True), (0.0, False)])
def test_what_a_model_knows_or_a_decoder_without_canonical_images_is_not_adapted(
    ratio: float,
    adaptable: bool,
    videos: tuple[Path, Path],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(models, "STRANGE", ratio)
    monkeypatch.setattr(VideoModel, "adaptable", adaptable)
    monkeypatch.delattr(VideoModel, "adapted")
    assert run("swap", *videos, "-o", tmp_path / "film.gif", "--model", folder) == 0
    assert ("it is shown as the most similar appearance" in caplog.text) != adaptable


@pytest.mark.parametrize("words", [("encode",), ("traverse",), ("continue",), ("swap", "{still}")])
def test_every_video_that_the_model_hardly_knows_is_named(
    words: tuple[str, ...],
    videos: tuple[Path, Path],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also the one that gives the motion alone."""
    monkeypatch.setattr(VideoModel, "error", lambda model, codes, each: len(each.times) - 5)
    monkeypatch.setattr(VideoModel, "adaptable", False)
    monkeypatch.setattr(models, "STRANGE", 0.0)
    still = tmp_path / "still.png"
    Image.new("RGB", (80, 80)).save(still)
    given = [each.format(still=still) for each in words]
    output = tmp_path / ("codes.npz" if words == ("encode",) else "film.gif")
    assert run(*given, videos[1], "-o", output, "--model", folder) == 0
    assert f"{videos[1]} differs from what the model was trained on" in caplog.text
    assert f"{still} differs" not in caplog.text


def test_a_reader_that_ends_early_is_no_fault() -> None:
    command = f"{sys.executable} -m s3vae.app.command models | head -n 0; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert ended.stderr == ""
    assert ended.stdout in ("0\n", "141\n")


def test_models_and_their_cards_are_printed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("models") == 0
    assert "sprites: " in capsys.readouterr().out
    assert run("inspect", folder) == 0
    out = capsys.readouterr().out
    assert "parameters" in out
    assert "stride: 2" in out
    assert "# tiny" in out


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (("swap", "nix.mp4", "{motion}", "-o", "a.mp4"), "nix.mp4 does not exist"),
        (("swap", "{motion}", "{motion}", "-o", "a.avi"), "a.avi must end in .mp4"),
        (("swap", "{motion}", "{motion}", "-o", "here.mp4"), "here.mp4 exists: .*--force"),
        (("swap", "text.mp4", "{motion}", "-o", "a.mp4"), "text.mp4: .*cannot read"),
        (("generate", "-o", "a.mp4", "--model", "nix"), "there is no model 'nix'"),
        (("swap", "{motion}", "{motion}", "-o", "a.mp4", "--paste", "--fps", "9"), "leave out"),
        (("explore", "--adapt", "9", "-o", "a.html"), "--adapt needs --video"),
        (
            ("continue", "{motion}", "-o", "a.mp4", "--adapt", "9", "--model", "dsprites"),
            "not broadcast",
        ),
        (("generate", "-n", "50000", "-o", "a.mp4"), "50000 clips of 24 frames are more than"),
        pytest.param(
            ("generate", "-o", "a.mp4", "--device", "cuda"),
            "no CUDA here",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA"),
        ),
    ],
)
def test_a_wrong_input_is_refused_in_one_line_before_anything_is_written(
    arguments: tuple[str, ...],
    rule: str,
    videos: tuple[Path, Path],
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here.mp4").touch()
    Path("text.mp4").write_text("no video")
    given = [each.format(motion=videos[1]) for each in arguments]
    if "--model" not in given:
        given += ["--model", str(folder)]
    assert run(*given) == 2
    error = capsys.readouterr().err
    assert error.startswith("s3vae: ")
    assert error.count("\n") == 1
    assert re.search(rule, error)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here.mp4", "text.mp4"]


def test_an_interrupted_command_leaves_nothing(
    videos: tuple[Path, Path], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "enlarged", interrupted)
    output = tmp_path / "swap.mp4"
    assert run("swap", *videos, "-o", output, "--model", folder) == 130
    assert not [*tmp_path.iterdir()]


def test_a_terminated_command_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from s3vae.app import commands, command\n"
        "commands.enlarged = lambda *_: os.kill(os.getpid(), signal.SIGTERM)\n"
        f"sys.argv[1:] = ['generate', '-o', 'a.mp4', '--model', {str(folder)!r}]\n"
        "raise SystemExit(command.main())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    assert done.returncode == 143
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (("--size", "100000000"), "no whole number from 1 to 4096"),
        (("--size", "x"), "no whole number"),
        (("--fps", "-1"), "no number above 0"),
        (("--seed", "99999999999999999999"), "no whole number"),
    ],
)
def test_absurd_numbers_are_refused(
    options: tuple[str, str], rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refusal:
        run("generate", "-o", "a.mp4", *options)
    assert refusal.value.code == 2
    assert rule in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("command.parser()", {"torch", "cv2", "numpy"}),
        ("command.execute(['models'])", {"torch"}),
        ("command.execute(['swap', 'no.mp4', 'no.mp4', '-o', 'out.mp4'])", {"torch"}),
        (
            "from s3vae.app import choice, commands, exported, hub; commands.models_()",
            {"mlflow", "dvc", "prefect", "pandas", "matplotlib", "sklearn", "requests", "ruamel"},
        ),
    ],
    ids=["help", "models", "wrong input", "no package of the pipeline"],
)
def test_what_a_command_does_not_need_is_not_imported(code: str, unwanted: set[str]) -> None:
    program = f"import sys; from s3vae.app import command; {code}; print(*sys.modules, sep='\\n')"
    modules = set(subprocess.check_output([sys.executable, "-c", program], text=True).split("\n"))
    assert "s3vae.app.command" in modules
    assert not modules & unwanted
