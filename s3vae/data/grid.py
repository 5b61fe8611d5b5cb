"""GRID: ten filmed speakers of the sentence corpus (Cooke, Barker, Cunningham and Shao 2006)."""

import dataclasses
from itertools import chain
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.data.clips import ClipSet, Factor
from s3vae.data.crops import SIZE, Crop, Size, crop_boxes, crop_to
from s3vae.data.download import RemoteFile
from s3vae.data.media import frames_of
from s3vae.data.splits import TRAIN, Span, split_by_time
from s3vae.settings import STRICT

ORIGIN = (
    "https://raw.githubusercontent.com/rizkiarm/LipNet/"
    "bec592aa1e66378bc7ab33f6110f1c8a431b3b9a/evaluation/samples/GRID"
)

SPEAKERS: dict[str, str] = {
    "bbaf2n": "e468120039e208b5ff9b9e269f8dc96bbddc45701f8dddcf2c0ae21abc0df546",
    "brbk7n": "2122707c6dd3b59a32b5272870afb37397dc6b20cf52241cf8ff7cfda7b3efa3",
    "lbax4n": "8f80c8ced6a8cb47d55c5c01704d4669b410369af653f6be7fbda9003337dedf",
    "lbbc2a": "9447e5e0732eeaf4444b5ba1e3412c8a9e194975ba7c814fa64c4c41c83d4e4c",
    "lrwp9a": "1a6c86fc5e7d4e9ee66a891f188f9a648c9b8be3bdc2431d73ac7e533aa70b3f",
    "lwbsza": "09090d1f7a8a946233a015a1b4258fafcb790ed6dbbd884ed88ae51fe36841a0",
    "pwij3p": "a610d98c101dde3587cc66d70cb569d3b1d0111cfad90bd0037e47e21316beda",
    "sbia1a": "768e49272122f1577839db576ea00146d08e83d778c7fe8b9ca1b194dff57c7d",
    "sbwe5n": "6707e709f1d713a6ff6673c85605e2fa721cfe59749c56b9f34e6d159c5fdf55",
    "swiz3n": "080f3e1511879a3baa41cdc31aa7029981f29c71434a570de3d52ee78f9e5dd0",
}
"""The sha256 of every speaker's video of 75 frames, 25 per second, named by its sentence."""


@dataclass(frozen=True, config=STRICT)
class Grid:
    """One sentence of each of ten speakers, split by time, with the mirror image of train clips.

    The static factor is the speaker. There is no dynamic factor: every sentence is another one. A
    video has one crop, so a speaker has the same size and place in all clips.
    """

    kind: Literal["grid"] = "grid"
    crop: Crop = "face"
    size: Size = SIZE
    time: Annotated[int, Field(ge=2, le=25)] = 15
    """Frames of a clip. A third of a video's 75 frames must hold a clip."""
    step: Annotated[int, Field(ge=1)] = 2
    """Frames between the starts of consecutive clips, which overlap within a split."""
    val: Annotated[float, Field(gt=0, le=1 / 3)] = 0.2
    test: Annotated[float, Field(gt=0, le=1 / 3)] = 0.25
    """The shares of each video's frames for validation and test, at least one clip each."""
    files: ClassVar[tuple[RemoteFile, ...]] = tuple(
        RemoteFile(f"grid/{name}.mpg", sha256, (f"{ORIGIN}/{name}.mpg",))
        for name, sha256 in SPEAKERS.items()
    )
    """The ten videos."""

    def clips(self, raw: Path) -> ClipSet:
        """Build all clips, speaker by speaker. Raises ValueError if a video shows no face."""
        spans = [span for name in SPEAKERS for span in self._spans(name, raw)]
        clips = [span.clips(self.time, self.step, mirrored=span.split == TRAIN) for span in spans]
        counts = [len(each) for each in clips]
        speakers = list(SPEAKERS)
        return ClipSet(
            name="grid",
            source="GRID corpus, as distributed by github.com/rizkiarm/LipNet",
            licence="CC BY 4.0 (Cooke, Barker, Cunningham and Shao 2006)",
            parameters=dataclasses.asdict(self),
            shape=(sum(counts), self.time, *self.size, 3),
            frames=chain.from_iterable(clips),
            factors=(Factor("speaker", "static", tuple(speakers)),),
            labels={"speaker": np.repeat([speakers.index(span.video) for span in spans], counts)},
            identity=np.arange(len(spans)).repeat(counts),
            split=np.repeat([span.split for span in spans], counts),
        )

    def _spans(self, name: str, raw: Path) -> list[Span]:
        """Split the frames of a video, all cropped to the same box."""
        path = raw / "grid" / f"{name}.mpg"
        frames = list(frames_of(path))
        (box,) = crop_boxes(frames, [range(len(frames))], self.crop, self.size)
        if box is None:
            raise ValueError(f"{path} shows no face: set `crop: centre` in the `data` section")
        cropped = np.stack([crop_to(frame, box, self.size) for frame in frames])
        return split_by_time(name, cropped, self.val, self.test, least=self.time)
