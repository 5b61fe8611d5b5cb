"""Find the Prefect server that records runs, without importing Prefect."""

import os
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SECONDS_TO_ANSWER = 0.25
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def server() -> str | None:
    """Return the URL of the Prefect API if a server answers there, else None."""
    spare_loopback()
    url = server_url()
    return url if url is not None and _is_healthy(url) else None


def spare_loopback() -> None:
    """Exempt servers on this machine from a proxy that the environment names, if it names one."""
    if urllib.request.getproxies_environment().keys() - {"no"}:
        exempt = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
        hosts = dict.fromkeys([*filter(None, exempt.split(",")), *LOOPBACK])
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(hosts)


def configure_prefect() -> bool:
    """Set Prefect's environment variables and return True if a server answers.

    Otherwise return False and leave the environment unchanged. Call it before importing Prefect.
    """
    url = server()
    if url is None:
        return False
    os.environ.setdefault("PREFECT_API_URL", url)
    os.environ.setdefault("PREFECT_HOME", str(ROOT / ".prefect"))
    os.environ.setdefault("PREFECT_LOGGING_EXTRA_LOGGERS", "s3vae")
    os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    return True


def server_url() -> str | None:
    """Read the URL from `PREFECT_API_URL`, else prefect.toml, else the profile in `.prefect`."""
    settings = _toml(ROOT / "prefect.toml")
    profiles = _toml(Path(os.environ.get("PREFECT_HOME", ROOT / ".prefect")) / "profiles.toml")
    active = profiles.get("profiles", {}).get(profiles.get("active", ""), {})
    return (
        os.environ.get("PREFECT_API_URL")
        or settings.get("api", {}).get("url")
        or active.get("PREFECT_API_URL")
    )


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _is_healthy(url: str) -> bool:
    """Return whether the API reports its health; another program on the port would not."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=SECONDS_TO_ANSWER) as reply:
            return bool(reply.read(16).strip() == b"true")
    except (OSError, ValueError):
        return False
