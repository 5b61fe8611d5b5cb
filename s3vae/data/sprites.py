"""Sprites: 1296 characters of the Liberated Pixel Cup in nine actions."""

import dataclasses
from collections.abc import Iterator
from functools import reduce
from itertools import product
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image
from pydantic.dataclasses import dataclass

from s3vae.data.clips import ClipSet, Factor
from s3vae.data.download import RemoteFile
from s3vae.settings import STRICT

ORIGIN = (
    "https://raw.githubusercontent.com/YingzhenLi/Sprites/3ce4048c5227802bd8f1888e293fd3afdba91c0c"
)
FRAMES_SHA256 = "9a90d76e1172c33b1a9e318a299657cecb9d9d19ddfd0d085e800b796a07a9f3"
"""The checksum of all 1296 x 9 x 8 frames of the original generator."""

SHEETS: dict[str, str] = {
    "body/0": "27d1ac78db37c42f35a20d15c42705efc5e58d47c236cc01423879d4f797f151",
    "body/1": "1535e9228357b884df80f777a0d1dac10ac35e550e4d8d077105ccad014a1460",
    "body/2": "7c241033b4897501cb3721b6c3a9ebfa94b13db10a539edbd9bcc3e0c2a4bcb9",
    "body/3": "055f5aa33fc112d8444b42fce2cf50608a9fbbf2466c54ceaa46c777589a717a",
    "body/4": "57f3b9c510482379aba9a32fc0de7d48e9cbe3dc40f2447283547f773b77ca72",
    "body/5": "91e49453aeab5ebbb4fd2b48253812895dcfb4cb1829b84e24425c66de8f04ff",
    "bottomwear/0": "4ec356c488e272fde2d2d0d722b12a80217871e41161d43ba784caf243969ec2",
    "bottomwear/1": "0674312eaa4ab548f8bb31ef95d7dbd46b41555758cec51bd6c3e9fac9a0f936",
    "bottomwear/2": "3b464feb0d20ff34b0ca2a6d1fd00766ad86e2229c3d56ff91379fe27588a893",
    "bottomwear/3": "b366e84ea0519d06cf693f51e0ee2f9ac32b3132d27c75dfdc4b6f52fca072de",
    "bottomwear/4": "4ed7e7702e4f50b9692c0043be04b7296a108d85ea97230fb50d13c150d98771",
    "bottomwear/5": "a5c5e7e33f13fe5ad37b5836a5a74fb0d2094a0877c2146961b88688ff85840d",
    "topwear/0": "b917edcf2b3c35d51ef57a6fad67557c5edf048785bea29db09a640d09ac9a90",
    "topwear/1": "e33c6cb31ed1268a2c0dc73b665b1c9b9420e22baf3321880222bdb22682368b",
    "topwear/2": "2b9b8fefa08894b7ea536cd62b86d494aefe6e54495c5c1d83460827b13b6448",
    "topwear/3": "807f5b628592f6747e2814be9435963069dba6c360577168c02f57bbe903433d",
    "topwear/4": "b51b17878503877e179ce4f9231713bf2b2d2d666c3ec9ee29f4e784469867a2",
    "topwear/5": "1b6049d43f83ebfda857cc405d1936ac9fd80be480fa6ad239024a6a75ad0372",
    "hair/0": "e4007b0635a239ad16cdebfe90759349ccc73dfc6836c9d19625714be185f43d",
    "hair/1": "fa6369f84d3310705df6d8ca8c9d515a7d211e73d2826c50a9cb5bb285652c66",
    "hair/2": "1b8046752be7233e829ebe9b11048e171d8d181ee6f68e07042b34f57bb8af0d",
    "hair/3": "333783285c5fd94ff434ae5000d2da39aac7940269f173119eaa70d34c8acfa1",
    "hair/4": "24df8e9b291cbd444f6c4d12d35b3d43d909cd13f04e6401e0fd8ab10216d5a2",
    "hair/5": "4dd471cc20e0b1cf71adcaab01c88598767e5cfe680adacdf560ca91574f17ae",
    "shoes/1": "d56a561616a20a12030d2d40a52eeec63e6d048871bf3b6994221869362151f1",
}
"""The sha256 of every sheet: 13 x 21 cells of 64 x 64 pixels, with alpha."""

