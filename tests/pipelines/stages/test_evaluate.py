"""Stage `evaluate` without a judge: pictures and label-free scores, and the reason for the rest."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipelines.paths import Layout
from pipelines.stages.evaluate import evaluate
from pipelines.tracking.provenance import read_provenance, run_key
from s3vae.baselines.mocogan.generator import Categories, MoCoGAN
from s3vae.baselines.saved import Model, save_model
from s3vae.data.clips import ClipFile, ClipSet, write_clips
from s3vae.evaluation.metrics import NOT_JUDGED, names
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.files import checksum_of
from s3vae.judge.network import Judge
from s3vae.judge.saved import save_judge
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.weights import WEIGHTS

SETTINGS = EvaluationSettings(sampling_seeds=(0,), picture_clips=2, probe_clips=12)
FILES = Layout("squares")
JUDGED = {*names("headline", "separation", "draws", "judge")}
LABEL_FREE = {name for name in names("label-free") if not name.startswith(("akd", "aed", "face"))}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("S3VAE_TRACKING", "off")


def scores_of(clips: ClipSet, model: Model) -> dict[str, Any]:
    """Return the metrics that the stage writes for an untrained model and an untrained judge."""
    write_clips(FILES.clips, clips)
    torch.manual_seed(0)
    values = {factor.name: len(factor.values) for factor in clips.factors}
    save_judge(Judge(values, channels=3, width=4), FILES.judge)
    save_model(model, FILES.model("tiny"))
    evaluate(FILES, "tiny", SETTINGS)
    assert (FILES.scores("tiny") / "pictures" / "swap.gif").exists()
    assert np.load(FILES.predictions("tiny")).files == []
    weights = (checksum_of(used / WEIGHTS) for used in (FILES.model("tiny"), FILES.judge))
    key = run_key("evaluate", SETTINGS, ClipFile(FILES.clips), *weights)
    assert read_provenance(FILES.scores("tiny") / "provenance-evaluate.json").key == key
    scores: dict[str, Any] = json.loads((FILES.scores("tiny") / "metrics.json").read_text())
    return scores


def test_clips_without_labels_have_pictures_label_free_scores_and_the_reason(
    squares_set: ClipSet, tiny: Architecture
) -> None:
    scores = scores_of(replace(squares_set, factors=(), labels={}), S3VAE(tiny))
    assert scores[NOT_JUDGED] == "the clips have no labels"
    assert LABEL_FREE | {"reconstruction_error", "mutual_information"} <= scores.keys()
    assert not JUDGED & scores.keys()


def test_under_an_inaccurate_judge_so_have_labelled_clips_and_probes_too(
    squares_set: ClipSet, tiny: Architecture
) -> None:
    scores = scores_of(squares_set, S3VAE(tiny))
    assert "accuracy of 99.90%" in scores[NOT_JUDGED]
    assert LABEL_FREE | {"probe_static_from_dynamic"} <= scores.keys()
    assert not JUDGED & scores.keys()


def test_a_generator_without_an_encoder_has_pictures_alone(
    squares_set: ClipSet, tiny: Architecture
) -> None:
    scores = scores_of(squares_set, MoCoGAN(tiny, Categories("dynamic", {"motion": 3})))
    assert scores.keys() == {NOT_JUDGED}
