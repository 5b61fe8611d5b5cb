"""A signal of all clips, computed in shards: an interrupted run resumes at its next shard."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pipelines.paths import CHECKPOINTS
from pipelines.runner import map_shards
from s3vae.data.clips import ClipFile

CLIPS_PER_SHARD = 128
Part = TypeVar("Part")


@contextmanager
def in_shards(
    stage: str,
    name: str,
    clips: ClipFile,
    parameters: Mapping[str, Any],
    write: Callable[[Sequence[int], Path], None],
    read: Callable[[Path], Part],
) -> Iterator[list[Part]]:
    """Write a file per shard of clips and yield the values that `read` returns for them, in order.

    `write` takes the indices of a shard's clips and a path. Files that exist are not written again.
    They are deleted at the end of the block, unless it raises.
    """
    inputs = json.dumps([parameters, clips.sha256], sort_keys=True)
    key = hashlib.sha256(inputs.encode()).hexdigest()[:16]
    folder = (CHECKPOINTS / stage / key).resolve()
    shards = [
        range(start, min(start + CLIPS_PER_SHARD, clips.clips))
        for start in range(0, clips.clips, CLIPS_PER_SHARD)
    ]

    def file_of(shard: Sequence[int]) -> Path:
        return folder / f"{shard[0]:06}.h5"

    def write_missing(shard: Sequence[int]) -> None:
        path = file_of(shard)
        if not path.exists():
            write(shard, path)

    map_shards(
        f"{stage} {name}",
        write_missing,
        shards,
        name=lambda shard: f"{shard[0]}-{shard[-1]}",
        anywhere=True,
    )
    yield [read(file_of(shard)) for shard in shards]
    shutil.rmtree(folder)
