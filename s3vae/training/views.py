"""What the codes are inferred from in training: z_f from few frames, z_t from other colours."""

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from s3vae.engine.parallel import sharded
from s3vae.losses.elbo import frame_subset, take_frames
from s3vae.model.s3vae import S3VAE
from s3vae.tensors import Features, Video
from s3vae.training.presets import Views


def encode_views(
    model: S3VAE, video: Video, views: Views, generator: Generator
) -> tuple[Float[Tensor, "batch chosen feature"], Features]:
    """Return the features that z_f is inferred from, and those that z_t is."""
    moving = model.dynamic_input(mix_colours(video, views.colour_jitter, generator))
    still = random_frames(video, views.static_frames, generator)
    features = sharded(model.view_features)(still, moving)
    return features[:, : still.shape[1]], features[:, still.shape[1] :]


def random_frames(
    video: Video, count: int, generator: Generator
) -> Float[Tensor, "batch chosen channel height width"]:
    """Return `count` random frames of each clip, in order of time; all if it has fewer."""
    clips, time = video.shape[:2]
    return take_frames(video, frame_subset(clips, time, min(count, time), generator))


def mix_colours(video: Video, strength: float, generator: Generator) -> Video:
    """Return clips with their colours changed, all frames of a clip alike.

    c' = (I + strength A)(c - 1/2) + 1/2 + strength b / 2, with standard normal A and b per clip:
    hue, saturation, contrast and brightness change together, and values may leave [0, 1].
    """
    clips, channels = len(video), video.shape[2]
    draws = torch.randn(clips, channels, channels + 1, generator=generator, device=video.device)
    mixing = torch.eye(channels, device=video.device) + strength * draws[..., :channels]
    shift = strength / 2 * draws[:, None, :, channels:]
    mixed = mixing[:, None] @ (video.flatten(3) - 0.5) + shift + 0.5
    return mixed.reshape(video.shape)
