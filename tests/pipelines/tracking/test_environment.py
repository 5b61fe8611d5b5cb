"""Which code a training ran on: a commit, and whether it was changed."""

import json
import subprocess
from pathlib import Path

import pytest

from pipelines.tracking.environment import Code, code_that_runs, write_circumstances


def git(*arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    command = ["git", *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Go into a new repository with some code; its commit."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    Path("s3vae").mkdir()
    Path("s3vae/code.py").write_text("one")
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    return git("rev-parse", "HEAD")


def test_code_as_it_was_committed_is_not_changed(commit: str) -> None:
    assert code_that_runs() == Code(commit, changed=False)


@pytest.mark.parametrize("path", ["s3vae/code.py", "s3vae/new.py", "params.yaml"])
def test_code_that_differs_from_the_commit_or_is_not_in_it_is_changed(
    commit: str, path: str
) -> None:
    Path(path).write_text("two")
    assert code_that_runs() == Code(commit, changed=True)


@pytest.mark.parametrize("path", ["README.md", "results.csv"])
def test_documents_and_results_are_no_code(commit: str, path: str) -> None:
    Path(path).write_text("two")
    assert code_that_runs() == Code(commit, changed=False)


def test_in_a_folder_within_the_repository_all_of_it_counts(
    commit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("benchmark").mkdir()
    Path("s3vae/new.py").write_text("two")
    monkeypatch.chdir("benchmark")
    assert code_that_runs() == Code(commit, changed=True)


def test_without_a_repository_there_is_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert code_that_runs() == Code("", changed=False)


def test_circumstances_are_written_beside_the_results(tmp_path: Path) -> None:
    write_circumstances(tmp_path, Code("abc", changed=True), steps=7, seconds=1.26, threads=2)
    assert json.loads((tmp_path / "circumstances.json").read_text()) == {
        "commit": "abc",
        "changed": True,
        "steps": 7,
        "seconds": 1.3,
        "threads": 2,
    }
