"""z_f is adapted to its clip, and nothing else changes."""

import torch

from s3vae.losses.elbo import reconstruction_error
from s3vae.model.adaptation import adapt_static
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE


def codes_and_video(sizes: Architecture) -> tuple[S3VAE, torch.Tensor, torch.Tensor, torch.Tensor]:
    model = S3VAE(sizes).eval()
    video = torch.rand(2, 3, sizes.channels, 64, 64, generator=torch.Generator().manual_seed(0))
    static, dynamic = (posterior.mean.detach() for posterior in model.encode(video))
    return model, video, static, dynamic


def test_the_reconstruction_error_falls_and_the_model_stays(tiny: Architecture) -> None:
    model, video, static, dynamic = codes_and_video(tiny)
    weights = {name: each.clone() for name, each in model.state_dict().items()}
    adapted = adapt_static(model, video, static, dynamic, steps=10)
    before, after = (
        reconstruction_error(model.decode(code, dynamic), video) for code in (static, adapted)
    )
    assert after < before
    torch.testing.assert_close(model.state_dict(), weights, rtol=0, atol=0)
    assert all(each.grad is None for each in model.parameters())


def test_each_clip_is_adapted_to_itself_alone(tiny: Architecture) -> None:
    model, video, static, dynamic = codes_and_video(tiny)
    both = adapt_static(model, video, static, dynamic, steps=5)
    alone = adapt_static(model, video[:1], static[:1], dynamic[:1], steps=5)
    torch.testing.assert_close(both[:1], alone, rtol=1e-3, atol=1e-4)
    assert torch.equal(adapt_static(model, video, static, dynamic, steps=0), static)
