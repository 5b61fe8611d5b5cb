"""params.yaml says what runs; configs/<data set>.yaml holds the settings, one section per stage.

A stage uses its own section only, so it depends on no other settings; long ones first check all
(checks.py). Sections are checked strictly: an unknown key or a wrong type is refused by its place
in the file.
"""

import json
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipelines.io import read_yaml
from s3vae.settings import STRICT

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

PARAMS = Path("params.yaml")
SECTIONS = {"data", "flow", "landmarks", "judge", "evaluation", "methods"}
"""Of the settings of a data set."""

Settings = TypeVar("Settings")


@dataclass(frozen=True, config=STRICT)
class Chosen:
    """A method on a data set."""

    dataset: str
    method: str
    reseeds: str | None = None
    """The method that it repeats with another training seed."""
    varies: str | None = None
    """The method that it is an ablation of, at a short budget."""

    @property
    def name(self) -> str:
        """The model's name in params.yaml, in DVC and in MLflow's registry."""
        return f"{self.dataset}-{self.method}"


def _named_by_content(models: dict[str, Chosen]) -> dict[str, Chosen]:
    for name, chosen in models.items():
        if name != chosen.name:
            msg = f"{name} is {chosen.method} on {chosen.dataset}: name it {chosen.name}"
            raise ValueError(msg)
    return models


@dataclass(frozen=True, config=STRICT)
class Pipeline:
    """What `dvc repro` makes: data sets with their judges, and models."""

    datasets: dict[str, str]
    """Each with what its clips are made from: code of the project, or a folder of videos. DVC makes
    the clips again when that changes."""
    models: Annotated[dict[str, Chosen], AfterValidator(_named_by_content)]
    """Each by the name that DVC knows its stages by: DATASET-METHOD."""
    code: str
    """The path from the folder of params.yaml to code and configs: empty, or ending in /."""
    faces: list[str] = field(default_factory=list)
    """The data sets whose facial landmarks are extracted."""


class ParamsError(ValueError):
    """A settings file lacks something, or says something that no setting takes."""


def read_pipeline(folder: Path = Path()) -> Pipeline:
    """Return what the params.yaml of a folder asks for. Raises ParamsError."""
    path = folder / PARAMS
    if not path.exists():
        msg = f"{path} is not in this folder: run from the folder that holds dvc.yaml"
        raise ParamsError(msg)
    content = _sections(path, {"pipeline"})
    return _checked(Pipeline, path, content, ("pipeline",))


def section(kind: type[Settings], dataset: str, *keys: str, folder: Path = Path()) -> Settings:
    """Return the section of a data set's settings under these keys. Raises ParamsError.

    The file is YAML 1.2, DVC's own dialect: 1e-3 is a number in it.
    """
    path = config_of(dataset, folder)
    if not path.exists():
        msg = (
            f"{path} is not there, and it must hold the settings of the data set {dataset}: copy "
            "one of the files beside it (videos.yaml for videos of your own)"
        )
        raise ParamsError(msg)
    return _checked(kind, path, _sections(path, SECTIONS), keys)


def config_of(dataset: str, folder: Path = Path()) -> Path:
    """Return the file with the settings of a data set."""
    return folder / read_pipeline(folder).code / "configs" / f"{dataset}.yaml"


def write_settings(folder: Path, content: dict[str, Any]) -> None:
    """Write a `pipeline` as params.yaml, and each of the `datasets` as a config, in a folder."""
    (folder / "configs").mkdir(exist_ok=True)
    YAML().dump({"pipeline": content["pipeline"]}, folder / PARAMS)
    for name, settings in content["datasets"].items():
        YAML().dump(settings, folder / "configs" / f"{name}.yaml")


def _checked(kind: type[Settings], path: Path, content: Any, keys: tuple[str, ...]) -> Settings:
    """Return the settings under these keys. Raises ParamsError that names the key and the rule."""
    for depth, key in enumerate(keys):
        if not isinstance(content, dict) or key not in content:
            place = ".".join(keys[:depth]) or "the file"
            known = ", ".join(sorted(content or {})) or "nothing"
            msg = f"{path}: {place} has no {key!r}, only {known}: correct the name, or add it"
            raise ParamsError(msg)
        content = content[key]
    try:
        settings = TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        faults = [f"{_place(each, keys, content)}: {_rule(each)}" for each in error.errors()]
    else:
        faults = [*_converted(content, settings, ".".join(keys))]
        if not faults:
            return settings
    raise ParamsError("\n  ".join([f"{path} does not fit:", *faults]))


def _place(fault: "ErrorDetails", keys: tuple[str, ...], content: Any) -> str:
    """Return the keys of a fault in the file; tags of kinds of settings are none."""
    parts = [*keys]
    for part in fault["loc"]:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            about_key = fault["type"].startswith(("missing", "unexpected"))
            if not about_key or part != fault["loc"][-1]:
                continue
        parts.append(str(part))
    return ".".join(parts)


def _rule(fault: "ErrorDetails") -> str:
    """Return what a setting must be, in the words of this project."""
    if fault["type"] == "unexpected_keyword_argument":
        return "there is no such setting: correct or remove it"
    if fault["type"] == "union_tag_invalid":
        context = fault["ctx"]
        return f"{context['discriminator']} must be one of {context['expected_tags']}"
    return fault["msg"].removeprefix("Value error, ")


def _converted(content: Any, used: Any, place: str) -> Iterator[str]:
    """Yield a fault for text that was read as a number or switch, and for one read as the other."""
    if isinstance(content, dict):
        for key, value in content.items():
            inner = used.get(key) if isinstance(used, dict) else getattr(used, str(key), None)
            yield from _converted(value, inner, f"{place}.{key}")
    elif isinstance(content, list) and isinstance(used, list | tuple):
        for k, (value, inner) in enumerate(zip(content, used, strict=False)):
            yield from _converted(value, inner, f"{place}.{k}")
    elif isinstance(used, int | float) and (
        isinstance(content, str) or isinstance(content, bool) != isinstance(used, bool)
    ):
        yield f"{place}: write {json.dumps(used)} if you mean that, instead of {content!r}"


def _sections(path: Path, known: set[str]) -> dict[str, Any]:
    """Return a file's sections. Raises ParamsError if it is not YAML or has others than `known`."""
    try:
        content = read_yaml(path)
    except YAMLError as error:
        msg = f"{path} is not YAML: {error}"
        raise ParamsError(msg) from error
    if not isinstance(content, dict):
        what = "is empty" if content is None else f"has no sections, but {content!r}"
        raise ParamsError(f"{path} {what}: it holds some of {', '.join(sorted(known))}")
    unknown = sorted(set(content) - known)
    if unknown:
        msg = f"{path} has sections that no stage reads: {', '.join(unknown)}"
        raise ParamsError(msg)
    return content
