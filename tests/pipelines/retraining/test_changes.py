"""What is asked for, and what of it is to be rebuilt."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipelines import changes
from pipelines.params import Chosen, ParamsError
from pipelines.paths import RAW, Layout
from pipelines.retraining.changes import (
    Changes,
    chosen_models,
    found_changes,
    make_good,
    new_downloads,
    note_made,
    spoilt_of,
    targets,
    wait_for_others,
    wanted,
)
from s3vae.data.sprites import Sprites

ONE, TWO, OTHER = Chosen("a", "one"), Chosen("a", "two"), Chosen("b", "one")
PARAMS = {
    "pipeline": {
        "datasets": {"a": "a.py", "b": "b.py"},
        "models": {
            f"{each.dataset}-{each.method}": {"dataset": each.dataset, "method": each.method}
            for each in (ONE, TWO, OTHER)
        },
        "code": ".",
    },
    "datasets": {"a": {"data": {"kind": "dsprites"}}, "b": {"data": {"kind": "sprites"}}},
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    YAML().dump(PARAMS, Path("params.yaml"))


@pytest.mark.parametrize(
    ("datasets", "methods", "expected"),
    [
        (None, None, [ONE, TWO, OTHER]),
        (["a"], None, [ONE, TWO]),
        (None, ["one"], [ONE, OTHER]),
        (["b"], ["one"], [OTHER]),
    ],
)
def test_models_are_chosen_by_data_set_and_method(
    datasets: list[str] | None, methods: list[str] | None, expected: list[Chosen]
) -> None:
    assert chosen_models(datasets, methods) == expected


def test_names_that_no_model_has_both_of_are_refused() -> None:
    with pytest.raises(ParamsError, match=r"no \['two'\] on \['b'\], only a-one, a-two, b-one"):
        chosen_models(["b"], ["two"])


def test_a_name_that_no_model_has_is_refused() -> None:
    with pytest.raises(ParamsError, match="no data set c, only a, b"):
        chosen_models(["a", "c"], None)
    with pytest.raises(ParamsError, match="no method three, only one, two"):
        chosen_models(None, ["three"])


def test_all_models_are_the_whole_pipeline_some_are_their_evaluations() -> None:
    assert targets([ONE, TWO, OTHER]) == []
    assert targets([ONE, OTHER]) == ["evaluate@a-one", "evaluate@b-one"]


@pytest.mark.parametrize(
    ("stage", "is_wanted"),
    [("acquire@a", True), ("train@a-one", True), ("train@a-two", False), ("judge@b", False)],
)
def test_a_stage_is_wanted_if_a_model_depends_on_it(stage: str, is_wanted: bool) -> None:
    assert wanted(stage, [ONE]) == is_wanted


def test_a_model_is_made_by_its_training_or_its_evaluation() -> None:
    changes = Changes([], stale=["train@a-one", "evaluate@a-one", "evaluate@b-one", "table"])
    assert [changes.makes(each) for each in (ONE, TWO, OTHER)] == [True, False, True]


def test_what_is_changed_is_told_by_stage() -> None:
    changes = Changes([], reasons={"acquire@a": ["modified videos"]}, downloads=["b"])
    assert list(changes.one_hot()) == [
        "acquire@a: modified videos",
        "acquire@b: downloads are newer than its clips",
    ]


def test_a_download_that_is_newer_than_the_clips_is_found() -> None:
    clips = Layout("b").clips
    assert new_downloads(["a", "b"]) == []
    clips.parent.mkdir(parents=True)
    clips.touch()
    os.utime(clips, (100, 100))
    file = RAW / Sprites().files[0].path
    file.parent.mkdir(parents=True)
    file.touch()
    assert new_downloads(["a", "b"]) == ["b"]
    note_made("b")  # and the clips have become the same, with the same time
    assert new_downloads(["a", "b"]) == []
    os.utime(file)
    os.utime(file, (file.stat().st_mtime + 9,) * 2)
    assert new_downloads(["a", "b"]) == ["b"]
    os.utime(file, (50, 50))
    assert new_downloads(["a", "b"]) == []


def test_a_stage_of_the_same_name_in_another_pipeline_is_not_taken_for_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    made = {"cmd": "echo made > model", "outs": ["model"]}
    stage = {"stages": {"train": {"foreach": ["a-one"], "do": made}}}
    for folder in (Path(), Path("benchmark")):
        folder.mkdir(exist_ok=True)
        YAML().dump(stage, folder / "dvc.yaml")
    for command in (["git", "init", "-q"], ["dvc", "init", "-q"], ["dvc", "repro", "-q"]):
        subprocess.run(command, check=True)
    models = [ONE, TWO, OTHER]
    assert found_changes(models).stale == []
    Path("model").write_text("spoilt")
    assert "train@a-one" in found_changes(models).stale


DAG = """
stages:
  acquire:
    foreach: [a]
    do: {cmd: "sleep 2; echo made > clips", outs: [clips]}
"""


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    subprocess.run(["dvc", "init", "-q", "--no-scm"], check=True)
    subprocess.run(["dvc", "cache", "dir", "cache"], check=True, capture_output=True)
    Path("dvc.yaml").write_text(DAG)


@pytest.mark.usefixtures("repository")
def test_it_waits_for_a_stage_that_another_dvc_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "SECONDS_BETWEEN_LOOKS", 0.1)
    with subprocess.Popen(["dvc", "repro", "-q"]) as other:
        locks = Path(".dvc/tmp/rwlock")
        while not (locks.exists() and "clips" in locks.read_text()):
            assert other.poll() is None
        wait_for_others()
        assert Path("clips").exists()
        assert "acquire@a" not in found_changes([ONE, TWO, OTHER]).stale
    assert other.returncode == 0


@pytest.mark.usefixtures("repository")
def test_what_is_missing_beside_a_spoilt_copy_is_left_to_dvc() -> None:
    subprocess.run(["dvc", "repro", "-q"], check=True)
    Path("clips").unlink()
    (copy,) = (path for path in Path("cache").rglob("*") if path.is_file())
    copy.chmod(0o644)
    copy.write_text("spoilt")
    make_good(spoilt_of([ONE, TWO, OTHER]))
    assert "acquire@a" in found_changes([ONE, TWO, OTHER]).stale
    subprocess.run(["dvc", "repro", "-q"], check=True)
    assert Path("clips").read_text() == "made\n"
