"""Draw the pictures of docs/gallery.md that show a trained model.

`python -m pipelines.tools.gallery DATASET METHOD`, in the folder of params.yaml, writes two
animations into docs/pictures/.
"""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image

from pipelines.cli import arguments
from pipelines.paths import Layout
from s3vae.data.clips import ClipFile
from s3vae.engine.batches import ClipBatches
from s3vae.evaluation.codes import encode
from s3vae.evaluation.pictures import (
    MILLISECONDS,
    continued_grid,
    drawn_grid,
    generated_grid,
    varied_clips,
)
from s3vae.files import replacing
from s3vae.model.saved import load_s3vae
from s3vae.runtime import choose_device
from s3vae.tiles import film
from s3vae.training.static_prior import learn_static_prior

CLIPS, SEED, GAP, QUALITY = 4, 0, 12, 45
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"

Film = UInt8[ndarray, "time tall wide rgb"]


def gallery(files: Layout, method: str, folder: Path = PICTURES) -> None:
    """Write motions drawn, appearances drawn and both drawn, side by side; and clips that go on."""
    clips, device = ClipFile(files.clips), choose_device()
    model, chosen = load_s3vae(files.model(method), device), varied_clips(clips, CLIPS, SEED)
    learn_static_prior(model, ClipBatches(clips, {}), device)
    codes, real = encode(model, clips, chosen, device), clips.frames(chosen)
    blocks = [
        drawn_grid(model, codes, real, "dynamic", SEED),
        drawn_grid(model, codes, real, "static", SEED),
        generated_grid(model, (CLIPS // 2, CLIPS), clips.time, SEED, device),
    ]
    save(folder / f"{files.dataset}-overview.webp", beside([film(block) for block in blocks]))
    continued = continued_grid(model, real, device, SEED)
    save(folder / f"{files.dataset}-continued.webp", film(continued))


def beside(films: list[Film]) -> Film:
    """Return films of one height as one film, with a white gap between them."""
    gap = np.full_like(films[0][:, :, :GAP], 255)
    return np.concatenate([part for each in films for part in (gap, each)][1:], axis=2)


def save(path: Path, frames: Film) -> None:
    """Write an animated WebP picture."""
    first, *others = map(Image.fromarray, frames)
    with replacing(path) as aside:
        first.save(
            aside,
            "webp",
            save_all=True,
            append_images=others,
            duration=MILLISECONDS,
            loop=0,
            quality=QUALITY,
            method=6,
        )


if __name__ == "__main__":
    dataset, method = arguments("dataset", "method")
    gallery(Layout(dataset), method)
