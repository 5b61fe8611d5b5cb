"""The faults of an installation and their remedies."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.dvc_lock import STAGE_LOCKS
from pipelines.params import write_settings
from pipelines.tools import doctor
from pipelines.tools.doctor import Finding, InstallationError, findings, require_health

PIPELINE = {"datasets": {"d": "d.py"}, "models": {}, "code": ""}
CONFIG = {
    "data": {"kind": "dsprites"},
    "flow": {},
    "judge": {"network": {}, "training": {"steps": 1}},
    "evaluation": {},
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("MLFLOW_TRACKING_URI", "S3VAE_TRACKING", "DVC_ROOT", doctor.MIRROR):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    subprocess.run(["git", "init", "-q"], check=True)
    write_settings(tmp_path, {"pipeline": PIPELINE, "datasets": {"d": CONFIG}})
    return tmp_path


def test_a_sound_installation_has_no_faults() -> None:
    found = list(findings())
    assert [each for each in found if each.state == "wrong"] == []
    assert {each.thing for each in found if each.state == "note"} == {"Prefect"}
    require_health()


@pytest.mark.parametrize("config", ["flow: [", "flow: {colour: 3}\n"])
def test_a_config_that_is_broken_is_a_fault(config: str) -> None:
    Path("configs/d.yaml").write_text(config)
    assert doctor.params().state == "wrong"
    assert "d.yaml" in doctor.params().message


def test_faults_stop_a_retraining_with_their_remedies() -> None:
    Path("params.yaml").write_text("pipeline: {models: 3}")
    wrong = doctor.params()
    assert wrong.state == "wrong"
    assert wrong.remedy
    with pytest.raises(InstallationError, match=r"wrong  params\s+params\.yaml does not fit"):
        require_health()


@pytest.mark.parametrize(
    ("look", "name", "value", "said"),
    [
        (doctor.store, "MLFLOW_TRACKING_URI", "http://127.0.0.1:9", "does not answer"),
        (doctor.store, "MLFLOW_TRACKING_URI", "sqlite:////nowhere/mlflow.db", "cannot be written"),
        (doctor.store, "S3VAE_TRACKING", "off", "is turned off"),  # the registry of champions
        (doctor.mirror, doctor.MIRROR, "/nowhere", "/nowhere is no folder"),
    ],
)
def test_stores_and_mirrors_that_the_environment_names_must_exist(
    look: Callable[[], Finding], name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert look().state == "good"
    monkeypatch.setenv(name, value)
    found = look()
    assert found.state == "wrong"
    assert said in found.message
    assert found.remedy


def test_a_full_disk_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE", 1e9)
    assert doctor.disk().state == "wrong"


def test_a_package_of_another_version_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "version", lambda name: "0.0.1")
    assert "torch is 0.0.1, not ==2.13.*" in doctor.packages().message
    assert doctor.packages().state == "wrong"


def test_a_held_lock_is_noted() -> None:
    doctor.LOCK.parent.mkdir(parents=True)
    with doctor.LOCK.open("w") as file:
        assert doctor.lock().state == "good"
        fcntl.flock(file, fcntl.LOCK_EX)
        assert doctor.lock().state == "note"


def test_a_running_stage_is_noted() -> None:
    STAGE_LOCKS.parent.mkdir(parents=True)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for process, state in ((os.getpid(), "note"), (gone.pid, "good")):
        held = {"write": {"data/clips.h5": {"pid": process, "cmd": "dvc repro"}}, "read": {}}
        STAGE_LOCKS.write_text(json.dumps(held))
        assert doctor.lock().state == state


def test_passwords_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    for check, name in ((doctor.store, "MLFLOW_TRACKING_URI"), (doctor.mirror, doctor.MIRROR)):
        monkeypatch.setenv(name, "http://someone:secret@127.0.0.1:9/place")
        assert "127.0.0.1:9/place" in check().message
        assert "secret" not in str(check())


def test_weights_are_needed_where_networks_find_landmarks() -> None:
    assert doctor.weights().message == "none needed"
    landmarks = {"landmarks": {"backend": {"kind": "face-alignment"}}}
    pipeline = PIPELINE | {"faces": ["d"]}
    write_settings(Path(), {"pipeline": pipeline, "datasets": {"d": CONFIG | landmarks}})
    assert "2DFAN4" in doctor.weights().message


def test_changed_files_are_noted(folder: Path) -> None:
    for command in ("add params.yaml", "-c user.name=a -c user.email=b commit -qm x"):
        subprocess.run(["git", *command.split()], check=True)
    assert doctor.git().state == "good"
    Path("params.yaml").write_text("# changed\n")
    assert "params.yaml among them" in doctor.git().message


def test_without_git_dvc_must_know(folder: Path) -> None:
    shutil.rmtree(folder / ".git")
    assert doctor.git().state == "wrong"
    assert "dvc config --local core.no_scm true" in doctor.git().remedy
    (folder / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n")
    assert doctor.git().state == "note"


def test_a_repository_of_another_user_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    assert doctor.git().state == "note"
    assert f"--add safe.directory {Path.cwd()}" in doctor.git().remedy


def test_a_missing_system_library_is_a_fault_with_its_remedy(folder: Path) -> None:
    (folder / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object')")
    command = [sys.executable, "-m", "pipelines.tools.doctor"]
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert failed.returncode == 1, failed.stderr
    assert re.search(r"wrong  opencv .*libGL.*->  apt-get install libgl1", failed.stdout)
    assert "DVC" in failed.stdout


def test_the_command_fails_where_something_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main() == 0
    Path("params.yaml").unlink()
    assert doctor.main() == 1
    assert "wrong  params" in capsys.readouterr().out
