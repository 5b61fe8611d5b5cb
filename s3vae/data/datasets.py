"""The data sets that params.yaml may name: one module each, told apart by `kind`.

A data set is a settings dataclass with `files`, which must be downloaded first (maybe none), and
`clips(raw)`, which makes the clips from the folder they were downloaded into. One that can draw
clips without end has `fresh_clips(raw)` too.
"""

from typing import Annotated

from pydantic import Field

from s3vae.data.dsprites import DSprites
from s3vae.data.smmnist import SMMNIST
from s3vae.data.sprites import Sprites

DataSet = Annotated[DSprites | Sprites | SMMNIST, Field(discriminator="kind")]
