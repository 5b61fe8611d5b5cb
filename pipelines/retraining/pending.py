"""Which results have been through the gate: others are promoted by the next run."""

from pipelines.io import write_text
from pipelines.params import Chosen
from pipelines.paths import CHECKPOINTS, Layout
from s3vae.files import checksum_of


def is_unsettled(chosen: Chosen) -> bool:
    """Whether a model was evaluated and no run came to promote it.

    By a run that ended early, by hand (`dvc repro`), or elsewhere (`dvc pull`).
    """
    found, note = evaluated(chosen), CHECKPOINTS / "settled" / chosen.name
    return bool(found) and not (note.exists() and note.read_text() == found)


def note_settled(chosen: Chosen) -> None:
    """Note that the results which are there have been through the gate."""
    write_text(CHECKPOINTS / "settled" / chosen.name, evaluated(chosen))


def evaluated(chosen: Chosen) -> str:
    """The checksums of the model's scores and of what they are scores of; nothing without these."""
    scores = Layout(chosen.dataset).scores(chosen.method)
    paths = (scores / "metrics.json", scores / "origin-evaluate.json")
    if not all(path.exists() for path in paths):
        return ""
    return " ".join(map(checksum_of, paths))
