"""Weizmann: filmed people who wave, jump or bend (Gorelick et al., PAMI 2007)."""

import dataclasses
from itertools import chain
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image
from pydantic import Field
from pydantic.dataclasses import dataclass

from s3vae.data.clips import ClipSet, Factor
from s3vae.data.download import RemoteFile
from s3vae.data.splits import TEST, TRAIN, VAL, Span, split_by_time
from s3vae.settings import STRICT

ORIGIN = (
    "https://raw.githubusercontent.com/sergeytulyakov/mocogan/"
    "937a99de73a3385fe0c0d1cde65dfa8a2c4177ec/data/actions"
)

STRIPS: dict[str, str] = {
    "0/00000002": "e31622f53300fd121b43f9308466d033a56aa49683a149872d43fb14c80776c0",
    "0/00000010": "76714534799e51c9aca2cdd6d482c3b8c9328a25793cb6fed7429aa3442958e4",
    "0/00000018": "4d7451c8bf0e2297082f4f51be4bb2627a9049616fcdab5d093a30cff2ed363f",
    "0/00000026": "3c9280dd31a3d175d246f8948653a746fb21562623999836d9fd1cd11a401d1d",
    "0/00000034": "352292af1a0656cafd4fc7dd89694a4e2c51600eb2683b5ce3a5dd0126faf566",
    "0/00000042": "2e5b9f6053d5dcac69a57228202e6a32fa202e061f8fc9aad49f15cf94a5f0e8",
    "0/00000050": "59a995b3389d3b61ef9c344597708d31cb82d044983dc4d428cc250195434a7d",
    "0/00000058": "dbeff3ed2e4ec966f962886c699fd092798fa8b31d1bec72c9a6fc2e94cb2739",
    "0/00000066": "59935cab4319733f2af151c8ae17387f71557d34066863aa6be012ffcef0da04",
    "1/00000000": "a277fa94f119a2c7497156aaf4aa894dba8fae844b096acfb649aff8905e8e82",
    "1/00000008": "705460a208e428a698d73d191e796673681109e905d772b5165ac574b8ea71b7",
    "1/00000016": "badc0455cf0c5b8b30e5c69c54010772bd4cb770b007d711b2d5b3d2af3a9fc4",
    "1/00000024": "e71c3e137e4a156b663c78c2f5445e9dc801292f714fdd9a4f2bb7a42f85e00e",
    "1/00000032": "6108f86b3f32260a9487945d0dd7cf8a2d85637da9fff9047a7d24fc7e1cb4d0",
    "1/00000040": "f01d9d44c8a204ccd829415b1d13704e7ca711ee6e1de9d2c36bca96b6618719",
    "1/00000048": "1dac5d3aef4d869f80518b248d811c69b5a3b7fb5718014199190680c3ac6a5c",
    "1/00000056": "ff10fe19f4a7bca44fcd7321ca461d2f2b5cc3dd33ebeef7035675e7ede8539c",
    "1/00000064": "dfd64bd2411ba11658ea74ffd6d07105de67f4a1209d9bef8e6333422989093c",
    "3/00000004": "2eea816dc94b353207397d8455f2dd9b3f2b1b921f4c1872f4de72a2e860122b",
    "3/00000012": "2b66b7a75100e557f9fd0db59d8ce054c1c4e2ff7dd0e2c9ec748f42d8b98978",
    "3/00000020": "36bf2078b12362f6f9c4ff041e9c4ef56663efa9b4be9439a1d2ea796bc7b709",
    "3/00000028": "bc9c15cabd2a50947b34ab267203f7cd912cfa56180130ad8e099fe298d4c685",
    "3/00000036": "fa9e91bd0f93dd1d25e8196c93a624e71707de3e80f50260649b63a6814384af",
    "3/00000044": "5e2e17aa710f53e62136f46e57d1df673f435976d8a26c109fec1a800470f2d9",
    "3/00000052": "aa0b4bf8a3bb3683177f3779b75c17723ccbf1d094017f4092f040e753fd3448",
    "3/00000060": "510e00e1bc1cb26d9e6d506e4d964e1b85ceb0ada1d6ee2992bf853e9f8491be",
    "3/00000068": "a7f0b178044db23e29f5d5a2e15995fc1bdb83a6eb82ebefa9676d621ba13a6a",
    "4/00000006": "673887f6f312816f9c0cbc4ce29b1d337a8d02a7648a166372779e000e881ea5",
    "4/00000014": "d8365919a6ac584a37d2d2018ea13204a608248eeb5f343c306a6868ae32bc66",
    "4/00000022": "79025c8111510f029411c4fe32cfbdb1cb1ce230d7daa79e6234b442fc0346fb",
    "4/00000030": "045b443949a0ba382712dfcfc41d9cc57e9225e9da9c06ff9d91828a904e5785",
    "4/00000038": "f474cdacfb95a0169c88ac96482f9bc74710ddb69b20b009bdd2425b192d9075",
    "4/00000046": "0a265dcd11c1f21484701fe044ad0f1987e177f7ea7b719ca42852064a4124f2",
    "4/00000054": "fd2aadaa3312a1d1c789eeb15b3a2c62aad1fdf4312a1ba3e91e0d24c5d84e0a",
    "4/00000062": "5cf42bc6ab8ac9561463b89c4c9b12f354f1da01aab4fbfbff356e6651e6bdf7",
    "4/00000070": "a77b124da8394cf07a26f0b81e606ad8af842f8e3c0141db306962195803b957",
}
"""The sha256 of every video: its frames of 64x64 pixels side by side, 25 per second.

The file name is 8 * performer + 2 * i, and the folder is the action at index i of ACTIONS.
"""

