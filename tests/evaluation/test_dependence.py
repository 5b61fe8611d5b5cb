"""What both codes still share, by the pair of numbers that shares most."""

import numpy as np
import pytest
import torch

from s3vae.data.clips import ClipFile
from s3vae.distributions import Gaussian
from s3vae.evaluation.dependence import dependence_scores, most_shared
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE


def test_one_shared_number_among_many_is_found() -> None:
    generator = torch.Generator().manual_seed(0)
    static = torch.randn(400, 6, generator=generator)
    dynamic = torch.randn(400, 5, 4, generator=generator)
    apart = shared_by(static, dynamic, generator)
    dynamic[..., 2] = static[:, 3, None]
    assert apart < 0.1
    assert shared_by(static, dynamic, generator) > 0.5


def shared_by(static: torch.Tensor, dynamic: torch.Tensor, generator: torch.Generator) -> float:
    posteriors = [Gaussian(mean, torch.full_like(mean, 0.3)) for mean in (static, dynamic)]
    return most_shared(*posteriors, *(each.sample(generator) for each in posteriors))


def test_the_scores_are_an_estimate_and_its_null_and_the_same_each_time(
    clips: ClipFile, tiny: Architecture
) -> None:
    model, rows = S3VAE(tiny).eval(), np.arange(24)
    scores = dependence_scores(model, clips, rows, torch.device("cpu"))
    assert set(scores) == {"mutual_information", "mutual_information_null"}
    assert scores == dependence_scores(model, clips, rows, torch.device("cpu"))
    assert scores["mutual_information"] != pytest.approx(scores["mutual_information_null"])
