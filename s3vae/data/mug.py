"""MUG: filmed facial expressions, under a licence (Aifanti, Papachristou and Delopoulos 2010)."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.data.clips import ClipSet, Factor
from s3vae.data.crops import SIZE, Crop, Size
from s3vae.data.download import RemoteFile
from s3vae.data.faces.expressions import EXPRESSIONS
from s3vae.data.footage import Cut, read_clips, scan_footage
from s3vae.data.media import find_footage
from s3vae.data.splits import TEST, VAL, require_all_splits
from s3vae.settings import STRICT

HOME_PAGE = "https://mug.ee.auth.gr/fed/"
TREE = "SUBJECT/EXPRESSION/takeNNN/*.jpg or SUBJECT/sessionN/EXPRESSION/takeNNN/*.jpg"
SESSION = re.compile(r"session\W?\d*", re.IGNORECASE)


@dataclass(frozen=True, config=STRICT)
class FirstClip(Cut):
    """A cut that takes only the first clip of each sequence, unless set otherwise."""

    clips_per_video: Annotated[int, Field(ge=1)] | None = 1


@dataclass(frozen=True, config=STRICT)
class MUG:
    """The six expressions of MUG, split by subject.

    Its sequences have 50 to 160 frames; with `stride` 2 the first clip is the onset of the
    expression. Subjects are not a factor: a judge cannot recognize the subjects of other splits.
    """

    kind: Literal["mug"] = "mug"
    seed: int = 0
    cut: FirstClip = FirstClip()
    crop: Crop = "face"
    size: Size = SIZE
    val: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    test: Annotated[float, Field(gt=0, lt=0.5)] = 0.25
    most_unreadable: Annotated[float, Field(ge=0, lt=1)] = 0.05
    files: ClassVar[tuple[RemoteFile, ...]] = ()

    def clips(self, raw: Path) -> ClipSet:
        """Build the clips of the distributed tree below the folder `raw`.

        Raises FileNotFoundError, which says where to request the data, if `raw` lacks them.
        """
        sequences = find_sequences(raw)
        footage = scan_footage(
            str(raw), sequences, self.cut, self.crop, self.most_unreadable, self.size
        )
        count = [len(each.windows) for each in footage]
        names = [subject_of(each.path) for each in footage]
        subjects, subject = np.unique(names, return_inverse=True)
        expression = [EXPRESSIONS.index(each.path.parts[-2].lower()) for each in footage]
        split = self._split_subjects(len(subjects))[subject].repeat(count)
        require_all_splits(str(raw), split, "raise `val` or `test`, or add subjects")
        return ClipSet(
            name="mug",
            source=HOME_PAGE,
            licence="MUG's licence, signed by who uses it; the data may not be handed on",
            parameters=dataclasses.asdict(self),
            shape=(sum(count), self.cut.time, *self.size, 3),
            frames=read_clips(footage, self.size),
            factors=(Factor("expression", "dynamic", EXPRESSIONS),),
            labels={"expression": np.repeat(expression, count)},
            identity=subject.repeat(count),
            split=split,
        )

    def _split_subjects(self, count: int) -> np.ndarray:
        order = np.random.default_rng(self.seed).permutation(count)
        test, val = round(self.test * count), round(self.val * count)
        split = np.zeros(count, np.uint8)
        split[order[: test + val]] = VAL
        split[order[:test]] = TEST
        return split


def subject_of(sequence: Path) -> str:
    """Return the name of the folder above the expression's that is not a session."""
    *above, _, _ = sequence.parts
    return next(name for name in reversed(above) if not SESSION.fullmatch(name))


def find_sequences(folder: Path) -> Sequence[Path]:
    """List the picture folders of the six expressions. Raises FileNotFoundError if none exists."""
    sequences = [
        path
        for path in find_footage(folder)
        if path.is_dir()
        and len(path.relative_to(folder).parts) >= 3
        and path.parts[-2].lower() in EXPRESSIONS
    ]
    if not sequences:
        raise FileNotFoundError(
            f"{folder} has no sequences of MUG ({TREE}). MUG requires a signed licence: request "
            f"it at {HOME_PAGE}, unpack the data, and set pipeline.datasets of params.yaml to the "
            "folder that holds the subjects' folders"
        )
    return sequences
