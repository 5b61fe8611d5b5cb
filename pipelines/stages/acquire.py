"""Stage `acquire`: download what a data set needs and write its clips in the project's format."""

from pathlib import Path

from pipelines.checks import check_settings
from pipelines.cli import arguments
from pipelines.downloads import fetch_files
from pipelines.params import section
from pipelines.paths import RAW, Layout
from pipelines.runner import run_stage
from s3vae.data.clips import write_clips
from s3vae.data.datasets import DataSet
from s3vae.data.footage import named
from s3vae.data.media import files_below
from s3vae.progress import LOG, Progress


def acquire(name: str, dataset: DataSet, clips_path: Path, raw: Path) -> None:
    """Fetch the files of a data set into `raw` and write its clips."""
    fetch_files(f"acquire {name}", dataset.files, raw)

    def write() -> None:
        clips = dataset.clips(raw)
        with Progress(f"write {name}", clips.shape[0], "clips") as progress:
            write_clips(clips_path, clips, progress.advance)

    run_stage(f"write {name}", write)


def warn_of_links(name: str, folder: Path) -> None:
    """Log the linked folders below the user's folder, in which DVC notices no change."""
    above = {each for path in files_below(folder) for each in path.relative_to(folder).parents}
    if links := [each for each in sorted(above) if (folder / each).is_symlink() and each.parts]:
        LOG.warning(
            "DVC notices no change inside linked folders; after one: dvc repro -f acquire@%s%s",
            *(name, named(links)),
        )


def raw_folder(made_from: Path) -> Path:
    """Return the user's folder or file that clips are made from; RAW if it is project code."""
    is_code = (made_from / "__init__.py").exists() or made_from.suffix == ".py"
    return made_from if made_from.exists() and not is_code else RAW


if __name__ == "__main__":
    (chosen,) = arguments("dataset")
    # from params.yaml and not from the command line, where a shell would split it at blanks
    made_from = check_settings().datasets[chosen]
    settings: DataSet = section(DataSet, chosen, "data")  # type: ignore[arg-type]
    raw = raw_folder(Path(made_from))
    if raw != RAW:
        warn_of_links(chosen, raw)
    acquire(chosen, settings, Layout(chosen).clips, raw)
