"""Two objects that fly about on black: one code for what each is, their places in z_t.

Encoder and decoder agree on what the first numbers of z_t are: the places of both objects. z_f is
the codes of both, side by side; which object is the first is arbitrary, but the same for both.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from s3vae.distributions import Gaussian
from s3vae.model.architecture import OBJECTS, PLACES, Architecture
from s3vae.model.layers import SLOPE
from s3vae.model.posteriors import DynamicPosterior, GaussianHead
from s3vae.model.two_objects.tracker import brightness, follow_two
from s3vae.model.two_objects.windows import SIDE, Tracks, seen_along
from s3vae.tensors import DynamicCode, Features, StaticCode, Video

FRAME = 64
MIDDLE, UNIT = (FRAME - SIDE) / 2, 10.0
"""Pixels: the corner of a window in the middle of a frame, and what 1 is in z_t."""
HIDDEN = 256
FIRST_LIGHT = -2.0
"""Logit of the light that sprites begin with: most of a sprite is black."""


class ObjectEncoder(nn.Module):
    """Clips to what is seen along both objects' tracks, and where: nothing of it is learned."""

    def forward(self, video: Video, tracks: Tracks | None = None) -> Features:
        """Per frame the windows of both objects, then their places in units of z_t.

        Without `tracks` the objects are followed here. The whole clip decides where they are.
        """
        if tracks is None:
            tracks = follow_two(brightness(video)).tracks
        seen = seen_along(video, tracks).flatten(2)
        return torch.cat([seen, (tracks.flatten(2) - MIDDLE) / UNIT], dim=-1)


class ObjectStatic(nn.Module):
    """q(z_f | x_1:T), object by object: from mean and minimum over frames of its windows.

    What passes behind an object leaves little in the one and nothing in the other. Blind to the
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
        """One Gaussian per clip."""
        windows = features[..., :-PLACES]
        summary = torch.stack([windows.mean(dim=1), windows.amin(dim=1)], dim=1)
        shape = (len(features), 2, OBJECTS, self.channels, SIDE, SIDE)
        objects = summary.reshape(shape).transpose(1, 2)
        each: Gaussian = self.head(self.each(objects.flatten(2, 3).flatten(0, 1)))
        mean, std = (x.reshape(len(features), -1) for x in (each.mean, each.std))
        return Gaussian(mean, std)


class ObjectDynamic(nn.Module):
    """q(z_t | x_1:T): its first numbers are the places as found, the rest is told by the places.

    `causal` and `framewise` say by which: those up to a frame, all, or its own.
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
        """One Gaussian per frame."""
        places = features[..., -PLACES:]
        rest = self.rest(places)
        return Gaussian(torch.cat([places, rest.mean[..., PLACES:]], dim=-1), rest.std)


class SpriteDecoder(nn.Module):
    """p(x_1:T | z_f, z_1:T): a sprite per object, drawn once a clip and laid where z_t says."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width, self.channels = architecture.decoder_width, architecture.channels
        places = SIDE // 4
        last = nn.Conv2d(2 * width, 16 * self.channels, 3, 1, 1)
        nn.init.constant_(last.bias, FIRST_LIGHT)  # type: ignore[arg-type]
        self.sprite = nn.Sequential(
            nn.Linear(architecture.static // OBJECTS, HIDDEN),
            nn.LeakyReLU(SLOPE),
            nn.Linear(HIDDEN, 2 * width * places**2),
            nn.LeakyReLU(SLOPE),
            nn.Unflatten(-1, (2 * width, places, places)),
            nn.Conv2d(2 * width, 2 * width, 3, 1, 1),
            nn.LeakyReLU(SLOPE),
            last,
            nn.PixelShuffle(4),
            nn.Sigmoid(),
        )

    def forward(self, static: StaticCode, dynamic: DynamicCode) -> Video:
        """Light adds up, and is white at most."""
        codes = static.reshape(len(static) * OBJECTS, -1)
        sprites = self.sprite(codes).reshape(len(static), 1, OBJECTS, self.channels, SIDE, SIDE)
        corners = dynamic[..., :PLACES].reshape(*dynamic.shape[:2], OBJECTS, 2)
        places = MIDDLE + UNIT * corners
        rows, columns = (between_pixels(places[..., axis])[:, :, :, None] for axis in (0, 1))
        summed = (rows @ sprites @ columns.mT).sum(dim=2)
        # where light is cut off, what is too bright must still feel it
        frames: Tensor = summed - (summed - 1).relu().detach()
        return frames


def between_pixels(
    corners: Float[Tensor, "*objects"],
) -> Float[Tensor, "*objects 64 32"]:
    """The matrix that lays a sprite's rows (or columns) on a frame's, linearly between pixels."""
    frame = torch.arange(FRAME, device=corners.device)[:, None]
    sprite = torch.arange(SIDE, device=corners.device)
    return (1 - (frame - sprite - corners[..., None, None]).abs()).relu()
