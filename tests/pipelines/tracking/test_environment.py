"""The environment of a training: its commit, and whether the code was changed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.tracking.environment import Code, running_code, write_training


@pytest.fixture
def commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, git: Callable[..., str]) -> str:
    """Go into a new repository with some code; its commit."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    Path("s3vae").mkdir()
    Path("s3vae/code.py").write_text("one")
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    return git("rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        (None, False),
        ("README.md", False),
        ("results.csv", False),
        ("s3vae/code.py", True),
        ("s3vae/new.py", True),
        ("params.yaml", True),
        ("configs/mine.yaml", True),
    ],
)
def test_code_and_settings_are_changed_if_they_differ_from_the_commit(
    commit: str, path: str | None, changed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path is not None:
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text("two")
    Path("benchmark").mkdir()
    for folder in (".", "benchmark"):
        monkeypatch.chdir(folder)
        assert running_code() == Code(commit, changed)


def test_without_a_repository_there_is_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert running_code() == Code("", changed=False)


def test_a_training_leaves_its_history_and_its_environment(tmp_path: Path) -> None:
    history = [{"step": 3.0, "total": 2.0}, {"step": 7.0, "total": 1.5}]
    write_training(tmp_path, history, Code("abc", changed=True), seconds=1.26, threads=2)
    assert (tmp_path / "history.csv").read_text() == "step,total\n3.0,2.0\n7.0,1.5\n"
    assert json.loads((tmp_path / "environment.json").read_text()) == {
        "commit": "abc",
        "changed": True,
        "steps": 7,
        "seconds": 1.3,
        "threads": 2,
    }
