"""What the codes are inferred from in training: z_f from few frames, z_t from other colours."""

from jaxtyping import Float
from torch import Generator, Tensor

from s3vae.engine.parallel import sharded
from s3vae.losses.elbo import frame_subset, take_frames
from s3vae.model.s3vae import S3VAE
from s3vae.tensors import Features, Video, mix_colours
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
