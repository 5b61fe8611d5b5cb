"""The data sets that params.yaml may name: one module each, told apart by `kind`.

A data set is a settings dataclass with `files`, which must be downloaded first (maybe none), and
`clips(raw)`, which makes the clips from the folder they were downloaded into, or that the user's
own are in. One that can draw
clips without end is `Drawn` too.
"""

from pathlib import Path
from typing import Annotated, Protocol, runtime_checkable

from pydantic import Field

from s3vae.data.download import RemoteFile
from s3vae.data.dsprites.dsprites import DSprites
from s3vae.data.faces.faces import Faces
from s3vae.data.fresh import FreshClips
from s3vae.data.mug import MUG
from s3vae.data.ravdess import RAVDESS
from s3vae.data.smmnist.smmnist import SMMNIST
from s3vae.data.sprites import Sprites
from s3vae.data.videos import Videos
from s3vae.data.weizmann import Weizmann

DataSet = Annotated[
    DSprites | Faces | MUG | RAVDESS | SMMNIST | Sprites | Videos | Weizmann,
    Field(discriminator="kind"),
]


@runtime_checkable
class Drawn(Protocol):
    """A data set that can draw clips without end."""

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """What must be downloaded first."""

    def of_source(self, source: str) -> "Drawn":
        """The same set, from the source that a file of its clips names and no other."""

    def fresh_clips(self, raw: Path) -> FreshClips:
        """Clips like those of the train split. Raises FileNotFoundError if a file is missing."""
