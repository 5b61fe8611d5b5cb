"""Networks for two objects moving on black: z_f holds both appearances, z_t both positions.

The first four dimensions of z_t are the positions of both objects. z_f is the concatenation of
their codes; which object comes first is arbitrary, but the same in z_f and z_t.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s3vae.distributions import Gaussian
from s3vae.model.architecture import OBJECTS, PLACES, Architecture
from s3vae.model.layers import SLOPE
from s3vae.model.posteriors import DynamicPosterior, GaussianHead
from s3vae.model.two_objects.tracker import brightness, track
from s3vae.model.two_objects.windows import SIDE, Tracks, crop_along
from s3vae.tensors import DynamicCode, Features, StaticCode, Video

FRAME = 64
MIDDLE, UNIT = (FRAME - SIDE) / 2, 10.0
"""Pixels: the corner of a window in the middle of a frame, and the unit of positions in z_t."""
HIDDEN = 256
INITIAL_LOGIT = -2.0
"""Bias of the last layer before training: most of a sprite is black."""


class ObjectEncoder(nn.Module):
    """The windows along both objects' tracks and their positions; it has no parameters."""

    def forward(self, video: Video, tracks: Tracks | None = None) -> Features:
        """Return per frame both objects' windows, then their positions in units of z_t.

        Without `tracks` the objects are tracked here, each through its whole clip.
        """
        if tracks is None:
            tracks = track(brightness(video)).tracks
        windows = crop_along(video, tracks).flatten(2)
        return torch.cat([windows, (tracks.flatten(2) - MIDDLE) / UNIT], dim=-1)


class ObjectStatic(nn.Module):
    """q(z_f | x_1:T), object by object, from the mean and the minimum of its windows over time.

    The other object contributes little to the mean and nothing to the minimum. Invariant to the
    order of frames by construction.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width, self.channels = architecture.encoder_width, architecture.channels
        self.each = nn.Sequential(
            nn.Conv2d(2 * self.channels, width, 4, 4),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, 2 * width, 3, 1, 1),
            nn.LeakyReLU(SLOPE),
            nn.Flatten(),
            nn.Linear(2 * width * (SIDE // 4) ** 2, HIDDEN),
            nn.LeakyReLU(SLOPE),
        )
        self.head = GaussianHead(HIDDEN, architecture.static // OBJECTS)

    def forward(self, features: Features) -> Gaussian:
        """Return one Gaussian per clip."""
        windows = features[..., :-PLACES]
        summary = torch.stack([windows.mean(dim=1), windows.amin(dim=1)], dim=1)
        shape = (len(features), 2, OBJECTS, self.channels, SIDE, SIDE)
        objects = summary.reshape(shape).transpose(1, 2)
        each: Gaussian = self.head(self.each(objects.flatten(2, 3).flatten(0, 1)))
        mean, std = (x.reshape(len(features), -1) for x in (each.mean, each.std))
        return Gaussian(mean, std)


class ObjectDynamic(nn.Module):
    """q(z_t | x_1:T): the mean of the first dimensions is the tracked positions.

    All other parameters are inferred from the positions: those of all frames, with `causal` those
    up to the frame, with `framewise` the frame's own.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.rest = DynamicPosterior(
            PLACES,
            architecture.recurrent,
            architecture.dynamic,
            causal=architecture.causal,
            framewise=architecture.framewise,
        )

    def forward(self, features: Features) -> Gaussian:
        """Return one Gaussian per frame."""
        positions = features[..., -PLACES:]
        rest = self.rest(positions)
        return Gaussian(torch.cat([positions, rest.mean[..., PLACES:]], dim=-1), rest.std)


class SpriteDecoder(nn.Module):
    """p(x_1:T | z_f, z_1:T): one sprite per object and clip, translated to its position in z_t."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width, self.channels = architecture.decoder_width, architecture.channels
        size = SIDE // 4
        last = nn.Conv2d(2 * width, 16 * self.channels, 3, 1, 1)
        nn.init.constant_(last.bias, INITIAL_LOGIT)  # type: ignore[arg-type]
        self.sprite = nn.Sequential(
            nn.Linear(architecture.static // OBJECTS, HIDDEN),
            nn.LeakyReLU(SLOPE),
            nn.Linear(HIDDEN, 2 * width * size**2),
            nn.LeakyReLU(SLOPE),
            nn.Unflatten(-1, (2 * width, size, size)),
            nn.Conv2d(2 * width, 2 * width, 3, 1, 1),
            nn.LeakyReLU(SLOPE),
            last,
            nn.PixelShuffle(4),
            nn.Sigmoid(),
        )

    def forward(self, static: StaticCode, dynamic: DynamicCode) -> Video:
        """Add both sprites to a black frame: values are clamped to 1, gradients are not."""
        # `len` would fix the number of clips in an exported graph
        clips = static.shape[0]
        codes = static.reshape(clips * OBJECTS, -1)
        sprites = self.sprite(codes).reshape(clips, 1, OBJECTS, self.channels, SIDE, SIDE)
        positions = dynamic[..., :PLACES].reshape(*dynamic.shape[:2], OBJECTS, 2)
        corners = MIDDLE + UNIT * positions
        rows, columns = (interpolation_matrix(corners[..., axis])[:, :, :, None] for axis in (0, 1))
        summed = (rows @ sprites @ columns.mT).sum(dim=2)
        frames: Tensor = summed - (summed - 1).relu().detach()
        return frames


def interpolation_matrix(corners: Float[Tensor, "*objects"]) -> Float[Tensor, "*objects 64 32"]:
    """Return the matrix that maps a sprite's rows (or columns) to a frame's, linearly."""
    frame = torch.arange(FRAME, device=corners.device)[:, None]
    sprite = torch.arange(SIDE, device=corners.device)
    return (1 - (frame - sprite - corners[..., None, None]).abs()).relu()
