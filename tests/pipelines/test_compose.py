"""The services of compose.yaml; test_postgres.py tests the servers that they run."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(YAML(typ="safe").load(ROOT / "compose.yaml")["services"])


def test_the_ports_of_the_servers_are_open_to_this_machine_alone(services: dict[str, Any]) -> None:
    opened = {name: each["ports"] for name, each in services.items() if "ports" in each}
    assert opened == {"mlflow": ["127.0.0.1:5000:5000"], "prefect": ["127.0.0.1:4200:4200"]}
    for service, (port,) in opened.items():
        served = re.findall(r"--port (\d+)", services[service]["command"])
        assert served == [port.split(":")[-1]]


def test_the_password_must_be_in_the_environment(services: dict[str, Any]) -> None:
    environment = services["postgres"]["environment"]
    assert environment["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")
    logins = re.findall(r"s3vae:(.*?)@postgres", str(services))
    assert logins == ["${POSTGRES_PASSWORD}"] * 2


@pytest.mark.parametrize("service", ["mlflow", "prefect"])
def test_packages_are_pinned_by_the_constraints(services: dict[str, Any], service: str) -> None:
    recipe = services[service]["build"]["dockerfile_inline"]
    (packages,) = re.findall(r"--constraint /constraints.txt (.*)$", recipe.replace("\\\n", ""))
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert service in packages.split()
    assert set(packages.split()) <= pinned
