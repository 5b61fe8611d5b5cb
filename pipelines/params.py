"""params.yaml: each stage reads its own section of it, as the settings that the section configures.

A stage so depends on no settings but its own. Sections are checked strictly: an unknown key or a
wrong type is refused by its place in the file.
"""

from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from ruamel.yaml import YAML

from s3vae.settings import STRICT

PARAMS = Path("params.yaml")
OF_DATASET = {"data", "flow", "landmarks", "judge", "evaluation", "methods"}

Settings = TypeVar("Settings")


@dataclass(frozen=True, config=STRICT)
class Chosen:
    """A method on a data set."""

    dataset: str
    method: str
    signal: Literal["flow", "landmarks"] = "flow"
    """The file of signals that it is trained beside: DVC's, for the deps of dvc.yaml."""
    reseeds: str | None = None
    """The method that it is, but for the seed of the training."""
    varies: str | None = None
    """The method that it is, but for one thing, at a short budget."""

    @property
    def name(self) -> str:
        """What the model is called: in params.yaml, by DVC and in MLflow's registry."""
        return f"{self.dataset}-{self.method}"


def _named_by_content(models: dict[str, Chosen]) -> dict[str, Chosen]:
    for name, chosen in models.items():
        if name != chosen.name:
            msg = f"{name} is {chosen.method} on {chosen.dataset}: name it {chosen.name}"
            raise ValueError(msg)
    return models


@dataclass(frozen=True, config=STRICT)
class Pipeline:
    """What `dvc repro` runs: which data sets are made and judged, and which models trained."""

    datasets: dict[str, str]
    """Each with what its clips are made from: the module that draws or downloads them, or a folder
    of the user's own. DVC makes the clips again when that changes."""
    models: Annotated[dict[str, Chosen], AfterValidator(_named_by_content)]
    """Each by the name that DVC knows its stages by: DATASET-METHOD."""
    code: str
    """The way from the folder of params.yaml to the code: DVC's, for the deps of dvc.yaml."""
    faces: list[str] = field(default_factory=list)
    """Those of the data sets whose landmarks are found."""


class ParamsError(ValueError):
    """params.yaml lacks something, or says something that no setting takes."""


def section(kind: type[Settings], *keys: str, path: Path = PARAMS) -> Settings:
    """The section under these keys as settings of this kind. Raises ParamsError with key and rule.

    The file is YAML 1.2, DVC's own dialect: 1e-3 is a number in it.
    """
    if not path.exists():
        msg = f"{path} is not in this folder: run from the folder that holds dvc.yaml"
        raise ParamsError(msg)
    content: Any = YAML(typ="safe").load(path)
    refuse_unknown(path, content)
    for depth, key in enumerate(keys):
        if not isinstance(content, dict) or key not in content:
            place, known = ".".join(keys[:depth]) or "the file", sorted(content or {})
            msg = f"{path}: {place} has no {key!r}, only {', '.join(known)}"
            raise ParamsError(msg)
        content = content[key]
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        faults = (f"  {place_of(fault['loc'], keys)}: {fault['msg']}" for fault in error.errors())
        raise ParamsError("\n".join([f"{path} does not fit:", *faults])) from error


def place_of(found: tuple[str | int, ...], keys: tuple[str, ...]) -> str:
    """Where in the file a fault is: kinds that settings are told apart by are no keys of it."""
    told = [str(part) for part in found]
    return ".".join([*keys, *(part for part in told if not part.startswith("<"))])


def refuse_unknown(path: Path, content: Any) -> None:
    """Raise ParamsError for a section that no stage reads, or that is none."""
    content = mapping(path, "the file", content)
    unknown = [key for key in content if key not in ("pipeline", "datasets")]
    for name, dataset in mapping(path, "datasets", content.get("datasets", {})).items():
        dataset = mapping(path, f"datasets.{name}", dataset)
        unknown += [f"datasets.{name}.{key}" for key in dataset if key not in OF_DATASET]
    if unknown:
        msg = f"{path} has sections that nothing reads: {', '.join(unknown)}"
        raise ParamsError(msg)


def mapping(path: Path, place: str, content: Any) -> dict[str, Any]:
    """The content as sections by name. Raises ParamsError if it is anything else."""
    if not isinstance(content, dict):
        msg = f"{path}: {place} must hold named sections, not {content!r}"
        raise ParamsError(msg)
    return content
