"""One true run of the whole DAG, at a tiny size, in a repository of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from mlflow import MlflowClient

from pipelines.params import write_settings
from s3vae.data.clips import ClipFile
from s3vae.data.footage import frames_of
from s3vae.evaluation.metrics import names

pytestmark = pytest.mark.filterwarnings(
    "ignore::sqlalchemy.exc.SADeprecationWarning"  # MLflow's use of SQLAlchemy 2.1
)
ROOT = Path(__file__).resolve().parents[2]
TINY = {
    "pipeline": {
        "datasets": {
            **{name: f"s3vae/data/{name}" for name in ("dsprites", "smmnist", "faces")},
            "mine": "my-videos",
            "speaker": "my-videos",
        },
        "faces": ["faces", "speaker"],
        "models": {
            f"{dataset}-{method}": {"dataset": dataset, "method": method}
            for dataset, method in (
                ("dsprites", "s3vae"),
                ("dsprites", "s3vae-plus"),
                ("dsprites", "mocogan"),
                ("smmnist", "s3vae-plus"),
                ("faces", "s3vae"),
                ("mine", "s3vae-plus"),
                ("speaker", "s3vae"),
            )
        },
        "code": "",
    },
    "datasets": {
        "dsprites": {
            "data": {"kind": "dsprites", "time": 4, "takes": 1},
            "flow": {"method": {"kind": "farneback"}},
            "judge": {"network": {"width": 4}, "training": {"steps": 4, "batch_size": 8}},
            "evaluation": {"sampling_seeds": [0, 1], "least_judge_accuracy": 0, "probe_clips": 60},
            "methods": {
                "s3vae": {
                    "architecture": {"preset": "fast", "decoder_width": 4, "encoder_width": 4},
                    "losses": {"preset": "released"},
                    "training": {"steps": 4, "batch_size": 8},
                },
                "s3vae-plus": {
                    "architecture": {"preset": "fast", "decoder_width": 4, "encoder_width": 4},
                    "losses": {"preset": "ours"},
                    "training": {"steps": 4, "batch_size": 8},
                },
                "mocogan": {
                    "architecture": {"preset": "fast", "decoder_width": 4},
                    "adversarial": {"width": 4},
                    "training": {"steps": 4, "batch_size": 8, "snapshot_every": 2},
                },
            },
        },
        "smmnist": {
            "data": {
                "kind": "smmnist",
                "digits": "embedded",
                "time": 4,
                "train": 60,
                "val": 10,
                "test": 30,
            },
            "flow": {"method": {"kind": "farneback"}, "objects": 2},
            "judge": {
                "network": {"width": 4, "pooled": True},
                "frames": 2,
                "fresh": True,
                "training": {"steps": 4, "batch_size": 8},
            },
            "evaluation": {"sampling_seeds": [0], "least_judge_accuracy": 0, "probe_clips": 60},
            "methods": {
                "s3vae-plus": {
                    "architecture": {
                        "preset": "fast",
                        "encoder": "objects",
                        "decoder": "sprites",
                        "encoder_width": 4,
                        "decoder_width": 4,
                    },
                    "losses": {"preset": "ours"},
                    "training": {"steps": 4, "batch_size": 8},
                },
            },
        },
        "faces": {
            "data": {"kind": "faces", "time": 4, "takes": 3, "people": 3},
            "flow": {},
            "landmarks": {"backend": {"kind": "annotated"}},
            "judge": {"network": {"width": 4}, "training": {"steps": 4, "batch_size": 8}},
            "evaluation": {"sampling_seeds": [0], "least_judge_accuracy": 0, "probe_clips": 30},
            "methods": {
                "s3vae": {
                    "architecture": {"preset": "fast", "decoder_width": 4, "encoder_width": 4},
                    "losses": {"preset": "paper", "signal": "distances"},
                    "training": {"steps": 4, "batch_size": 8},
                },
            },
        },
        "mine": {
            "data": {"kind": "videos", "cut": {"time": 4, "stride": 1}, "most_unreadable": 0.2},
            "flow": {},
            "judge": {"network": {"width": 4}, "training": {"steps": 4, "batch_size": 8}},
            "evaluation": {"sampling_seeds": [0]},
            "methods": {
                "s3vae-plus": {
                    "architecture": {"preset": "fast", "decoder_width": 4, "encoder_width": 4},
                    "losses": {"preset": "ours"},
                    "training": {"steps": 4, "batch_size": 8},
                },
            },
        },
        "speaker": {
            "data": {
                "kind": "videos",
                "crop": "face",
                "cut": {"time": 4, "stride": 1},
                "most_unreadable": 0.2,
            },
            "flow": {},
            "landmarks": {"backend": {"kind": "dlib"}},
            "judge": {"network": {"width": 4}, "training": {"steps": 4, "batch_size": 8}},
            "evaluation": {"sampling_seeds": [0], "picture_clips": 3},
            "methods": {
                "s3vae": {
                    "architecture": {"preset": "fast", "decoder_width": 4, "encoder_width": 4},
                    "losses": {"preset": "released", "signal": "distances"},
                    "training": {"steps": 4, "batch_size": 4},
                },
            },
        },
    },
}
COLUMNS = {
    "accuracy",
    "inception_score",
    "h_y_given_x",
    "h_y",
    "static_preserved",
    "static_leakage",
    "static_chance",
    "swap_dynamic",
    "swap_static",
}


def run(folder: Path, *command: str, **more: str) -> str:
    """The output of a command in a folder; its errors are shown if it fails."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "PREFECT_API_URL": "http://127.0.0.1:9/api",
        **more,
    }
    environment.pop("MLFLOW_TRACKING_URI", None)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def cut_into_videos(source: Path, folder: Path) -> None:
    """Videos of ten frames each, and one file that is none."""
    folder.mkdir()
    frames = list(frames_of(source))
    for number, start in enumerate(range(0, len(frames), 10)):
        path = folder / f"{number:02}.avi"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (176, 144))
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
    cut_into_videos(carphone, folder / "my-videos")
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
    table = json.loads((project / "results" / "table.json").read_text())
    assert [(row["dataset"], row["method"]) for row in table] == [
        ("dsprites", "s3vae"),
        ("dsprites", "s3vae-plus"),
        ("dsprites", "mocogan"),
        ("smmnist", "s3vae-plus"),
        ("faces", "s3vae"),
        ("mine", "s3vae-plus"),
        ("speaker", "s3vae"),
    ]
    for row in table:
        assert row.keys() >= COLUMNS
        assert {f"{name}_std" for name in COLUMNS} <= row.keys()


