"""One run of the whole DAG, at a tiny size, in a repository of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import cv2
import pandas as pd
import pytest
from mlflow import MlflowClient
from ruamel.yaml import YAML

from pipelines.params import section, write_settings
from pipelines.paths import Layout
from pipelines.stages.train import train
from pipelines.tracking.publish import publish
from s3vae.app.command import execute
from s3vae.app.load import load
from s3vae.data.clips import ClipFile
from s3vae.data.media import frames_of
from s3vae.evaluation.metrics import names
from s3vae.training.method import AnyMethod

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """
pipeline:
  datasets:
    dsprites: s3vae/data/dsprites
    smmnist: s3vae/data/smmnist
    mine: my videos & ü
  faces: [mine]
  models:
    dsprites-s3vae-plus: {dataset: dsprites, method: s3vae-plus}
    dsprites-mocogan: {dataset: dsprites, method: mocogan}
    smmnist-s3vae-plus: {dataset: smmnist, method: s3vae-plus}
    mine-s3vae: {dataset: mine, method: s3vae}
  code: ''
datasets:
  dsprites:
    data: {kind: dsprites, time: 3, takes: 1}
    flow: {method: {kind: farneback}}
    judge: &judge {network: {width: 4}, training: &training {steps: 4, batch_size: 4}}
    evaluation: &evaluation
      {sampling_seeds: [0, 1], least_judge_accuracy: 0, probe_clips: 60, picture_clips: 2}
    methods:
      s3vae-plus: &ours
        architecture: &sizes {preset: fast, decoder_width: 4, encoder_width: 4}
        losses: {preset: ours}
        training: *training
      mocogan:
        architecture: {preset: fast, decoder_width: 4}
        adversarial: {width: 4}
        training: {<<: *training, snapshot_every: 2}
  smmnist:
    data: {kind: smmnist, digits: embedded, time: 4, train: 40, val: 10, test: 12}
    flow: {method: {kind: farneback}, objects: 2}
    judge: {<<: *judge, network: {width: 4, pooled: true}, frames: 2, fresh: true}
    evaluation: {<<: *evaluation, sampling_seeds: [0]}
    methods:
      s3vae-plus: {<<: *ours, architecture: {<<: *sizes, encoder: objects, decoder: sprites}}
  mine:
    data: {kind: videos, cut: {time: 4, stride: 1}, crop: face, most_unreadable: 0.2}
    flow: {}
    landmarks: {backend: {kind: dlib}}
    judge: *judge
    evaluation: {sampling_seeds: [0], picture_clips: 3}
    methods:
      s3vae:
        architecture: *sizes
        losses: {preset: released, signal: distances}
        training: *training
