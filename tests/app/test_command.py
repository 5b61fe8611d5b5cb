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
from s3vae.app.command import execute
from s3vae.app.model import VideoModel
from s3vae.data.media import frames_of


def words(*given: object) -> list[str]:
    return [str(each) for each in given]


def test_two_videos_become_one(
    videos: tuple[Path, Path], folder: Path, model: VideoModel, tmp_path: Path
) -> None:
    film, exact = tmp_path / "swap.mp4", tmp_path / "swap.webp"
    for output in (film, exact):
        assert execute(words("swap", *videos, "-o", output, "--model", folder, "--size", 64)) == 0
    assert len([*frames_of(film)]) == 12
    with Image.open(exact) as animation:
        shown = [np.asarray(each.convert("RGB")) for each in ImageSequence.Iterator(animation)]
    # the last two frames are equal, which WebP shows as one
    assert np.array_equal(np.stack(shown), model.swap(*videos)[:11])


def test_the_result_is_laid_into_the_frames_of_the_motion(
    videos: tuple[Path, Path], folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "swap.mp4"
    assert execute(words("swap", *videos, "-o", output, "--model", folder, "--paste")) == 0
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
    assert execute(words("generate", "-n", 5, "--seconds", 0.5, "-o", drawn, *model)) == 0
    assert execute(words("traverse", videos[0], "-o", moved, *model)) == 0
    assert (
        execute(words("continue", videos[0], "--seconds", 1, "-o", tmp_path / "c.mp4", *model)) == 0
    )
    with Image.open(drawn) as film:
        assert film.n_frames == 6
        assert film.width > film.height  # three columns, two rows
    with Image.open(moved) as film:
        assert film.n_frames == 7
    assert len([*frames_of(tmp_path / "c.mp4")]) == 7 + 10
    assert execute(words("encode", *videos, "-o", tmp_path / "codes.npz", *model)) == 0
    with np.load(tmp_path / "codes.npz") as codes:
        assert codes["static"].shape == (2, 4)
        assert codes["dynamic_1"].shape == (6, 3)
        assert codes["videos"].tolist() == words(*videos)
    often = tmp_path / "often.npz"
    assert execute(words("encode", videos[1], "-o", often, "--fps", 20, *model)) == 0
    with np.load(often) as more, np.load(tmp_path / "codes.npz") as codes:
        assert np.allclose(np.diff(more["times_0"]), 0.05)
        assert more["times_0"][-1] >= codes["times_1"][-1]
        for found, known in zip(more["dynamic_0"].T, codes["dynamic_1"].T, strict=True):
            expected = np.interp(more["times_0"], codes["times_1"], known)
            assert np.allclose(found, expected, atol=1e-6)


def test_models_and_their_cards_are_printed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["models"]) == 0
    assert "sprites: " in capsys.readouterr().out
    assert execute(words("inspect", folder)) == 0
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
        given += words("--model", folder)
    assert execute(given) == 2
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
    assert execute(words("swap", *videos, "-o", output, "--model", folder)) == 130
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
        execute(["generate", "-o", "a.mp4", *options])
    assert refusal.value.code == 2
    assert rule in capsys.readouterr().err


def test_more_clips_than_memory_holds_are_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "a.mp4"
    assert execute(words("generate", "-n", 50_000, "-o", output, "--model", folder)) == 2
    assert "50000 clips of 4 frames are more than" in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA")
def test_cuda_is_refused_where_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["generate", "-o", "a.mp4", "--model", "sprites", "--device", "cuda"]) == 2
    assert "no CUDA here" in capsys.readouterr().err


def test_help_needs_no_torch() -> None:
    code = (
        "import sys; from s3vae.app.command import parser; parser(); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'cv2', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("words", [["models"], ["swap", "no.mp4", "no.mp4", "-o", "out.mp4"]])
def test_torch_is_imported_when_a_model_is_needed(words: list[str]) -> None:
    code = (
        f"import sys; from s3vae.app.command import execute; execute({words}); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_commands_need_none_of_the_packages_of_the_pipeline() -> None:
    unwanted = ["mlflow", "dvc", "prefect", "pandas", "matplotlib", "sklearn", "requests", "ruamel"]
    code = (
        "import sys; from s3vae.app import choice, commands, exported, hub; commands.models_(); "
        f"print(*(name for name in {unwanted} if name in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not done.stderr.strip()