def test_pictures_are_left_as_stills_and_films(project: Path) -> None:
    pictures = project / "results" / "scores" / "dsprites" / "s3vae-plus" / "pictures"
    names = {path.name for path in pictures.iterdir()}
    assert {"swap.png", "swap.gif", "reconstruction.png"} <= names


def test_distances_that_are_read_off_z_t_are_scored_and_pictured(project: Path) -> None:
    scores = project / "results" / "scores" / "faces"
    told = json.loads((scores / "s3vae" / "metrics.json").read_text())
    assert told["distances_explained"] < 1
    for picture in (scores / "s3vae" / "pictures" / "distances.png", scores / "landmarks.png"):
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_videos_without_labels_are_modelled_and_pictured_but_not_judged(project: Path) -> None:
    scores = project / "results" / "scores" / "mine" / "s3vae-plus"
    told = json.loads((scores / "metrics.json").read_text())
    assert told["reconstruction_error"] > 0
    assert {told[name] for name in COLUMNS} == {None}
    assert (scores / "pictures" / "swap.gif").exists()
    assert ClipFile(project / "data" / "mine" / "clips.h5").clips == 24


def test_a_filmed_face_leads_through_landmarks_that_are_found_to_a_model(project: Path) -> None:
    found = json.loads((project / "results/scores/speaker/landmarks.json").read_text())
    assert found["frames_with_face"] > 0.9
    told = json.loads((project / "results/scores/speaker/s3vae/metrics.json").read_text())
    assert told["distances_explained"] < 1
    pictures = project / "results/scores/speaker/s3vae/pictures"
    assert (pictures / "distances.png").read_bytes().startswith(b"\x89PNG")


def test_one_more_video_makes_its_data_set_stale_and_no_other(project: Path) -> None:
    more, there = (project / "my-videos" / name for name in ("more.avi", "00.avi"))
    shutil.copy(there, more)
    stale = run(project, "dvc", "status")
    more.unlink()
    assert "acquire@mine" in stale
    assert "acquire@faces" not in stale


def test_earlier_states_that_are_kept_are_scored_as_well(project: Path) -> None:
    curve = project / "results" / "scores" / "dsprites" / "mocogan" / "curve.csv"
    assert [line.split(",")[0] for line in curve.read_text().splitlines()] == ["step", "2", "4"]


