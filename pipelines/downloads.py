"""Concurrent downloads of a data set's files, for the stages that read them."""

from collections.abc import Sequence
from pathlib import Path

from pipelines.runner import map_shards
from s3vae.data.download import ATTEMPTS, DownloadError, RemoteFile, fetch, mirror_from_environment
from s3vae.progress import LOG


def fetch_files(stage: str, files: Sequence[RemoteFile], raw: Path) -> None:
    """Fetch these files into `raw`; those that are present are only verified.

    An optional file that no source has is skipped with a warning. Raises DownloadError for others.
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
            LOG.warning("%s goes without it: %s", stage, error)
            return None

    map_shards(f"{stage}: files", fetch_one, files, name=lambda file: file.path, unit="files")
