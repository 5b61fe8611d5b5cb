"""dvc.yaml against the code: a forgotten dependency is a stale result."""

import subprocess
import sys
from pathlib import Path

import grimp
import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
STAGES = {
    name: stage.get("do", stage)  # what a stage does for each of many models
    for name, stage in YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"].items()
}
CODE = "${pipeline.code}/"


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("s3vae", "pipelines", cache_dir=None)


def files_of(module: str) -> Path | None:
    """The file of a module; packages hold no code but a docstring."""
    path = ROOT / f"{module.replace('.', '/')}.py"
    return path if path.exists() else None


def declared(stage: str) -> set[Path]:
    """All Python files that a stage declares, its folders spelt out."""
    paths = [ROOT / dep.removeprefix(CODE) for dep in STAGES[stage]["deps"] if CODE in dep]
    assert all(path.exists() for path in paths)
    files = {file for path in paths if path.is_dir() for file in path.glob("*.py")}
    return {f for f in files | {p for p in paths if p.is_file()} if f.name != "__init__.py"}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_just_the_code_that_it_imports(
    stage: str, graph: grimp.ImportGraph
) -> None:
    entry = f"pipelines.stages.{stage}"
    modules = graph.find_upstream_modules(entry) | {entry}
    assert declared(stage) == {path for module in modules if (path := files_of(module))}


def test_the_report_declares_just_the_code_that_it_imports(graph: grimp.ImportGraph) -> None:
    stage = YAML(typ="safe").load(ROOT / "docs" / "dvc.yaml")["stages"]["report"]
    modules = graph.find_upstream_modules("pipelines.reporting.report") | {
        "pipelines.reporting.report"
    }
    assert {ROOT / dep for dep in stage["deps"] if dep.endswith(".py")} == {
        path for module in modules if (path := files_of(module))
    }


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_runs_the_module_of_its_name(stage: str) -> None:
    assert STAGES[stage]["cmd"].startswith(f"python -m pipelines.stages.{stage}")


def test_the_benchmark_is_the_same_dag() -> None:
    benchmark = ROOT / "benchmark" / "dvc.yaml"
    assert benchmark.read_bytes() == (ROOT / "dvc.yaml").read_bytes(), "make benchmark/dvc.yaml"
    assert not benchmark.is_symlink()  # DVC reads other commits' files, but follows no link there


@pytest.mark.parametrize("stage", ["acquire", "flow", "table"])
def test_stages_without_a_model_need_neither_torch_nor_mlflow(
    stage: str, graph: grimp.ImportGraph
) -> None:
    assert not graph.find_upstream_modules(f"pipelines.stages.{stage}") & {
        "s3vae.tensors",
        "s3vae.runtime",
        "pipelines.tracking.mlflow_run",
    }


@pytest.mark.parametrize("stage", ["acquire", "flow", "landmarks", "table"])
def test_starting_a_stage_without_a_model_imports_neither(stage: str) -> None:
    loaded = "print('torch' in sys.modules, 'mlflow' in sys.modules)"
    started = f"import pipelines.stages.{stage}, sys; {loaded}"
    command = [sys.executable, "-c", started]
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert answer.split() == ["False", "False"]
