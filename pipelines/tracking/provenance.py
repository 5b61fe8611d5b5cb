"""What a run of a stage is of: a key that tells it from others, and a note beside its results.

The note (origin-train.json, origin-judge.json, origin-evaluate.json) goes where the results go,
into git or DVC's cache, so that results of another machine can be published without its data.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pipelines.io import write_json
from s3vae.data.clips import ClipFile
from s3vae.files import checksum_of
from s3vae.weights import WEIGHTS

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ROOT = Path(__file__).resolve().parents[2]
Kind = Literal["train", "judge", "evaluate"]

ROOMS: dict[Kind, tuple[str, ...]] = {
    "train": ("data", "signals", "model", "losses", "engine", "baselines", "training"),
    "judge": ("data", "engine", "judge"),
    "evaluate": ("data", "signals", "model", "losses", "judge", "baselines", "evaluation"),
}
"""The rooms of s3vae/ whose code decides what a stage gives; the files of floor 0 always do."""


@dataclass(frozen=True)
class ClipRecord:
    """What is known of a clip file where the file itself may be missing."""

    path: str
    name: str
    source: str
    licence: str
    sha256: str
    """Of the frames, as the file states it."""
    md5: str
    """Of the file's bytes: DVC's name for it in dvc.lock."""
    shape: tuple[int, ...]


@dataclass(frozen=True)
class StageRun:
    """What a run is of; its key makes it findable again: the same key is the same run."""

    kind: Kind
    dataset: str
    method: str
    key: str
    settings: Mapping[str, object]
    clips: ClipFile | ClipRecord
    weights_sha256: str | None = None
    """Of the weights that it evaluates, or has left."""


def train_key(method: "DataclassInstance", clips: ClipFile, *signals: Mapping[str, object]) -> str:
    """Of a training: its settings, its clips and the parameters of every signal it learns from."""
    return _key("train", method, clips, *signals)


def judge_key(judge: "DataclassInstance", clips: ClipFile) -> str:
    """Of the training of a judge: its settings and its clips."""
    return _key("judge", judge, clips)


def evaluate_key(evaluation: "DataclassInstance", clips: ClipFile, model: Path, judge: Path) -> str:
    """Of an evaluation: its settings, its clips and the weights in these two folders."""
    weights = [checksum_of(folder / WEIGHTS) for folder in (model, judge)]
    return _key("evaluate", evaluation, clips, *weights)


def _key(kind: Kind, settings: "DataclassInstance", clips: ClipFile, *inputs: object) -> str:
    """Twenty hexadecimal digits that differ when anything differs that the results depend on."""
    parts = [kind, code_sha256(kind), dataclasses.asdict(settings), clips.sha256, *inputs]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:20]


def code_sha256(kind: Kind) -> str:
    """Of the code of a stage: when it changes, the same settings are another run, as to DVC."""
    stage, library = ROOT / "pipelines" / "stages" / f"{kind}.py", ROOT / "s3vae"
    files = [stage, *sorted(library.glob("*.py"))]
    files += [path for room in ROOMS[kind] for path in sorted((library / room).rglob("*.py"))]
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(ROOT)} {checksum_of(path)}\n".encode())
    return digest.hexdigest()


def record(clips: ClipFile | ClipRecord) -> ClipRecord:
    """What is worth telling of a clip file. Reads the whole file, once, for its md5."""
    if isinstance(clips, ClipRecord):
        return clips
    with clips.path.open("rb") as file:
        md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return ClipRecord(
        clips.path.as_posix(),
        clips.name,
        clips.source,
        clips.licence,
        clips.sha256,
        md5,
        tuple(int(size) for size in clips.shape),
    )


def write_origin(folder: Path, run: StageRun, model: Path | None = None) -> None:
    """Note in the folder of the results what they are of; `model`: the folder of its weights."""
    weights = checksum_of(model / WEIGHTS) if model else run.weights_sha256
    noted = dataclasses.replace(run, clips=record(run.clips), weights_sha256=weights)
    write_json(folder / f"origin-{run.kind}.json", dataclasses.asdict(noted))


def read_origin(path: Path) -> StageRun:
    """The run noted in this file. Raises ValueError with the path if it is no such note."""
    try:
        content = json.loads(path.read_text())
        shape = tuple(content["clips"]["shape"])
        clips = ClipRecord(**content["clips"] | {"shape": shape})
        return StageRun(**content | {"clips": clips})
    except (ValueError, TypeError, KeyError) as error:
        msg = f"{path} is no note of a stage ({error!r}): let the stage write it again (dvc repro)"
        raise ValueError(msg) from error
