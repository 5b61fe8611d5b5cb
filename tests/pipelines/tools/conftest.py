"""A saved model for the tools that measure or show one."""

from pathlib import Path

import pytest
import torch

from pipelines.paths import Layout
from s3vae.baselines.saved import save_model
from s3vae.data.clips import ClipSet, write_clips
from s3vae.judge.network import Judge
from s3vae.judge.saved import save_judge
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE


@pytest.fixture
def squares(
    squares_set: ClipSet, tiny: Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Layout:
    """Enter a folder with clips, an untrained model of them (`tiny`) and a judge; return places."""
    monkeypatch.chdir(tmp_path)
    files = Layout("squares")
    write_clips(files.clips, squares_set)
    torch.manual_seed(0)
    save_model(S3VAE(tiny), files.model("tiny"))
    values = {factor.name: len(factor.values) for factor in squares_set.factors}
    save_judge(Judge(values, channels=3, width=4), files.judge)
    return files
