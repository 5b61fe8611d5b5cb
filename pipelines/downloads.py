"""The files of a data set, fetched side by side: for the stages that read them."""

from collections.abc import Sequence
from pathlib import Path

from pipelines.runner import map_shards
from s3vae.data.download import ATTEMPTS, DownloadError, RemoteFile, fetch, mirror_from_environment
from s3vae.progress import LOG


def fetch_files(stage: str, files: Sequence[RemoteFile], raw: Path) -> None:
    """Fetch these into `raw`; what is there is only checked. Raises DownloadError.

    What is optional and not to be had is left out, with a warning.
    """
    if not files:
        return
    mirror = mirror_from_environment()

    def fetch_one(file: RemoteFile) -> Path | None:
        try:
            # what may be missing is not worth long patience
            return fetch(file, raw, mirror, attempts=1 if file.optional else ATTEMPTS)
        except DownloadError as error:
            if not file.optional:
                raise
            LOG.warning("%s goes without it: %s", stage, error)
            return None

    map_shards(f"{stage}: files", fetch_one, files, name=lambda file: file.path, unit="files")
