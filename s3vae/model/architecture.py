"""The kinds and sizes of a model's parts: saved beside its weights, enough to rebuild it."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.settings import STRICT, Side, from_preset

ARCHITECTURE = "architecture.json"
"""The file in a model's folder that holds its architecture."""
OBJECTS, PLACES = 2, 4
"""Two-object models: the number of objects, and the dimensions of z_t for their positions."""
ONE_SIZE = ("objects", "broadcast", "sprites")
"""Encoders and decoders of 64x64 pixels only."""


@dataclass(frozen=True, config=STRICT)
class Architecture:
    """Kinds and sizes of every part of the model; the defaults are the paper's (section 4.1)."""

    encoder: Literal["strided", "patch", "objects"] = "strided"
    """`strided`: overlapping convolutions, the paper's; `patch`: cheaper, for centred objects;
    `objects`: two bright objects on black, tracked and encoded one by one (model/two_objects)."""
    decoder: Literal["transposed", "shuffle", "broadcast", "sprites", "warped", "layered"] = (
        "transposed"
    )
    """`transposed`: the paper's; `shuffle`: sub-pixel convolutions at low resolution; `broadcast`:
    plane waves shifted by z_t, for objects that change position; `warped`: canonical images of z_f
    displaced by z_t, for deformation in place; `layered`: a foreground of both codes over these
    images, for filmed video and faces; `sprites`: two objects (model/two_objects)."""
    normalized: bool = True
    """Whether batch normalization follows hidden convolutions, as in the paper. Only `strided`,
    `patch`, `transposed` and `shuffle` have it."""
    encoder_width: int = Field(default=64, gt=0)
    decoder_width: int = Field(default=64, gt=0)
    channels: Literal[1, 3] = 3
    height: Side = 64
    width: Side = 64
    """Of a frame in pixels; like `channels`, training sets them from the clips."""
    features: int = Field(default=128, gt=0)
    """The size of a frame's feature vector; `objects` uses windows and positions instead."""
    recurrent: int = Field(default=256, gt=0)
    static: int = Field(default=256, gt=0)
    """The dimensions of z_f."""
    dynamic: int = Field(default=32, gt=0)
    """The dimensions of z_t."""
    static_posterior: Literal["bilstm", "pooled"] = "bilstm"
    """`bilstm`: the paper's; `pooled`: the mean over frames of an MLP of each frame's features,
    which ignores the order of frames."""
    static_input: Literal["frames", "windows"] = "frames"
    """What z_f is inferred from. `windows`: all small windows of a frame, without their places,
    which show what there is and little of how it is arranged."""
    dynamic_input: Literal["frames", "deviations"] = "frames"
    """What z_t is inferred from. `deviations`: the differences of a clip's frames from their mean,
    which show what moves and little of its appearance. The mean is of all frames, so that q(z_t)
    depends on the whole clip even if `causal`."""
    causal: bool = True
    """True: q(z_t | x_<=t) as in the paper; false: q(z_t | x_1:T) as in the released code."""
    framewise: bool = False
    """True: q(z_t | x_t), the factorised posterior of DSVAE, instead of `causal`."""
    given_static: bool = False
    """True: z_t is also inferred from z_f, and so from the whole clip; with `causal: false` this is
    DSVAE's full posterior q(z_t | x_1:T, z_f)."""
    clusters: int = Field(default=1, gt=0)
    """Initial states z_0 of the dynamic prior, one per motion cluster; 1: z_0 = 0."""
    signal: int = Field(default=9, gt=0)
    """The outputs per frame of the head that predicts the motion signal from z_t."""
    predicts: str = "cells"
    """The name of that signal (training/targets.py)."""

    def __post_init__(self) -> None:
        """Raise ValueError for combinations that no network implements."""
        if self.framewise and not self.causal:
            msg = "`framewise` posteriors use neither past nor future: remove `causal: false`"
            raise ValueError(msg)
        two_objects = self.encoder == "objects" or self.decoder == "sprites"
        if two_objects and (self.static % OBJECTS or self.dynamic < PLACES):
            raise ValueError(
                f"{OBJECTS} objects share z_f, and {PLACES} dimensions of z_t are positions: "
                f"`static` ({self.static}) must be even, `dynamic` ({self.dynamic}) at least "
                f"{PLACES}"
            )
        if self.encoder == "objects" and self.static_posterior != "pooled":
            msg = "`encoder: objects` averages over frames: set `static_posterior: pooled`"
            raise ValueError(msg)
        if self.encoder == "objects" and (self.separate or self.given_static):
            raise ValueError(
                "`encoder: objects` tracks objects in frames: remove static_input, dynamic_input "
                "and given_static"
            )
        fixed = [part for part in (self.encoder, self.decoder) if part in ONE_SIZE]
        if fixed and (self.height, self.width) != (64, 64):
            raise ValueError(
                f"`{fixed[0]}` is for frames of 64x64 pixels, not {self.height}x{self.width}: set "
                "`encoder` to strided or patch and `decoder` to transposed, shuffle, warped or "
                "layered, or make clips of 64x64"
            )

    @property
    def separate(self) -> bool:
        """Whether z_f and z_t are inferred from different features."""
        return (self.static_input, self.dynamic_input) != ("frames", "frames")

    @property
    def doublings(self) -> int:
        """The number of stages beyond those for 64x64, beside the pixels, for larger frames.

        One for each time that the map of 1/16 of a frame can be halved if both of its sides are
        even and it keeps at least 16 places: 1 at 128x128, 2 at 256x256, none at 96x96.
        """
        rows, columns, count = self.height // 16, self.width // 16, 0
        while rows * columns >= 64 and rows % 2 == columns % 2 == 0:
            rows, columns, count = rows // 2, columns // 2, count + 1
        return count

    @property
    def coarse(self) -> tuple[int, int]:
        """Rows and columns of the map between linear layers and convolutions; 4x4 at 64x64."""
        pixels = 16 * 2**self.doublings
        return self.height // pixels, self.width // pixels


PRESETS: dict[str, Architecture] = {
    "paper": Architecture(),
    "fast": Architecture(
        encoder="patch",
        decoder="shuffle",
        encoder_width=32,
        decoder_width=32,
        normalized=False,
        recurrent=128,
        static=32,
        dynamic=16,
        static_posterior="pooled",
    ),
}


def architecture(preset: str, **changes: Any) -> Architecture:
    """Return a preset with some fields replaced. Raises ValueError or TypeError if unknown."""
    if preset not in PRESETS:
        msg = f"unknown architecture preset {preset!r}: choose one of {', '.join(PRESETS)}"
        raise ValueError(msg)
    return replace(PRESETS[preset], **changes)


PresetArchitecture = Annotated[Architecture, from_preset(architecture)]
"""An architecture in a config: a `preset` and the fields that differ from it."""
