"""dvc.yaml against the code: a forgotten dependency is a stale result."""

import subprocess
import sys
from pathlib import Path

import grimp
import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
STAGES = {
    name: stage.get("do", stage)  # the body of a stage with many items
    for name, stage in YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"].items()
}
CODE = "${pipeline.code}"


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    built = grimp.build_graph("s3vae", "pipelines", cache_dir=None)
    built.remove_module("pipelines.checks")  # decides whether a stage runs, not what it writes
    return built


def files_of(module: str) -> Path | None:
    """The file of a module; a package has only a docstring."""
    path = ROOT / f"{module.replace('.', '/')}.py"
    return path if path.exists() else None


INFRASTRUCTURE = (
    *("s3vae.files", "s3vae.processes", "s3vae.progress", "s3vae.settings"),
    *("s3vae.data.download", "s3vae.data.fresh"),
)
"""Modules without influence on results, like all of pipelines/ but stages/ and reporting/."""


def code_of_result(stage: str, graph: grimp.ImportGraph) -> set[Path]:
    """All imported files with an influence on the result of a stage."""
    entry = f"pipelines.stages.{stage}"
    modules = graph.find_upstream_modules(entry) | {entry}
    if stage == "judge":  # it needs only the data set that is its item
        modules -= {m for m in modules if m.startswith("s3vae.data.")} | {"s3vae.grid"}
        modules |= {"s3vae.data.clips", "s3vae.data.rules"}
    if stage == "train":  # its preview changes no result
        modules = {m for m in modules if not m.startswith(("s3vae.evaluation.", "s3vae.judge."))}
    return {
        path
        for module in modules
        if module.startswith(("s3vae.", "pipelines.stages.", "pipelines.reporting."))
        and module not in INFRASTRUCTURE
        and (path := files_of(module))
    }


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_exactly_the_code_that_its_result_depends_on(
    stage: str, graph: grimp.ImportGraph
) -> None:
    declared = [ROOT / dep.removeprefix(CODE) for dep in STAGES[stage]["deps"] if CODE in dep]
    assert all(path.exists() for path in declared)
    needed = code_of_result(stage, graph)
    covered = {f for f in needed for dep in declared if f == dep or dep in f.parents}
    assert covered == needed
    idle = {dep for dep in declared if not any(f == dep or dep in f.parents for f in needed)}
    assert not idle


def test_the_report_declares_the_code_that_it_depends_on(graph: grimp.ImportGraph) -> None:
    stage = YAML(typ="safe").load(ROOT / "docs" / "dvc.yaml")["stages"]["report"]
    modules = graph.find_upstream_modules("pipelines.reporting.report")
    declared = {Path(dep) for dep in stage["deps"] if dep.startswith(("pipelines", "s3vae"))}
    for module in modules:
        if module.startswith("pipelines.reporting.") or module == "s3vae.evaluation.metrics":
            path = Path(f"{module.replace('.', '/')}.py")
            assert any(code == path or code in path.parents for code in declared), module


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_runs_the_module_of_its_name(stage: str) -> None:
    assert STAGES[stage]["cmd"].startswith(f"python -m pipelines.stages.{stage}")


def test_the_benchmark_is_the_same_dag_with_results_in_git() -> None:
    benchmark = ROOT / "benchmark" / "dvc.yaml"
    text = (ROOT / "dvc.yaml").read_text().replace("cache: true", "cache: false")
    assert benchmark.read_text() == text, "make benchmark/dvc.yaml"
    assert not benchmark.is_symlink()  # DVC follows no links in other commits


@pytest.mark.parametrize("stage", ["acquire", "flow", "landmarks", "table"])
def test_stages_without_a_model_need_neither_torch_nor_mlflow(
    stage: str, graph: grimp.ImportGraph
) -> None:
    imported = graph.find_upstream_modules(f"pipelines.stages.{stage}")
    heavy = {"s3vae.tensors", "s3vae.runtime", "pipelines.tracking.mlflow_run"}
    assert stage == "landmarks" or not imported & heavy  # detectors need torch when they run
    loaded = "print('torch' in sys.modules, 'mlflow' in sys.modules)"
    command = [sys.executable, "-c", f"import pipelines.stages.{stage}, sys; {loaded}"]
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert answer.split() == ["False", "False"]
