"""MUG: filmed facial expressions (Aifanti, Papachristou and Delopoulos 2010), on licence only."""

import dataclasses
import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.data.clips import ClipSet, Factor
from s3vae.data.crops import Crop
from s3vae.data.download import RemoteFile
from s3vae.data.faces.expressions import EXPRESSIONS
from s3vae.data.footage import (
    SIZE,
    Cut,
    clips_of,
    footage_in,
    looked_through,
    require_all_splits,
)
from s3vae.settings import STRICT

ASKED_AT = "https://mug.ee.auth.gr/fed/"
TREE = "SUBJECT/EXPRESSION/takeNNN/*.jpg or SUBJECT/sessionN/EXPRESSION/takeNNN/*.jpg"
SESSION = re.compile(r"session\W?\d*", re.IGNORECASE)


@dataclass(frozen=True, config=STRICT)
class FirstClip(Cut):
    """The first clip of each sequence alone, unless another number is asked for."""

    clips_per_video: Annotated[int, Field(ge=1)] | None = 1


@dataclass(frozen=True, config=STRICT)
class MUG:
    """The six expressions of MUG, split by subject: nobody is in two splits.

    Its sequences have 50 to 160 frames; with `stride` 2 the first clip is the rise of the
    expression. Subjects are not a factor: a judge cannot know those that it has not seen.
    """

    kind: Literal["mug"] = "mug"
    seed: int = 0
    cut: FirstClip = FirstClip()
    crop: Crop = "face"
    val: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    test: Annotated[float, Field(gt=0, lt=0.5)] = 0.25
    most_unreadable: Annotated[float, Field(ge=0, lt=1)] = 0.05

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """None: they are not to be downloaded."""
        return ()

    def clips(self, raw: Path) -> ClipSet:
        """The clips of the distributed tree below the folder `raw`.

        Raises FileNotFoundError, which says where to ask for the data, if they are not there.
        """
        sequences = sequences_in(raw)
        found = looked_through(str(raw), sequences, self.cut, self.crop, self.most_unreadable)
        count = [len(each.windows) for each in found]
        names = [subject_of(each.path) for each in found]
        subjects, subject = np.unique(names, return_inverse=True)
        expression = [EXPRESSIONS.index(each.path.parts[-2].lower()) for each in found]
        split = self._split_of_subjects(len(subjects))[subject].repeat(count)
        require_all_splits(str(raw), split, "raise `val` or `test`, or add subjects")
        return ClipSet(
            name="mug",
            source=ASKED_AT,
            licence="MUG's licence, signed by who uses it; the data may not be handed on",
            parameters=dataclasses.asdict(self),
            shape=(sum(count), self.cut.time, SIZE, SIZE, 3),
            frames=chain.from_iterable(clips_of(each) for each in found),
            factors=(Factor("expression", "dynamic", EXPRESSIONS),),
            labels={"expression": np.repeat(expression, count)},
            identity=subject.repeat(count),
            split=split,
        )

    def _split_of_subjects(self, number: int) -> np.ndarray:
        order = np.random.default_rng(self.seed).permutation(number)
        test, val = round(self.test * number), round(self.val * number)
        split = np.zeros(number, np.uint8)
        split[order[: test + val]] = 1
        split[order[:test]] = 2
        return split


def subject_of(sequence: Path) -> str:
    """The name of the folder above the expression's that is not a session's."""
    *above, _, _ = sequence.parts
    return next(name for name in reversed(above) if not SESSION.fullmatch(name))


def sequences_in(folder: Path) -> Sequence[Path]:
    """The folders of pictures of the six expressions. Raises FileNotFoundError if there is none."""
    found = [
        path
        for path in footage_in(folder)
        if path.is_dir()
        and len(path.relative_to(folder).parts) >= 3
        and path.parts[-2].lower() in EXPRESSIONS
    ]
    if not found:
        raise FileNotFoundError(
            f"{folder} has no sequences of MUG ({TREE}). The data are given on a signed licence: "
            f"ask at {ASKED_AT}, unpack them, and name the folder that holds the subjects' folders "
            "in pipeline.datasets of params.yaml"
        )
    return found
