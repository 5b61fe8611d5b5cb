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


def test_ports_are_open_to_this_machine_alone(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert sorted(ports) == ["127.0.0.1:4200:4200", "127.0.0.1:5000:5000"]


@pytest.mark.parametrize("service", ["mlflow", "prefect"])
def test_the_open_port_is_the_one_of_the_server(services: dict[str, Any], service: str) -> None:
    (port,) = re.findall(r"--port (\d+)", services[service]["command"])
    (published,) = services[service]["ports"]
    assert published.split(":")[-1] == port


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
