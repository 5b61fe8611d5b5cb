"""Stage `acquire`: download what a data set needs and write its clips in the project's format."""

from pathlib import Path

from pipelines.entry import arguments
from pipelines.layout import RAW, Layout
from pipelines.params import section
from pipelines.runner import map_shards, run_stage
from s3vae.data.clips import write_clips
from s3vae.data.datasets import DataSet
from s3vae.data.download import ATTEMPTS, DownloadError, RemoteFile, fetch, mirror_from_environment
from s3vae.progress import LOG, Progress


def acquire(name: str, dataset: DataSet, clips_path: Path, raw: Path) -> None:
    """Fetch the files of a data set into `raw` and write its clips."""
    fetch_files(name, dataset, raw)

    def write() -> None:
        clips = dataset.clips(raw)
        with Progress(f"write {name}", clips.shape[0], "clips") as progress:
            write_clips(clips_path, clips, progress.advance)

    run_stage(f"write {name}", write)


def fetch_files(name: str, dataset: DataSet, raw: Path) -> None:
    """Fetch the files of a data set into `raw`; those that are there are only checked."""
    if not dataset.files:
        return
    mirror = mirror_from_environment()

    def fetch_one(file: RemoteFile) -> Path | None:
        try:
            # what may be missing is not worth long patience
            return fetch(file, raw, mirror, attempts=1 if file.optional else ATTEMPTS)
        except DownloadError as error:
            if not file.optional:
                raise
            LOG.warning("%s goes without it: %s", name, error)
            return None

    map_shards(
        f"acquire {name}", fetch_one, dataset.files, name=lambda file: file.path, unit="files"
    )


if __name__ == "__main__":
    (chosen,) = arguments("dataset")
    asked: DataSet = section(DataSet, "datasets", chosen, "data")  # type: ignore[arg-type]
    acquire(chosen, asked, Layout(chosen).clips, RAW)
