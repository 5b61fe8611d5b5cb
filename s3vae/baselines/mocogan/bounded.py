"""Discriminators of bounded slope: of frames, and of clips by their frames, then over time."""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import instance_norm
from torch.nn.utils.parametrizations import spectral_norm

from s3vae.model.layers import SLOPE, Frames
from s3vae.tensors import Video

FEATURES = 128
SMALLEST_VARIANCE = 1e-8
"""Added to the variance over time of a feature, which is small for slight motion."""


def frame_features(channels: int, width: int) -> nn.Sequential:
    """Return a network from a frame (64x64) to a feature vector; its first layer is of patches.

    Spectral normalization (Miyato et al. 2018) bounds its slope; without it, the discriminator
    soon becomes too strong for the generator.
    """
    convolutions = (
        nn.Conv2d(channels, width, 4, 4),
        nn.Conv2d(width, 2 * width, 4, 2, 1),
        nn.Conv2d(2 * width, 4 * width, 4, 2, 1),
    )
    layers: list[nn.Module] = []
    for convolution in convolutions:
        layers += [spectral_norm(convolution), nn.LeakyReLU(SLOPE)]
    last = spectral_norm(nn.Linear(16 * 4 * width, FEATURES))
    return nn.Sequential(*layers, nn.Flatten(), last, nn.LeakyReLU(SLOPE))


class BoundedFrameDiscriminator(nn.Module):
    """A classifier of single frames as real or generated."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.frame = frame_features(channels, width)
        self.logit = spectral_norm(nn.Linear(FEATURES, 1))

    def forward(self, frames: Frames) -> Float[Tensor, " frame"]:
        """Return one logit per frame, above 0 for real."""
        logits: Tensor = self.logit(self.frame(2 * frames - 1))
        return logits[:, 0]


class BoundedClipDiscriminator(nn.Module):
    """A classifier of clips as real or generated, and of their categories.

    With `differences`, categories are also classified from the deviation of every feature from its
    mean over the clip, in standard deviations, which shows small motions of large objects.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        categories: Mapping[str, int],
        differences: bool = False,
    ) -> None:
        super().__init__()
        self.frame = frame_features(channels, width)
        self.over_time = nn.Sequential(
            spectral_norm(nn.Conv1d(FEATURES, FEATURES, 3, padding=1)),
            nn.LeakyReLU(SLOPE),
            spectral_norm(nn.Conv1d(FEATURES, FEATURES, 3, padding=1)),
            nn.LeakyReLU(SLOPE),
        )
        self.logit = spectral_norm(nn.Linear(FEATURES, 1))
        # spectral normalization makes features small: categories are classified after rescaling
        self.scaled = nn.LayerNorm(FEATURES)
        self.changes: nn.Module | None = None
        if differences:
            self.changes = nn.Sequential(
                nn.Conv1d(FEATURES, FEATURES, 3, padding=1), nn.LeakyReLU(SLOPE)
            )
        self.categories = nn.ModuleDict(
            {name: nn.Linear(FEATURES, size) for name, size in categories.items()}
        )

    def forward(
        self, video: Video
    ) -> tuple[Float[Tensor, " batch"], dict[str, Float[Tensor, "batch value"]]]:
        """Return one logit per clip, above 0 for real, and the logits of every category."""
        frames = self.frame(2 * video.flatten(0, 1) - 1).unflatten(0, video.shape[:2])
        clips = self.over_time(frames.mT).mean(dim=-1)
        features = self.scaled(clips)
        if self.changes is not None:
            deviations = instance_norm(frames.mT, eps=SMALLEST_VARIANCE)
            features = features + self.changes(deviations).mean(dim=-1)
        categories = {name: head(features) for name, head in self.categories.items()}
        return self.logit(clips)[:, 0], categories
