"""The provenance of a stage's results: a key that identifies the run, and a file beside them.

The file (provenance-STAGE.json) is stored where the results are, in git or DVC's cache, so that
results of another machine can be published without its data.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipelines.io import read_yaml, write_json
from s3vae.data.clips import ClipFile
from s3vae.files import checksum_of
from s3vae.weights import WEIGHTS

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ROOT = Path(__file__).resolve().parents[2]
Kind = Literal["train", "judge", "evaluate"]

CODE = "${pipeline.code}"
"""The beginning of the deps in dvc.yaml that are code."""


@dataclass(frozen=True)
class ClipRecord:
    """The metadata of a clip file that may itself be missing."""

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
    """The inputs of a run, which is identified by its key."""

    kind: Kind
    dataset: str
    method: str
    key: str
    settings: Mapping[str, object]
    clips: ClipFile | ClipRecord
    weights_sha256: str | None = None
    """Of the weights that the run evaluates or has written."""


def run_key(
    kind: Kind, settings: "DataclassInstance", clips: ClipFile, *inputs: Mapping[str, object] | str
) -> str:
    """Return 20 hexadecimal digits that differ if anything differs that determines the results.

    Further inputs are the parameters of a training's signal and the checksums of the weights that
    an evaluation uses.
    """
    parts = [kind, code_sha256(kind), dataclasses.asdict(settings), clips.sha256, *inputs]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:20]


def new_run(
    kind: Kind,
    dataset: str,
    method: str,
    settings: "DataclassInstance",
    clips: ClipFile,
    *inputs: Mapping[str, object] | str,
    weights_sha256: str | None = None,
) -> StageRun:
    """Return a run with its key; `inputs` are the further ones of `run_key`."""
    key, content = run_key(kind, settings, clips, *inputs), dataclasses.asdict(settings)
    return StageRun(kind, dataset, method, key, content, clips, weights_sha256)


def stage_entry(kind: Kind) -> Mapping[str, Any]:
    """Return the definition of a stage in dvc.yaml, its variables not filled in."""
    entry: dict[str, Any] = read_yaml(ROOT / "dvc.yaml")["stages"][kind]
    return dict(entry.get("do", entry))


def code_sha256(kind: Kind) -> str:
    """Return a checksum of the code that a stage depends on by dvc.yaml."""
    deps = (dep.removeprefix(CODE) for dep in stage_entry(kind)["deps"] if dep.startswith(CODE))
    files = {
        file
        for path in (ROOT / dep for dep in deps)
        for file in (path.rglob("*.py") if path.is_dir() else [path])
    }
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(ROOT)} {checksum_of(path)}\n".encode())
    return digest.hexdigest()


def record(clips: ClipFile | ClipRecord) -> ClipRecord:
    """Return the metadata of a clip file. Reads the whole file for its md5."""
    if isinstance(clips, ClipRecord):
        return clips
    return ClipRecord(
        clips.path.as_posix(),
        clips.name,
        clips.source,
        clips.licence,
        clips.sha256,
        checksum_of(clips.path, "md5"),
        tuple(int(size) for size in clips.shape),
    )


def write_provenance(folder: Path, run: StageRun, model: Path) -> None:
    """Write the provenance of results into their folder; `model` is the folder of the weights."""
    weights = checksum_of(model / WEIGHTS)
    origin = dataclasses.replace(run, clips=record(run.clips), weights_sha256=weights)
    write_json(folder / f"provenance-{run.kind}.json", dataclasses.asdict(origin))


def read_provenance(path: Path) -> StageRun:
    """Read the provenance in a file. Raises ValueError with the path if it holds none."""
    try:
        content = json.loads(path.read_text())
        shape = tuple(content["clips"]["shape"])
        clips = ClipRecord(**content["clips"] | {"shape": shape})
        return StageRun(**content | {"clips": clips})
    except (ValueError, TypeError, KeyError) as error:
        msg = f"{path} holds no provenance ({error!r}): write it again with `dvc repro`"
        raise ValueError(msg) from error
