"""The numbers that make a model: saved beside its weights, and enough to build it again."""

from dataclasses import replace
from typing import Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.settings import STRICT

OBJECTS, PLACES = 2, 4
"""How many objects are told apart by `objects` and `sprites`, and how many numbers place them."""


@dataclass(frozen=True, config=STRICT)
class Architecture:
    """Sizes and kinds of every part of the model; the defaults are the paper's (section 4.1)."""

    encoder: Literal["strided", "patch", "objects"] = "strided"
    """`strided`: overlapping convolutions, the paper's; `patch`: cheaper, for centred objects;
    `objects`: two bright objects on black, followed through the clip and seen one by one."""
    decoder: Literal["transposed", "shuffle", "broadcast", "sprites", "warped"] = "transposed"
    """`transposed`: the paper's; `shuffle`: convolutions at low resolution, then PixelShuffle;
    `broadcast`: layers over plane waves whose phases z_t sets, for objects that move about; both
    codes scale and shift their channels; `sprites`: two objects drawn from z_f, laid where z_t
    says; `warped`: pictures drawn from z_f, bent by z_t, for what bends in place."""
    normalized: bool = True
    """Whether hidden convolutions are followed by batch normalization, as in the paper; those of
    `objects` and `sprites` never are."""
    encoder_width: int = Field(default=64, gt=0)
    decoder_width: int = Field(default=64, gt=0)
    channels: Literal[1, 3] = 3
    features: int = Field(default=128, gt=0)
    """How many numbers a frame is seen as; of `objects` it is their windows and places."""
    recurrent: int = Field(default=256, gt=0)
    static: int = Field(default=256, gt=0)
    dynamic: int = Field(default=32, gt=0)
    static_posterior: Literal["bilstm", "pooled", "averaged"] = "bilstm"
    """`pooled`: the mean over frames of an MLP of each frame's features, blind to their order;
    `averaged`: the same of averages over the frame's places alone, nearly blind to these too."""
    causal: bool = True
    """Whether q(z_t | x_<=t) as in the paper, or q(z_t | x_1:T) as in the released code."""
    framewise: bool = False
    """Whether q(z_t | x_t) sees its own frame alone (DSVAE's factorised posterior); else `causal`
    says how far it sees."""
    film: bool = False
    """Whether z_f scales and shifts the channels of later layers of the other decoders too."""
    clusters: int = Field(default=1, gt=0)
    """How many z_0 the prior of z_t may begin with: one per motion cluster; 1 is z_0 = 0."""
    signal: int = Field(default=9, gt=0)
    """How many numbers per frame are predicted from z_t: the outputs of the DFP head."""

    def __post_init__(self) -> None:
        """Over waves both codes scale and shift already; a frame alone has no future.

        Objects have codes of their own, z_t begins with their places.
        """
        if self.framewise and not self.causal:
            msg = "framewise posteriors see neither past nor future: leave `causal: false` out"
            raise ValueError(msg)
        if self.film and self.decoder in ("broadcast", "sprites", "warped"):
            msg = f"film is part of `decoder: {self.decoder}` or of no use to it: leave it out"
            raise ValueError(msg)
        of_objects = self.encoder == "objects", self.decoder == "sprites"
        if any(of_objects) and (self.static % OBJECTS or self.dynamic < PLACES):
            msg = (
                f"{OBJECTS} objects share z_f and have {PLACES} numbers of z_t for their places: "
                f"`static` ({self.static}) must be even, `dynamic` ({self.dynamic}) at least "
                f"{PLACES}"
            )
            raise ValueError(msg)
        if self.encoder == "objects" and self.static_posterior != "pooled":
            msg = "`encoder: objects` pools over frames: set `static_posterior: pooled`"
            raise ValueError(msg)


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
    """A preset with some of its fields replaced; an unknown preset or field is refused by name."""
    if preset not in PRESETS:
        msg = f"there is no architecture preset {preset!r}, only {', '.join(PRESETS)}"
        raise ValueError(msg)
    return replace(PRESETS[preset], **changes)
