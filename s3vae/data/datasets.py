"""The data sets that a config can name, distinguished by `kind`.

A data set is a settings dataclass with `files`, the downloads that it needs, and `clips(raw)`,
which builds its clips from a folder: that of the downloads, or the user's own.
"""

from pathlib import Path
from typing import Annotated, Protocol, runtime_checkable

from pydantic import Field

from s3vae.data.download import RemoteFile
from s3vae.data.dsprites.dsprites import DSprites
from s3vae.data.faces.faces import Faces
from s3vae.data.fresh import FreshClips
from s3vae.data.grid import Grid
from s3vae.data.mug import MUG
from s3vae.data.ravdess import RAVDESS
from s3vae.data.smmnist.smmnist import SMMNIST
from s3vae.data.sprites import Sprites
from s3vae.data.videos import Videos
from s3vae.data.weizmann import Weizmann

DataSet = Annotated[
    DSprites | Faces | Grid | MUG | RAVDESS | SMMNIST | Sprites | Videos | Weizmann,
    Field(discriminator="kind"),
]


@runtime_checkable
class Drawn(Protocol):
    """A data set that can draw unlimited clips."""

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The files to download first."""

    def of_source(self, source: str) -> "Drawn":
        """Restrict the set to the source that a file of its clips names."""

    def fresh_clips(self, raw: Path) -> FreshClips:
        """Draw clips like those of the train split. Raises FileNotFoundError."""
