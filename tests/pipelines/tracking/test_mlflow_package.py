"""The MLflow model's code and what it needs."""

import ast
import sys
from pathlib import Path

import pytest


@pytest.mark.filterwarnings("ignore:.*Any type hint:UserWarning")
def test_the_requirements_are_all_that_the_code_of_the_model_imports(tmp_path: Path) -> None:
    from pipelines.tracking.mlflow_package import REQUIREMENTS, copy_code

    copy_code(tmp_path)
    imported: set[str] = set()
    for file in tmp_path.rglob("*.py"):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.Import):
                imported |= {each.name.split(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
    needed = imported - set(sys.stdlib_module_names) - {"s3vae"}
    assert needed <= set(REQUIREMENTS)
