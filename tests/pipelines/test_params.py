"""params.yaml and configs/: a stage reads its own section, and an unknown key is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipelines.params import Chosen, ParamsError, Pipeline, read_pipeline, section
from s3vae.data.datasets import DataSet
from s3vae.data.videos import Videos
from s3vae.engine.schedule import TrainingSettings
from s3vae.evaluation.settings import EvaluationSettings
from s3vae.judge.settings import JudgeSettings, JudgeStage
from s3vae.signals.detectors import Dlib, LandmarkSettings
from s3vae.signals.flow_grid import MotionSettings
from s3vae.training.method import AnyMethod, Method

ROOT = Path(__file__).parents[2]
PIPELINE = """
pipeline:
  datasets: {toy: toy.py}
  models:
    toy-ours: {dataset: toy, method: ours}
  code: ''
"""
CONFIG = """
evaluation: {sampling_seeds: [4, 5]}
methods:
  ours:
    architecture: {preset: fast, static: 5}
    losses: {preset: ours, weights: {static_kl: 2}}
    training: {steps: 3, learning_rate: 1e-3}
"""
METHOD = ("toy", "methods", "ours")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / "params.yaml").write_text(PIPELINE)
    (tmp_path / "configs" / "toy.yaml").write_text(CONFIG)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_section_is_read_as_the_settings_it_configures(folder: Path) -> None:
    assert read_pipeline(folder) == Pipeline(
        {"toy": "toy.py"}, {"toy-ours": Chosen("toy", "ours")}, ""
    )
    evaluation = section(EvaluationSettings, "toy", "evaluation", folder=folder)
    assert evaluation == EvaluationSettings(sampling_seeds=(4, 5))
    method = section(Method, *METHOD, folder=folder)
    assert (method.architecture.static, method.losses.weights.static_kl) == (5, 2)
    assert method.training.learning_rate == 0.001  # a string to a YAML 1.1 parser


def test_a_model_is_named_after_its_data_set_and_method(folder: Path) -> None:
    change(folder / "params.yaml", "toy-ours:", "ours-toy:")
    with pytest.raises(ParamsError, match=r"pipeline\.models.*name it toy-ours"):
        read_pipeline(folder)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("static: 5", "colour: 5", r"methods\.ours\.architecture\.colour"),
        ("static_kl: 2", "sharpness: 2", r"methods\.ours\.losses\.(weights\.)?sharpness"),
        ("steps: 3", "steps: many", r"methods\.ours\.training\.steps"),
        ("preset: fast, ", "", r"methods\.ours\.architecture.*preset"),
        ("steps: 3", "steps: true", r"methods\.ours\.training\.steps: write 1 .* instead of True"),
        ("steps: 3", "steps: 3, muon: 1", r"methods\.ours\.training\.muon: write true "),
        ("1e-3", "'1e-3'", r"methods\.ours\.training\.learning_rate: write 0\.001 if you mean"),
        ("static: 5", "static: '5'", r"methods\.ours\.architecture\.static: write 5 if you mean"),
    ],
)
def test_an_unknown_key_or_a_wrong_value_is_refused_with_its_place(
    folder: Path, old: str, new: str, place: str
) -> None:
    change(folder / "configs" / "toy.yaml", old, new)
    with pytest.raises(ParamsError, match=rf"toy\.yaml does not fit:\n(.*\n)*.*{place}"):
        section(AnyMethod, *METHOD, folder=folder)


@pytest.mark.parametrize(
    ("text", "kind", "place"),
    [
        ("data: {kind: videos, cut: {tyme: 3}}", DataSet, r"data\.cut\.tyme: "),
        ("flow: {method: {kind: farneback, window: x}}", MotionSettings, r"flow\.method\.window: "),
        ("landmarks: {backend: {kind: dlib, enlarge: 0}}", LandmarkSettings, r"\w+\.backend\.enl"),
        ("judge: {network: {}}", JudgeStage, r"judge\.training: .* required"),
        *(
            (f"methods: {{ours: {content}}}", AnyMethod, r"methods\.ours: ")
            for content in ("null", "3", "[]", "word")
        ),
    ],
)
def test_a_fault_has_the_keys_that_are_in_the_file(
    folder: Path, text: str, kind: type, place: str
) -> None:
    (folder / "configs" / "toy.yaml").write_text(text)
    keys = METHOD if text.startswith("methods") else ("toy", text.partition(":")[0])
    with pytest.raises(ParamsError, match=rf"does not fit:\n  {place}"):
        section(kind, *keys, folder=folder)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (("toy", "flow"), "the file has no 'flow', only evaluation, methods"),
        (("toy", "methods", "his"), "methods has no 'his', only ours"),
        (("mnist", "flow"), r"mnist\.yaml is not there.* copy"),
    ],
)
def test_a_missing_section_is_refused_with_the_existing_ones(
    folder: Path, keys: tuple[str, str], message: str
) -> None:
    with pytest.raises(ParamsError, match=message):
        section(TrainingSettings, *keys, folder=folder)


def test_a_section_that_no_stage_reads_is_refused_by_name(folder: Path) -> None:
    change(folder / "configs" / "toy.yaml", "evaluation:", "evalution:")
    with pytest.raises(ParamsError, match="no stage reads: evalution"):
        section(AnyMethod, *METHOD, folder=folder)
    change(folder / "params.yaml", "pipeline:", "extra: 1\npipeline:")
    with pytest.raises(ParamsError, match="no stage reads: extra"):
        read_pipeline(folder)


@pytest.mark.parametrize("text", ["", "- a list\n", "3", "pipeline:\n"])
def test_a_missing_params_file_or_one_without_sections_is_refused_by_name(
    folder: Path, text: str
) -> None:
    (folder / "params.yaml").write_text(text)
    with pytest.raises(ParamsError, match=r"params\.yaml"):
        read_pipeline(folder)
    (folder / "params.yaml").unlink()
    with pytest.raises(ParamsError, match=r"params\.yaml is not in this folder: run from"):
        read_pipeline(folder)


def test_two_lines_and_a_copied_config_add_a_folder_of_videos(folder: Path) -> None:
    text = (ROOT / "params.yaml").read_text()
    assert text.count("# mine") == 2
    (folder / "params.yaml").write_text(text.replace("# mine", "mine"))
    named = read_pipeline(folder)
    assert named.datasets["mine"] == "path/to/my/videos"
    method = named.models["mine-s3vae-plus"].method
    few = Videos(least_train_clips=800)
    faces = replace(few, crop="face")
    for config, data in (("videos.yaml", few), ("face-videos.yaml", faces)):
        (folder / "configs" / "mine.yaml").write_text((ROOT / "configs" / config).read_text())
        assert section(DataSet, "mine", "data", folder=folder) == data  # type: ignore[arg-type]
        settings = section(Method, "mine", "methods", method, folder=folder)
        assert (settings.losses.signal == "distances") == (config == "face-videos.yaml")
    assert section(LandmarkSettings, "mine", "landmarks", folder=folder).backend == Dlib()


def test_variants_of_dsprites_have_its_methods_and_differ_in_dependence() -> None:
    plain, *others = (
        YAML(typ="safe").load(ROOT / "configs" / f"{name}.yaml")
        for name in ("dsprites", "dsprites-dependent-50", "dsprites-dependent-90")
    )
    compared = {k: each for k, each in plain["methods"].items() if not k.startswith("without-")}
    for strength, other in zip((0.5, 0.9), others, strict=True):
        assert other["data"] == {**plain["data"], "dependence": strength}
        assert other["judge"] == {**plain["judge"], "fresh": True}
        assert other["methods"] == compared


@pytest.mark.parametrize("of_models", [{"patience": 2}, {"accelerated": True}])
def test_a_judge_refuses_settings_of_models(of_models: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a judge ends by `judge"):
        JudgeStage(JudgeSettings(), TrainingSettings(steps=4, **of_models))
