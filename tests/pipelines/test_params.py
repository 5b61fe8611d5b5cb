"""params.yaml: every stage reads its own section, and what it does not understand it refuses."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipelines.params import Chosen, Pipeline, section
from pipelines.stages.train import require_tracked
from s3vae.data.datasets import DataSet
from s3vae.data.videos import Videos
from s3vae.engine.schedule import TrainingSettings
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.judge.settings import JudgeStage
from s3vae.signals.detectors import Dlib, LandmarkSettings
from s3vae.signals.flow_grid import MotionSettings
from s3vae.training.method import AnyMethod, Method

ROOT = Path(__file__).parents[2]

WHOLE = """
pipeline:
  datasets: {toy: toy.py}
  models:
    toy-ours: {dataset: toy, method: ours}
  code: ./
datasets:
  toy:
    evaluation: {sampling_seeds: [4, 5]}
    methods:
      ours:
        architecture: {preset: fast, static: 5}
        losses: {preset: ours, weights: {static_kl: 2}}
        training: {steps: 3, learning_rate: 1e-3}
"""
METHOD = ("datasets", "toy", "methods", "ours")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(WHOLE)
    return path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_section_is_read_as_the_settings_it_configures(path: Path) -> None:
    assert section(Pipeline, "pipeline", path=path) == Pipeline(
        {"toy": "toy.py"}, {"toy-ours": Chosen("toy", "ours")}, "./"
    )
    found = section(EvaluationSettings, "datasets", "toy", "evaluation", path=path)
    assert found == EvaluationSettings(sampling_seeds=(4, 5))
    method = section(Method, *METHOD, path=path)
    assert (method.architecture.static, method.losses.weights.static_kl) == (5, 2)


def test_a_model_is_named_after_its_data_set_and_method(path: Path) -> None:
    change(path, "toy-ours:", "ours-toy:")
    with pytest.raises(ValueError, match=r"pipeline\.models.*name it toy-ours"):
        section(Pipeline, "pipeline", path=path)


def test_1e_3_is_a_number(path: Path) -> None:
    assert section(Method, *METHOD, path=path).training.learning_rate == 0.001


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("static: 5", "colour: 5", r"methods\.ours\.architecture\.colour"),
        ("static: 5", "static: -5", r"methods\.ours\.architecture\.static"),
        ("static_kl: 2", "sharpness: 2", r"methods\.ours\.losses\.(weights\.)?sharpness"),
        ("preset: ours,", "preset: ours, margins: 2,", r"methods\.ours\.losses\.margins"),
        ("steps: 3", "epochs: 3", r"methods\.ours\.training\.epochs"),
        ("steps: 3", "steps: many", r"methods\.ours\.training\.steps"),
        ("steps: 3", "steps: 2.5", r"methods\.ours\.training\.steps"),
        ("preset: fast", "preset: enormous", r"methods\.ours\.architecture.*"),
        ("preset: fast, ", "", r"methods\.ours\.architecture.*preset"),
    ],
)
def test_what_no_setting_takes_is_refused_by_its_place(
    path: Path, old: str, new: str, place: str
) -> None:
    change(path, old, new)
    with pytest.raises(ValueError, match=rf"params\.yaml does not fit:\n(.*\n)*.*{place}"):
        section(AnyMethod, *METHOD, path=path)


@pytest.mark.parametrize("content", ["null", "3", "[]", "word"])
def test_a_method_that_is_none_is_refused_by_its_place(path: Path, content: str) -> None:
    text = path.read_text()
    path.write_text(text[: text.index("      ours:")] + f"      ours: {content}\n")
    with pytest.raises(ValueError, match=r"does not fit:\n  datasets\.toy\.methods\.ours: "):
        section(AnyMethod, *METHOD, path=path)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (("pipelines",), "the file has no 'pipelines', only datasets, pipeline"),
        (("datasets", "mnist"), "datasets has no 'mnist', only toy"),
        (("datasets", "toy", "flow"), "datasets.toy has no 'flow', only evaluation, methods"),
        (("datasets", "toy", "methods", "his"), "datasets.toy.methods has no 'his', only ours"),
    ],
)
def test_a_missing_section_is_missed_with_those_that_there_are(
    path: Path, keys: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        section(TrainingSettings, *keys, path=path)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("pipeline:", "extra: 1\npipeline:", "extra"),
        ("    evaluation:", "    evalution:", r"datasets\.toy\.evalution"),
    ],
)
def test_a_section_that_nothing_reads_is_refused_by_its_place(
    path: Path, old: str, new: str, place: str
) -> None:
    change(path, old, new)
    with pytest.raises(ValueError, match=f"nothing reads: {place}"):
        section(Pipeline, "pipeline", path=path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing yet\n",
        "- a list\n",
        "datasets:\n",
        "datasets: {toy: }\n",
        "datasets: {toy: 3}",
    ],
)
def test_a_file_without_sections_is_refused_by_name_and_not_with_a_riddle(
    path: Path, text: str
) -> None:
    path.write_text(text)
    with pytest.raises(ValueError, match=r"params\.yaml"):
        section(Pipeline, "pipeline", path=path)


def test_a_file_that_is_not_there_is_missed_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"params\.yaml is not in this folder: run from"):
        section(Pipeline, "pipeline", path=tmp_path / "params.yaml")


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("params.yaml")) + sorted(ROOT.glob("benchmark/params.yaml")), ids=str
)
def test_every_method_that_the_project_names_is_understood(path: Path) -> None:
    named = section(Pipeline, "pipeline", path=path)
    for dataset in named.datasets:
        section(EvaluationSettings, "datasets", dataset, "evaluation", path=path)
    for chosen in named.models.values():
        keys = ("datasets", chosen.dataset, "methods", chosen.method)
        assert section(AnyMethod, *keys, path=path)  # type: ignore[arg-type]


def test_three_lines_of_the_project_s_file_lead_from_a_folder_to_a_model(tmp_path: Path) -> None:
    text, path = (ROOT / "params.yaml").read_text(), tmp_path / "params.yaml"
    assert text.count("# mine") == 3
    path.write_text(text.replace("# mine", "mine"))
    named = section(Pipeline, "pipeline", path=path)
    assert named.datasets["mine"] == "path/to/my/videos"
    chosen = named.models["mine-s3vae-plus"]
    keys = ("datasets", chosen.dataset)
    assert section(DataSet, *keys, "data", path=path) == Videos()  # type: ignore[arg-type]
    assert section(AnyMethod, *keys, "methods", chosen.method, path=path)  # type: ignore[arg-type]
    for kind, name in ((MotionSettings, "flow"), (JudgeStage, "judge")):
        assert section(kind, *keys, name, path=path)


def test_the_lines_for_faces_of_one_s_own_are_understood(tmp_path: Path) -> None:
    page, text = (ROOT / "docs/data.md").read_text(), (ROOT / "params.yaml").read_text()
    lines = YAML(typ="safe").load(
        "face-videos: &face-videos {}\n"
        + page.split("### Faces of your own")[1].split("```")[1][4:]
    )
    chosen = Chosen(**lines["pipeline"]["models"]["mine-s3vae"])
    assert lines["pipeline"]["faces"] == ["mine"]
    path = tmp_path / "params.yaml"
    path.write_text(f"{text}\n  mine: *face-videos\n")
    keys = ("datasets", "mine")
    assert section(DataSet, *keys, "data", path=path) == Videos(crop="face")  # type: ignore[arg-type]
    assert section(LandmarkSettings, *keys, "landmarks", path=path).backend == Dlib()
    asked = section(AnyMethod, *keys, "methods", chosen.method, path=path)  # type: ignore[arg-type]
    require_tracked(chosen, asked)
