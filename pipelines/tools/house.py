"""`make check-house`: sizes of the code and the docs beside their bars."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

BARS = {
    "source lines": 10_500,
    "test lines": 10_500,
    "lines of dvc.yaml, params and configs": 560,
    "words of docs, README and CHANGELOG": 17_000,
    "files over 250 lines": 0,
    "functions over 40 lines": 0,
    "words of the old dialect in names": 0,
}
DIALECT = re.compile(r"\btold\b|\w*price\w*|\b(?:kept|leak)\b|\b(?:kept|leak)_\w+")
"""Names of variables, settings and metrics that the glossary replaced."""


def tracked(*patterns: str) -> list[Path]:
    """Return the files of the repository that match, as git knows them."""
    command = ["git", "ls-files", "--", *patterns]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")
    return [Path(name) for name in names if name and Path(name).is_file()]


def lines(files: list[Path]) -> int:
    """Return the number of lines of these files."""
    return sum(len(file.read_text().splitlines()) for file in files)


def names(code: list[ast.AST]) -> Iterator[str]:
    """Yield the names of variables, arguments and attributes in parsed code."""
    for node in code:
        for field in ("id", "arg", "attr"):
            if isinstance(name := getattr(node, field, None), str):
                yield name


def measures() -> dict[str, int]:
    """Return every measure by name."""
    source = tracked("s3vae/*.py", "pipelines/*.py")
    docs = [p for p in tracked("docs/*.md", "README.md", "CHANGELOG.md") if "notes" not in p.parts]
    settings = tracked("*dvc.yaml", "*params.yaml", "configs/*.yaml")
    code = [node for file in source for node in ast.walk(ast.parse(file.read_text()))]
    functions = [each for each in code if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    keys = re.findall(r"^\s*([\w-]+):", "\n".join(p.read_text() for p in settings), re.MULTILINE)
    return {
        "source lines": lines(source),
        "test lines": lines(tracked("tests/*.py")),
        "lines of dvc.yaml, params and configs": lines(settings),
        "words of docs, README and CHANGELOG": sum(len(p.read_text().split()) for p in docs),
        "files over 250 lines": sum(lines([file]) > 250 for file in source),
        "functions over 40 lines": sum(
            (each.end_lineno or 0) - each.lineno >= 40 for each in functions
        ),
        "words of the old dialect in names": sum(
            bool(DIALECT.fullmatch(name)) for name in [*names(code), *keys]
        ),
    }


if __name__ == "__main__":
    found = measures()
    for name, bar in BARS.items():
        verdict = "met" if found[name] <= bar else "over"
        sys.stdout.write(f"{name:40} {found[name]:7} of at most {bar:7}  {verdict}\n")
