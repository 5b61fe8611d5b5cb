"""A model is adapted to the appearance of a video; what z_t does stays."""

from dataclasses import replace

import pytest
import torch

from s3vae.model.adaptation import EncodedClip, adapted
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.tensors import to_unit


def known(sizes: Architecture) -> tuple[S3VAE, EncodedClip]:
    """A model, and a video of four frames with its codes."""
    torch.manual_seed(0)
    model = S3VAE(sizes).eval()
    frames = torch.randint(256, (4, 64, 64, sizes.channels), dtype=torch.uint8)
    posterior = model.encode(to_unit(frames[None]))
    static, dynamic = (each.mean[0].detach() for each in posterior)
    return model, (frames, static, dynamic)


@pytest.mark.parametrize("decoder", ["warped", "layered"])
def test_the_error_falls_and_the_given_model_stays(decoder: str, tiny: Architecture) -> None:
    model, (frames, static, dynamic) = known(replace(tiny, decoder=decoder))
    weights = {name: each.clone() for name, each in model.state_dict().items()}
    codes = static[None], dynamic[None]
    fitted = adapted(model, [(frames, static, dynamic)], range(10))
    before, after = (
        (each.decode(*codes) - to_unit(frames[None])).square().mean() for each in (model, fitted)
    )
    assert after < before
    torch.testing.assert_close(model.state_dict(), weights, rtol=0, atol=0)
    assert all(each.grad is None for each in model.parameters())


@pytest.mark.parametrize("decoder", ["warped", "layered"])
def test_only_what_draws_canonical_images_learns(decoder: str, tiny: Architecture) -> None:
    model, video = known(replace(tiny, decoder=decoder))
    old, new = model.state_dict(), adapted(model, [video], range(2)).state_dict()
    changed = {name for name in old if not torch.equal(old[name], new[name])}
    assert changed == {name for name in old if "pictures" in name}


def test_a_decoder_without_canonical_images_is_refused(tiny: Architecture) -> None:
    model, video = known(replace(tiny, decoder="shuffle"))
    with pytest.raises(ValueError, match="`decoder: shuffle` cannot be adapted"):
        adapted(model, [video], range(1))


def test_without_a_step_the_model_is_the_same_and_equal_calls_agree(tiny: Architecture) -> None:
    model, video = known(replace(tiny, decoder="warped"))
    unchanged = adapted(model, [video], range(0)).state_dict()
    torch.testing.assert_close(unchanged, model.state_dict(), rtol=0, atol=0)
    first, second = (adapted(model, [video], range(2)).state_dict() for _ in range(2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_a_model_is_adapted_to_several_appearances_at_once(tiny: Architecture) -> None:
    model, (frames, static, dynamic) = known(replace(tiny, decoder="warped"))
    black, ones = torch.zeros_like(frames), torch.ones_like(static)
    clips = [(black, ones, dynamic), (255 - black[:3], -ones, dynamic[:3])]
    fitted = adapted(model, clips, range(40))
    for clip, static, dynamic in clips:
        before, after = (
            (each.decode(static[None], dynamic[None]) - to_unit(clip[None])).square().mean()
            for each in (model, fitted)
        )
        assert after < before / 2
