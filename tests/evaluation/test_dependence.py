"""The dependence of both codes, by the pair of dimensions that shares most."""

import numpy as np
import pytest
import torch
from torch import Tensor

from s3vae.data.clips import ClipFile
from s3vae.distributions import Gaussian
from s3vae.evaluation import dependence
from s3vae.evaluation.dependence import dependence_scores, pairwise_information
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE, Posterior


def test_the_one_dependent_pair_of_dimensions_is_identified() -> None:
    generator = torch.Generator().manual_seed(0)
    static = torch.randn(400, 6, generator=generator)
    dynamic = torch.randn(400, 5, 4, generator=generator)
    dynamic[..., 2] = static[:, 3, None]
    codes = [Gaussian(mean, torch.full_like(mean, 0.3)) for mean in (static, dynamic)]
    information = pairwise_information(*codes, *(code.sample(generator) for code in codes))
    assert information.shape == (6, 4)
    assert information[3, 2] > 0.5
    information[3, 2] = 0
    assert information.max() < 0.1


class FirstPixel(S3VAE):
    """A model whose z_f is the first pixel of a clip, and with leakage one dimension of z_t too."""

    def __init__(self, sizes: Architecture, *, leakage: bool) -> None:
        super().__init__(sizes)
        self.leakage = leakage

    def encode(self, video: Tensor) -> Posterior:
        level = 4 * video[:, 0, 0, 0, 0] - 2
        generator = torch.Generator().manual_seed(0)
        other = torch.randn(len(video), 3, 2, generator=generator)
        motion = torch.stack([level[:, None].expand(-1, 3), other[..., 0]], dim=-1)
        means = level[:, None], motion if self.leakage else other
        return Posterior(*(Gaussian(mean, torch.full_like(mean, 0.3)) for mean in means))


@pytest.mark.parametrize("leakage", [True, False])
def test_leakage_of_the_identity_is_measured_although_clips_of_an_identity_are_neighbours(
    leakage: bool, monkeypatch: pytest.MonkeyPatch, clips: ClipFile, tiny: Architecture
) -> None:
    def level_of_identity(_: ClipFile, chosen: np.ndarray, __: torch.device) -> list[object]:
        levels = torch.from_numpy(chosen // 16 / 12).float()
        video = levels[:, None, None, None, None].expand(-1, 3, 1, 1, 1)
        return [lambda each=each: each for each in video.split(64)]

    monkeypatch.setattr(dependence, "video_batches", level_of_identity)
    model = FirstPixel(tiny, leakage=leakage)
    scores = dependence_scores(model, clips, np.arange(192), torch.device("cpu"))
    assert (scores["mutual_information"] - scores["mutual_information_null"] > 0.5) is leakage
    assert scores["mutual_information_null"] < 0.1


def test_the_scores_are_deterministic(clips: ClipFile, tiny: Architecture) -> None:
    model, rows = S3VAE(tiny).eval(), np.arange(24)
    first, second = (dependence_scores(model, clips, rows, torch.device("cpu")) for _ in range(2))
    assert first == second