SIZE = 64
PERFORMERS = 9
ACTIONS = {1: "wave two hands", 0: "wave one hand", 3: "jumping jack", 4: "bend"}
"""The action of each folder, in order of the file names."""
JACK = list(ACTIONS).index(3)
OTHER_OUTFIT = (0, 1, 3, 6)
"""The performers whose jumping jack was filmed with other clothes and light."""
OUTFITS = (
    *(f"performer {performer}" for performer in range(PERFORMERS)),
    *(f"performer {performer}, jumping jack" for performer in OTHER_OUTFIT),
)
TESTED = (0, 1, 2, 3, 0, 1, 3, 2, 2)
"""The action of each performer, as an index of ACTIONS, that `split_by: combination` tests."""
VALIDATED = {2: 3, 4: 1, 5: 2, 7: 3, 8: 0}
"""The same for validation, for performers who wear one outfit in all four actions."""


@dataclass(frozen=True, config=STRICT)
class Weizmann:
    """Nine performers and four actions, as distributed at 64x64 with MoCoGAN's code.

    The static factor is the outfit, not the performer: four performers changed clothes for the
    jumping jack. The mirror image of each clip is in the same split.

    `split_by: time` tests on the end of each video and validates on the part before it.
    `split_by: combination` tests combinations of an outfit and an action that are not in the train
    split, although each of the two is.
    """

    kind: Literal["weizmann"] = "weizmann"
    split_by: Literal["time", "combination"] = "time"
    time: Annotated[int, Field(ge=2, le=17)] = 15
    """Frames of a clip. The shortest video has 51: a third of it must hold a clip."""
    step: Annotated[int, Field(ge=1)] = 2
    """Frames between the starts of consecutive clips, which overlap within a split."""
    val: Annotated[float, Field(gt=0, lt=0.5)] = 0.2
    test: Annotated[float, Field(gt=0, lt=0.5)] = 0.25
    """The shares of each video's frames for validation and test, at least one clip each."""
    files: ClassVar[tuple[RemoteFile, ...]] = tuple(
        RemoteFile(f"weizmann/{video}.jpg", sha256, (f"{ORIGIN}/{video}.jpg",))
        for video, sha256 in STRIPS.items()
    )
    """The 36 videos, each one picture of all its frames."""

    def clips(self, raw: Path) -> ClipSet:
        """Build all clips, video by video, each span followed by its mirror image."""
        spans = [span for video in STRIPS for span in self._spans(video, frames_of(raw, video))]
        clips = [span.clips(self.time, self.step, mirrored=True) for span in spans]
        counts = [len(each) for each in clips]
        return ClipSet(
            name="weizmann",
            source="github.com/sergeytulyakov/mocogan",
            licence="for research; not to be redistributed (Gorelick et al. 2007)",
            parameters=dataclasses.asdict(self),
            shape=(sum(counts), self.time, SIZE, SIZE, 3),
            frames=chain.from_iterable(clips),
            factors=(
                Factor("outfit", "static", OUTFITS),
                Factor("action", "dynamic", tuple(ACTIONS.values())),
            ),
            labels={
                "outfit": np.repeat([outfit_of(span.video) for span in spans], counts),
                "action": np.repeat([action_of(span.video) for span in spans], counts),
            },
            identity=np.arange(len(spans)).repeat(counts),
            split=np.repeat([span.split for span in spans], counts),
        )

    def _spans(
        self, video: str, frames: UInt8[ndarray, "frame height width channel"]
    ) -> list[Span]:
        """Return the parts of a video that belong to one split each."""
        if self.split_by == "combination":
            return [Span(video, split_of_combination(video), frames)]
        return split_by_time(video, frames, self.val, self.test, least=self.time)


def performer_of(video: str) -> int:
    """Return the index of a video's performer, 0 to 8."""
    return int(video.split("/")[1]) // 8


def action_of(video: str) -> int:
    """Return the index of a video's action in ACTIONS."""
    return list(ACTIONS).index(int(video.split("/")[0]))


def outfit_of(video: str) -> int:
    """Return the index of a video's outfit in OUTFITS."""
    performer = performer_of(video)
    if action_of(video) == JACK and performer in OTHER_OUTFIT:
        return PERFORMERS + OTHER_OUTFIT.index(performer)
    return performer


def split_of_combination(video: str) -> int:
    """Return the split of a video's combination of outfit and action."""
    performer, action = performer_of(video), action_of(video)
    if TESTED[performer] == action:
        return TEST
    return VAL if VALIDATED.get(performer) == action else TRAIN


def frames_of(raw: Path, video: str) -> UInt8[ndarray, "frame height width channel"]:
    """Read the frames of a video, which are side by side in one picture below `raw`."""
    with Image.open(raw / "weizmann" / f"{video}.jpg") as file:
        strip = np.asarray(file.convert("RGB"))
    return strip.reshape(SIZE, -1, SIZE, 3).swapaxes(0, 1)
