"""What compose.yaml promises; the servers that it runs are tested by test_postgres.py."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    told: dict[str, Any] = YAML(typ="safe").load(ROOT / "compose.yaml")["services"]
    return told


def test_ports_are_open_to_this_machine_alone(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert sorted(ports) == ["127.0.0.1:4200:4200", "127.0.0.1:5000:5000"]


@pytest.mark.parametrize("service", ["mlflow", "prefect"])
def test_the_port_that_is_open_is_the_one_that_is_served(
    services: dict[str, Any], service: str
) -> None:
    (served,) = re.findall(r"--port (\d+)", services[service]["command"])
    (opened,) = services[service]["ports"]
    assert opened.split(":")[-1] == served


def test_the_password_comes_from_the_environment_and_must_be_there(
    services: dict[str, Any],
) -> None:
    environment = services["postgres"]["environment"]
    assert environment["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")
    logins = re.findall(r"s3vae:(.*?)@postgres", str(services))
    assert logins == ["${POSTGRES_PASSWORD}"] * 2


@pytest.mark.parametrize("service", ["mlflow", "prefect"])
def test_what_is_installed_has_its_version_from_the_constraints(
    services: dict[str, Any], service: str
) -> None:
    recipe = services[service]["build"]["dockerfile_inline"]
    (packages,) = re.findall(r"--constraint /constraints.txt (.*)$", recipe.replace("\\\n", ""))
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert service in packages.split()
    assert set(packages.split()) <= pinned
