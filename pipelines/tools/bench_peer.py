"""The training step of C-DSVAE (Bai et al., NeurIPS 2021), for a comparison of speed alone.

Its network is the paper's. A step encodes and decodes three versions of a batch: the clips, the
clips with their frames in another order, and the clips with other colours.
"""

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy, normalize

from s3vae.data.clips import ClipFile
from s3vae.engine.batches import Batch
from s3vae.engine.fit import Learner
from s3vae.losses.consistency import shuffle_frames
from s3vae.losses.elbo import dynamic_kl, reconstruction_error, static_kl
from s3vae.losses.mutual_information import published_mutual_information
from s3vae.model.architecture import PRESETS
from s3vae.model.s3vae import S3VAE
from s3vae.tensors import Scalar, Video, to_unit

CONTRAST, TEMPERATURE = 10.0, 0.5


def peer_learner(clips: ClipFile, device: torch.device) -> Learner:
    """Return its model and loss as the engine trains them, without a validation."""
    model, count = S3VAE(PRESETS["paper"]).to(device), len(clips.split("train"))

    def losses(batch: Batch, generator: Generator) -> dict[str, Scalar]:
        return {"total": peer_loss(model, to_unit(batch.frames), count, generator)}

    return Learner(model, losses, dict)


def peer_loss(model: S3VAE, video: Video, count: int, generator: Generator) -> Scalar:
    """Return squared errors, both KLs, mutual information and both contrasts."""
    versions = (video, shuffle_frames(video, generator), recoloured(video, generator))
    posteriors = [model.encode(version) for version in versions]
    samples = [
        (each.static.sample(generator), each.dynamic.sample(generator)) for each in posteriors
    ]
    decoded = [model.decode(*pair) for pair in samples]
    (first, content, motion), (static, dynamic) = posteriors, samples[0]
    clusters = torch.zeros(len(video), dtype=torch.long, device=video.device)
    return (
        reconstruction_error(decoded[0], video)
        + static_kl(first.static)
        + dynamic_kl(first.dynamic, model.prior(dynamic, clusters))
        + published_mutual_information(first.static, first.dynamic, static, dynamic, count)
        + CONTRAST * contrast(first.static.mean, content.static.mean)
        + CONTRAST * contrast(first.dynamic.mean.flatten(1), motion.dynamic.mean.flatten(1))
    )


def recoloured(video: Video, generator: Generator) -> Video:
    """Return clips whose channels have another contrast and brightness."""
    shape = len(video), 1, video.shape[2], 1, 1
    slope, level = (torch.rand(shape, generator=generator, device=video.device) for _ in range(2))
    return ((0.5 + slope) * video + 0.4 * (level - 0.5)).clamp(0, 1)


def contrast(codes: Float[Tensor, "clip dim"], others: Float[Tensor, "clip dim"]) -> Scalar:
    """Return NT-Xent: each code should be nearest to its other version, of all codes."""
    both = normalize(torch.cat([codes, others]), dim=1)
    likeness = both @ both.T / TEMPERATURE
    likeness.fill_diagonal_(-torch.inf)
    return cross_entropy(likeness, torch.arange(len(both), device=both.device).roll(len(codes)))
