"""Concurrent downloads of the files that a stage reads."""

from collections.abc import Sequence
from pathlib import Path

from pipelines.runner import map_shards
from s3vae.data.download import ATTEMPTS, DownloadError, RemoteFile, fetch, mirror_from_environment
from s3vae.progress import LOG


def fetch_files(stage: str, files: Sequence[RemoteFile], raw: Path) -> None:
    """Download files into `raw`; existing ones are only verified.

    An optional file that no source provides is skipped with a warning. Raises DownloadError for
    other files.
    """
    if not files:
        return
    mirror = mirror_from_environment()

    def fetch_one(file: RemoteFile) -> Path | None:
        try:
            return fetch(file, raw, mirror, attempts=1 if file.optional else ATTEMPTS)
        except DownloadError as error:
            if not file.optional:
                raise
            LOG.warning("%s continues without an optional file: %s", stage, error)
            return None

    map_shards(f"{stage}: files", fetch_one, files, name=lambda file: file.path, unit="files")
