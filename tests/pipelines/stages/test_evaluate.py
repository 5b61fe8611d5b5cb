"""Stage `evaluate`: its scores and pictures of clips whose motions have no names."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from s3vae.data.clips import ClipFile, ClipSet
    from s3vae.model.architecture import Architecture


@pytest.fixture
def unnamed_motions(squares_set: "ClipSet", tmp_path: Path) -> "ClipFile":
    """The squares, whose file declares their colour alone."""
    from s3vae.data.clips import ClipFile, write_clips

    colour = {"colour": squares_set.labels["colour"]}
    named = tuple(factor for factor in squares_set.factors if factor.name in colour)
    write_clips(tmp_path / "clips.h5", replace(squares_set, factors=named, labels=colour))
    return ClipFile(tmp_path / "clips.h5")


def test_without_a_dynamic_factor_static_ones_are_scored_and_what_needs_one_is_null(
    unnamed_motions: "ClipFile", tiny: "Architecture", tmp_path: Path
) -> None:
    import torch

    from pipelines.stages.evaluate import draw, score, trusted_subject
    from s3vae.evaluation.settings import EvaluationSettings
    from s3vae.judge.network import Judge
    from s3vae.model.s3vae import S3VAE

    torch.manual_seed(0)
    cpu, settings = torch.device("cpu"), EvaluationSettings(least_judge_accuracy=0, picture_clips=2)
    model, judge = S3VAE(tiny).eval(), Judge({"colour": 2}, channels=3, width=4).eval()
    subject = trusted_subject(judge, unnamed_motions, settings, cpu)
    scores, _ = score(model, judge, unnamed_motions, subject, settings, cpu)
    asked = {"swap_dynamic", "dynamic_leakage", "drawn_h_y", "probe_dynamic_from_static"}
    assert asked <= {name for name, value in scores.items() if value is None}
    assert scores["accuracy"] == scores["static_preserved"]
    draw(model, unnamed_motions, settings, cpu, tmp_path / "pictures")
    assert (tmp_path / "pictures" / "swap.gif").is_file()
