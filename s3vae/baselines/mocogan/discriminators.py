"""What MoCoGAN's generator must pass for real: one looks at single frames, one at whole clips."""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import instance_norm
from torch.nn.utils.parametrizations import spectral_norm

from s3vae.model.layers import SLOPE, Frames
from s3vae.tensors import Video

FEATURES = 128
SPREAD = 1e-8
"""The least variance that differences over time are measured in: slight motion changes little."""


def frame_features(channels: int, width: int) -> nn.Sequential:
    """A frame (64x64) to a vector, by convolutions of bounded slope, the first over patches.

    Spectral normalization (Miyato et al. 2018) bounds it: without, the generator soon loses.
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


class FrameDiscriminator(nn.Module):
    """Whether a single frame is real."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.frame = frame_features(channels, width)
        self.verdict = spectral_norm(nn.Linear(FEATURES, 1))

    def forward(self, frames: Frames) -> Float[Tensor, " frame"]:
        """Above 0 for real."""
        verdicts: Tensor = self.verdict(self.frame(2 * frames - 1))
        return verdicts[:, 0]


class ClipDiscriminator(nn.Module):
    """Whether a clip is real, and of which categories it is.

    With differences, categories are also read from how far every feature of a frame is from its
    mean over the clip, in units of its spread: small motion of something large.
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
        self.verdict = spectral_norm(nn.Linear(FEATURES, 1))
        # bounded features are small: the categories are read from them at their own scale
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
        """Verdicts, above 0 for real, and by category logits over its values."""
        each = self.frame(2 * video.flatten(0, 1) - 1).unflatten(0, video.shape[:2])
        clips = self.over_time(each.mT).mean(dim=-1)
        told = self.scaled(clips)
        if self.changes is not None:
            told = told + self.changes(instance_norm(each.mT, eps=SPREAD)).mean(dim=-1)
        logits = {name: head(told) for name, head in self.categories.items()}
        return self.verdict(clips)[:, 0], logits
