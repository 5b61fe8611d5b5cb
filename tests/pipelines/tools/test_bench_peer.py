"""The step with which speed is compared: its losses are those that are stated."""

import torch

from pipelines.tools.bench_peer import contrast, peer_loss, recoloured
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE


def test_the_contrast_is_least_if_both_versions_of_a_clip_have_one_code() -> None:
    codes = torch.eye(4)
    assert contrast(codes, codes) < contrast(codes, codes.roll(1, dims=0))


def test_other_colours_are_those_of_the_whole_clip() -> None:
    video = torch.full((2, 5, 3, 4, 4), 0.5)
    changed = recoloured(video, torch.Generator().manual_seed(0))
    assert torch.equal(changed, changed[:, :1].expand_as(changed))
    assert not torch.equal(changed[0], changed[1])


def test_every_part_of_the_model_learns(tiny: Architecture) -> None:
    torch.manual_seed(0)
    model, video = S3VAE(tiny), torch.rand(4, 3, 3, 64, 64)
    peer_loss(model, video, 10, torch.Generator().manual_seed(0)).backward()
    unused = {name.split(".")[0] for name, each in model.named_parameters() if each.grad is None}
    assert unused <= {"signal_head"}