PARTS = ("body", "bottomwear", "topwear", "hair")
FACTORS = ("body", "bottom", "top", "hair")
VALUES = 6
CHARACTERS = VALUES ** len(PARTS)
CELL = 64
TIME = 8
TEST_CHARACTERS = 296
VALIDATION_CHARACTERS = 100

MOVES = {
    "walk": ((10, 9, 11), (8, 1, 2, 3, 4, 5, 6, 7)),
    "spellcard": ((2, 1, 3), (0, 1, 2, 3, 4, 5, 4, 6)),
    "slash": ((14, 13, 15), (0, 1, 2, 3, 4, 5, 4, 0)),
}
"""The rows of the sheet (front, left, right) and the columns of the frames of each move."""

ACTIONS = tuple(f"{move} {way}" for move in MOVES for way in ("front", "left", "right"))
CELLS = tuple((row, column) for rows, frames in MOVES.values() for row in rows for column in frames)


@dataclass(frozen=True, config=STRICT)
class Sprites:
    """The Sprites set of the literature, which has no settings."""

    kind: Literal["sprites"] = "sprites"
    files: ClassVar[tuple[RemoteFile, ...]] = tuple(
        RemoteFile(f"sprites/{sheet}.png", sha256, (f"{ORIGIN}/{sheet}.png",))
        for sheet, sha256 in SHEETS.items()
    )
    """The 25 sheets."""

    def clips(self, raw: Path) -> ClipSet:
        """Build all 11,664 clips, character by character, from the sheets below `raw`."""
        parts = np.indices((VALUES,) * len(PARTS)).reshape(len(PARTS), CHARACTERS)
        labels = dict(zip(FACTORS, parts.repeat(len(ACTIONS), axis=1), strict=True))
        values = tuple(str(value) for value in range(VALUES))
        return ClipSet(
            name="sprites",
            source="github.com/YingzhenLi/Sprites",
            licence="CC BY-SA 3.0 / GPL 3.0, art of the Liberated Pixel Cup (lpc.opengameart.org)",
            parameters=dataclasses.asdict(self),
            shape=(CHARACTERS * len(ACTIONS), TIME, CELL, CELL, 3),
            frames=(clip for character in _characters(raw) for clip in character),
            factors=(
                *(Factor(name, "static", values) for name in labels),
                Factor("action", "dynamic", ACTIONS),
            ),
            labels=labels | {"action": np.tile(np.arange(len(ACTIONS)), CHARACTERS)},
            identity=np.arange(CHARACTERS).repeat(len(ACTIONS)),
            split=_split_of_characters().repeat(len(ACTIONS)),
            sha256=FRAMES_SHA256,
        )


def _split_of_characters() -> UInt8[ndarray, " character"]:
    """Return the split of the literature; val is the last 100 of its 1000 training characters."""
    order = np.random.RandomState(423).permutation(CHARACTERS)
    split = np.zeros(CHARACTERS, np.uint8)
    split[order[-TEST_CHARACTERS - VALIDATION_CHARACTERS :]] = 1
    split[order[-TEST_CHARACTERS:]] = 2
    return split


def _characters(raw: Path) -> Iterator[UInt8[ndarray, "action time height width channel"]]:
    """Yield every character in order of its id, 216 body + 36 bottom + 6 top + hair."""
    layers = [[_strip(raw, part, value) for value in range(VALUES)] for part in PARTS]
    shoes = _strip(raw, "shoes", 1)
    black = Image.new("RGBA", shoes.size, "black")
    for character in product(*layers):
        whole = np.asarray(reduce(Image.alpha_composite, (*character, shoes), black))
        yield whole[..., :3].reshape(len(ACTIONS), TIME, CELL, CELL, 3)


def _strip(raw: Path, part: str, value: int) -> Image.Image:
    """Cut the cells of all actions out of one sheet and stack them vertically."""
    with Image.open(raw / "sprites" / part / f"{value}.png") as file:
        sheet = np.asarray(file.convert("RGBA"))
    cells = [
        sheet[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL]
        for row, column in CELLS
    ]
    return Image.fromarray(np.concatenate(cells))