"""
TINY: dict[str, Any] = json.loads(json.dumps(YAML(typ="safe").load(SETTINGS)))
"""The settings without aliases."""
COLUMNS = {
    *("accuracy", "inception_score", "h_y_given_x", "h_y"),
    *("static_preserved", "static_leakage", "static_chance", "swap_dynamic", "swap_static"),
}
HIDDEN = ("MLFLOW_TRACKING_URI", "S3VAE_TRACKING")
"""Variables of the caller that would change where stages log."""
PNG = b"\x89PNG"


def scores_of(project: Path, dataset: str, method: str) -> dict[str, float]:
    """The scores of a model; scores that are not defined are None."""
    path = project / "results" / "scores" / dataset / method / "metrics.json"
    return dict(json.loads(path.read_text()))


def run(folder: Path, *command: str, **more: str) -> str:
    """Run a command in a folder; return its output, or fail with it."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "PREFECT_API_URL": "http://127.0.0.1:9/api",
    }
    environment = {name: text for name, text in environment.items() if name not in HIDDEN} | more
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def cut_into_videos(source: Path, folder: Path) -> None:
    """Write videos of ten frames each, and one file that is no video."""
    folder.mkdir()
    frames = list(frames_of(source))
    for number, start in enumerate(range(0, len(frames), 10)):
        path = folder / f"{number:02}.avi"
        size = frames[start].shape[1::-1]  # with square pixels
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, size)
        for frame in frames[start : start + 10]:
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        writer.release()
    (folder / "broken.mp4").write_text("no video")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, carphone: Path) -> Path:
    """The code in a new repository, its pipeline run once."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("s3vae", "pipelines"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, folder / name)
    cut_into_videos(carphone, folder / "my videos & ü")
    write_settings(folder, TINY)
    run(folder, "git", "init", "--quiet")
    run(folder, "dvc", "init", "--quiet")
    run(folder, "dvc", "repro")
    return folder


@pytest.fixture
def copied(project: Path, tmp_path: Path) -> Path:
    """A copy for a test that trains again."""
    folder = tmp_path / "copied"
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("cache"))
    return folder


def test_the_table_has_a_row_for_every_method_with_every_column(project: Path) -> None:
    table = pd.read_csv(project / "results" / "table.csv")
    models = TINY["pipeline"]["models"].values()
    assert table[["dataset", "method"]].to_dict("records") == list(models)
    assert {*table.columns} >= COLUMNS | {f"{name}_std" for name in COLUMNS}


def test_distances_predicted_from_z_t_are_scored_and_drawn(project: Path) -> None:
    scores = scores_of(project, "mine", "s3vae")
    each = [value for name, value in scores.items() if name.startswith("distances_explained_")]
    assert len(each) == 3
    assert scores["distances_explained"] == pytest.approx(sum(each) / 3)
    assert 0 <= scores["faces_found"] <= 1
    folder = project / "results" / "scores" / "mine"
    for picture in (folder / "s3vae" / "pictures" / "distances.png", folder / "landmarks.png"):
        assert picture.read_bytes().startswith(PNG)
    detected = json.loads((folder / "landmarks.json").read_text())
    assert detected["frames_with_face"] > 0.9


def test_videos_without_labels_have_a_model_and_pictures_but_no_judge_scores(project: Path) -> None:
    clips = ClipFile(project / "data" / "mine" / "clips.h5")
    assert clips.clips == 24
    scores = scores_of(project, "mine", "s3vae")
    black = (clips.frames(clips.split("test")) / 255) ** 2
    assert 0 < scores["reconstruction_error"] < black.sum() / len(black)
    assert not COLUMNS & scores.keys()
    assert scores["not_judged"] == "the clips have no labels"
    assert 0 < scores["colour_distance"] < 1
    drawn = {path.name for path in (project / "results/scores/mine/s3vae/pictures").iterdir()}
    assert {"swap.png", "swap.gif", "reconstruction.png"} <= drawn


def test_a_trained_model_swaps_videos_as_it_cut_them(project: Path, tmp_path: Path) -> None:
    folder, videos = project / "data" / "mine" / "s3vae", project / "my videos & ü"
    model = load(folder, "cpu")
    assert (model.preparation.time, model.preparation.crop) == (4, "face")
    assert model.model.static_prior is not None
    assert model.preparation.error_per_pixel is not None
    assert 0 < model.preparation.error_per_pixel < 1
    output = tmp_path / "swap.mp4"
    words = ["swap", videos / "00.avi", videos / "01.avi", "-o", output, "--model", folder]
    assert execute([str(word) for word in words]) == 0
    assert len([*frames_of(output)]) == 10


def test_snapshots_of_a_training_are_scored(project: Path) -> None:
    curve = project / "results" / "scores" / "dsprites" / "mocogan" / "curve.csv"
    assert [line.split(",")[0] for line in curve.read_text().splitlines()] == ["step", "2", "4"]


def test_every_judge_score_is_what_the_example_of_the_protocol_computes(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example = (ROOT / "docs" / "examples" / "scores_by_hand.py").read_text()
    monkeypatch.chdir(project)
    rows = []
    for seed in (0, 1):
        code = example.replace("seed, moving, static = 0", f"seed, moving, static = {seed}")
        variables: dict[str, Any] = {}
        exec(code, variables)
        variables["judged"].close()
        printed = capsys.readouterr().out.splitlines()
        rows.append({name: float(value) for name, value in (line.split() for line in printed)})
    scores = scores_of(project, "dsprites", "s3vae-plus")
    of_real_clips = {"judge_inception_score", "judge_h_y_given_x"}
    assert rows[0].keys() == {*names("headline", "separation", "draws"), *of_real_clips}
    for name in rows[0]:
        assert scores[name] == pytest.approx((rows[0][name] + rows[1][name]) / 2, abs=1e-5), name


def test_changed_settings_and_videos_make_their_own_stages_stale_and_no_other(
    project: Path,
) -> None:
    changed = deepcopy(TINY)
    changed["datasets"]["dsprites"]["methods"]["mocogan"]["training"]["steps"] = 5
    write_settings(project, changed)
    more, there = (project / "my videos & ü" / name for name in ("more.avi", "00.avi"))
    shutil.copy(there, more)
    planned = run(project, "dvc", "repro", "--dry")
    more.unlink()
    write_settings(project, TINY)
    stale = set(re.findall("Running stage '(.*)'", planned))
    assert {"train@dsprites-mocogan", "acquire@mine"} <= stale
    assert {each for each in stale if "mine" not in each} <= {
        *("train@dsprites-mocogan", "evaluate@dsprites-mocogan", "table")
    }


def test_training_again_gives_the_same_bytes(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = copied / "data" / "dsprites" / "s3vae-plus" / "weights.safetensors"
    first = weights.read_bytes()
    weights.unlink()
    monkeypatch.chdir(copied)
    monkeypatch.setenv("S3VAE_TRACKING", "off")
    method: Any = section(AnyMethod, "dsprites", "methods", "s3vae-plus")
    train(Layout("dsprites"), "s3vae-plus", method)
    assert weights.read_bytes() == first


def test_two_processes_train_the_same_model_and_one_of_them_writes(copied: Path) -> None:
    command = (sys.executable, "-m", "pipelines.stages.train", "dsprites", "s3vae-plus")
    history = copied / "results" / "scores" / "dsprites" / "s3vae-plus" / "history.csv"
    alone = pd.read_csv(history)
    output = run(copied, *command, S3VAE_TRAINERS="2", S3VAE_TRACKING="off")
    assert output.count("train dsprites s3vae-plus: 4/4 steps") == 1
    pd.testing.assert_frame_equal(pd.read_csv(history), alone, rtol=5e-4, atol=5e-4)


def test_every_stage_has_a_run_in_mlflow_and_publishing_adds_none(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = MlflowClient(f"sqlite:///{project / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("s3vae")

    def kinds() -> list[str]:
        runs = client.search_runs([experiment.experiment_id])
        return sorted(run.data.tags.get("s3vae.kind", "parent") for run in runs)

    before = kinds()
    assert before.count("train") == before.count("evaluate") == 4
    assert before.count("judge") == 3
    monkeypatch.chdir(project)
    for name in HIDDEN:
        monkeypatch.delenv(name, raising=False)
    assert all("already there" in line for line in list(publish())[:-1])
    assert kinds() == before


def test_a_clone_pulls_all_results_from_a_remote_folder(project: Path, tmp_path: Path) -> None:
    """And DVC has nothing to do there."""
    remote = project / ".dvc" / "config.local"
    remote.write_text(f"['remote \"there\"']\n    url = {tmp_path / 'shared'}\n")
    run(project, "dvc", "push", "--remote", "there")
    clone = tmp_path / "clone"
    mine = shutil.ignore_patterns("cache", "tmp", "data", "results", "mlflow.db*", "mlartifacts")
    shutil.copytree(project, clone, ignore=mine)
    shutil.copytree(ROOT / "s3vae" / "data", clone / "s3vae" / "data")
    remote.unlink()
    run(clone, "dvc", "pull", "--remote", "there")
    assert "Data and pipelines are up to date." in run(clone, "dvc", "status")
    assert (clone / "results" / "table.csv").exists()
