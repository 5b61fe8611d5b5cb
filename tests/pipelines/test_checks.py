"""Every section that params.yaml reaches is checked before any work."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipelines.checks import check_settings
from pipelines.params import ParamsError, write_settings

ROOT = Path(__file__).parents[2]
VIDEOS = YAML(typ="safe").load(ROOT / "configs" / "videos.yaml")
FACES = YAML(typ="safe").load(ROOT / "configs" / "face-videos.yaml")


def write(folder: Path, config: dict[str, Any], *, name: str = "mine", **pipeline: Any) -> None:
    """Write settings of a data set of videos with its first method, and the videos' folder.

    A section that is None is left out.
    """
    config = {section: each for section, each in config.items() if each is not None}
    (folder / "my videos & ü").mkdir(exist_ok=True)
    method = next(iter(config.get("methods", {"s3vae": None})))
    content = {
        "datasets": {name: "my videos & ü"},
        "faces": [name] if "landmarks" in config else [],
        "models": {f"{name}-{method}": {"dataset": name, "method": method}},
        "code": "",
    }
    write_settings(folder, {"pipeline": content | pipeline, "datasets": {name: config}})


@pytest.mark.parametrize("folder", [ROOT, ROOT / "benchmark"], ids=["demo", "benchmark"])
def test_all_settings_of_the_repository_are_valid(folder: Path) -> None:
    assert check_settings(folder).models


@pytest.mark.parametrize("config", [VIDEOS, FACES], ids=["videos", "faces"])
def test_the_configs_for_videos_of_the_user_are_valid(tmp_path: Path, config: Any) -> None:
    write(tmp_path, config)
    assert check_settings(tmp_path).datasets == {"mine": "my videos & ü"}


METHOD = VIDEOS["methods"]["s3vae-plus"]
OBJECTS = {"architecture": {"preset": "fast", "encoder": "objects"}, "losses": {"preset": "ours"}}
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "typo in a method": (
        {"methods": {"s3vae-plus": METHOD | {"trainin": {}}}},
        r"methods\.s3vae-plus\.trainin",
    ),
    "missing section": ({"judge": None}, "the file has no 'judge'"),
    "no methods": ({"methods": None}, "the file has no 'methods'"),
    "landmarks without faces": (
        {"methods": {"s3vae": METHOD | {"losses": {"preset": "paper", "signal": "distances"}}}},
        r"methods\.s3vae\.losses\.signal needs landmarks: add the data set to pipeline\.faces",
    ),
    "faces without landmarks": ({"landmarks": {}}, r"clips have no landmarks: set {kind: dlib}"),
    "objects without tracks": (
        {"methods": {"s3vae": METHOD | OBJECTS}},
        r"architecture\.encoder needs tracks: set `objects: 2`",
    ),
    "fresh clips of videos": (
        {"judge": VIDEOS["judge"] | {"fresh": True}},
        r"judge\.fresh: clips of this data set are not drawn",
    ),
    "supervision without labels": (
        {"methods": {"sv": METHOD | {"losses": {"preset": "supervised"}}}},
        r"methods\.sv learns from labels, and .* has no labels\.csv",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_any_section_is_refused_with_its_place(tmp_path: Path, fault: str) -> None:
    changes, message = FAULTS[fault]
    write(tmp_path, VIDEOS | changes)
    with pytest.raises(ParamsError, match=rf"mine.*{message}|mine.*\n.*{message}"):
        check_settings(tmp_path)


@pytest.mark.parametrize("name", ["my.videos", "raw", "my videos", "ü"])
def test_names_that_other_folders_have_or_a_shell_divides_are_refused(
    tmp_path: Path, name: str
) -> None:
    write(tmp_path, VIDEOS, name=name)
    with pytest.raises(ParamsError, match=f"'{name}' cannot be the name of a data set or method"):
        check_settings(tmp_path)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("data/mine", "would hold its own clips"),
        ("nowhere", "there is no .*nowhere': correct the path"),
        ("code.py", "is code: name the folder of your videos"),
    ],
)
def test_a_source_that_is_no_folder_of_videos_is_refused(
    tmp_path: Path, source: str, message: str
) -> None:
    (tmp_path / "data" / "mine").mkdir(parents=True)
    (tmp_path / "code.py").touch()
    write(tmp_path, VIDEOS, datasets={"mine": source})
    with pytest.raises(ParamsError, match=rf"pipeline\.datasets\.mine: .*{message}"):
        check_settings(tmp_path)


def test_a_model_or_faces_of_a_data_set_that_is_not_named_are_refused(tmp_path: Path) -> None:
    write(tmp_path, VIDEOS, datasets={}, faces=["other"])
    with pytest.raises(ParamsError, match=r"(?s)mine-s3vae-plus needs mine in.*faces: other needs"):
        check_settings(tmp_path)


@pytest.mark.parametrize(
    "stage", ["acquire mine", "flow mine", "judge mine", "train mine s3vae-plus"]
)
def test_a_stage_refuses_the_fault_of_a_later_one_before_any_work(
    stage: str, tmp_path: Path
) -> None:
    write(tmp_path, VIDEOS | {"evaluation": {"picture_clip": 2}})
    command = [sys.executable, "-m", *f"pipelines.stages.{stage}".split()]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "evaluation.picture_clip: there is no such setting" in done.stderr
    assert "Traceback" not in done.stderr
    assert "holds no videos" not in done.stderr
    assert "clips.h5 is missing" not in done.stderr
