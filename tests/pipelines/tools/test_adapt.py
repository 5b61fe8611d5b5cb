"""The tool that measures what adaptation of z_f gains."""

from pathlib import Path

import pytest

from pipelines.paths import Layout
from pipelines.tools.adapt import adaptation_scores
from s3vae.baselines.saved import save_model
from s3vae.data.clips import ClipSet, write_clips
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE


def test_test_clips_are_reconstructed_better_after_adaptation(
    squares_set: ClipSet, tiny: Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = Layout("squares")
    write_clips(files.clips, squares_set)
    save_model(S3VAE(tiny), files.model("tiny"))
    scores = adaptation_scores(files, "tiny", steps=5)
    assert scores["after"]["reconstruction_error"] < scores["before"]["reconstruction_error"]
    assert scores["before"].keys() == scores["after"].keys() > {"colour_distance", "flow_cosine"}
    assert scores["seconds_per_clip"] > 0