def test_every_judged_column_is_what_the_page_on_the_protocol_computes_by_hand(
    project: Path,
) -> None:
    page = (ROOT / "docs" / "protocol.md").read_text()
    (by_hand,) = re.findall(r"```python\n(import numpy.*?)```", page, re.DOTALL)
    rows = []
    for seed in (0, 1):
        code = by_hand.replace("seed, moving, static = 0", f"seed, moving, static = {seed}")
        printed = run(project, sys.executable, "-c", code).splitlines()
        rows.append({name: float(value) for name, value in (line.split() for line in printed)})
    scores = project / "results" / "scores" / "dsprites" / "s3vae-plus" / "metrics.json"
    told = json.loads(scores.read_text())
    of_real_clips = {"judge_inception_score", "judge_h_y_given_x"}
    assert rows[0].keys() == {*names("headline", "separation", "draws"), *of_real_clips}
    for name in rows[0]:
        assert told[name] == pytest.approx((rows[0][name] + rows[1][name]) / 2, abs=1e-5), name


def test_a_second_run_does_nothing(project: Path) -> None:
    assert "Running stage" not in run(project, "dvc", "repro")


def test_a_method_s_settings_make_only_that_method_stale(project: Path) -> None:
    changed = json.loads(json.dumps(TINY))
    changed["datasets"]["dsprites"]["methods"]["s3vae"]["training"]["steps"] = 5
    write_settings(project, changed)
    planned = run(project, "dvc", "repro", "--dry")
    write_settings(project, TINY)
    assert "Running stage 'train@dsprites-s3vae':" in planned
    assert "train@dsprites-s3vae-plus':" not in planned.replace("Stage 'train@", "")
    assert "Running stage 'judge@" not in planned
    assert "Running stage 'flow@" not in planned


def test_training_again_gives_the_same_bytes(copied: Path) -> None:
    weights = copied / "data" / "dsprites" / "s3vae-plus" / "weights.safetensors"
    first = weights.read_bytes()
    run(copied, sys.executable, "-m", "pipelines.stages.train", "dsprites", "s3vae-plus")
    assert weights.read_bytes() == first


def test_two_trainers_train_the_same_model_and_one_of_them_writes(copied: Path) -> None:
    train = (sys.executable, "-m", "pipelines.stages.train", "dsprites", "s3vae-plus")
    left = copied / "results" / "scores" / "dsprites" / "s3vae-plus" / "history.csv"
    alone = left.read_text()
    said = run(copied, *train, S3VAE_TRAINERS="2")
    both = left.read_text()
    assert said.count("train dsprites s3vae-plus: 4/4 steps") == 1
    for one, shared in zip(numbers(alone), numbers(both), strict=True):
        assert shared == pytest.approx(one, rel=1e-3, abs=1e-3)


def numbers(history: str) -> list[float]:
    """All that a table has, row by row."""
    _, *rows = history.splitlines()
    return [float(cell) for row in rows for cell in row.split(",") if cell]


def test_runs_are_in_mlflow_and_publishing_adds_none(project: Path) -> None:
    client = MlflowClient(f"sqlite:///{project / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("s3vae")

    def kinds() -> list[str]:
        found = client.search_runs([experiment.experiment_id])
        return sorted(run.data.tags.get("s3vae.kind", "parent") for run in found)

    before = kinds()
    assert before.count("train") == before.count("evaluate") == 7
    assert before.count("judge") == 5
    run(project, sys.executable, "-m", "pipelines.tracking.publish")
    assert kinds() == before


def test_a_remote_folder_hands_everything_on(project: Path, tmp_path: Path) -> None:
    run(project, "dvc", "remote", "add", "--local", "there", str(tmp_path / "shared"))
    run(project, "dvc", "push", "--remote", "there")
    clone = tmp_path / "clone"
    mine = shutil.ignore_patterns("cache", "tmp", "data", "mlflow.db*", "mlartifacts")
    shutil.copytree(project, clone, ignore=mine)
    shutil.copytree(ROOT / "s3vae" / "data", clone / "s3vae" / "data")
    run(clone, "dvc", "pull", "--remote", "there")
    run(project, "dvc", "remote", "remove", "--local", "there")
    assert "Data and pipelines are up to date." in run(clone, "dvc", "status")
