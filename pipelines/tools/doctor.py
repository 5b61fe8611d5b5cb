"""`python -m pipelines.tools.doctor`: the faults of this installation and their remedies.

Faults that would stop a retraining are `wrong`, others a `note`. The flow checks the same first.
"""

import fcntl
import os
import shutil
import sys
import urllib.request
from collections.abc import Iterator
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal, NamedTuple

from packaging.requirements import Requirement

from pipelines.checks import check_settings
from pipelines.dvc_lock import at_work
from pipelines.params import ParamsError, read_pipeline, section
from pipelines.paths import RAW
from pipelines.prefect_server import server as answering_server
from pipelines.prefect_server import spare_loopback
from pipelines.tracking.environment import git as ask_git
from pipelines.tracking.mlflow_run import tracking_is_off
from pipelines.tracking.store import Store, database_file, store_uri, without_logins

LEAST_FREE = 2.0
"""GiB on the disk that clips and models need."""
MIRROR = "S3VAE_MIRROR"
LOCK = Path(".dvc/tmp/lock")


class Finding(NamedTuple):
    """A thing that was checked, its state and the remedy."""

    thing: str
    state: Literal["good", "note", "wrong"]
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"  ->  {self.remedy}" if self.remedy else ""
        return f"{self.state:5}  {self.thing:10}  {self.message}{remedy}"


class InstallationError(RuntimeError):
    """A retraining cannot succeed here."""


def findings() -> Iterator[Finding]:
    """Check everything."""
    here = params, framing, packages, opencv, weights
    for check in (*here, disk, store, server, mirror, git, lock):
        try:
            yield check()
        except ImportError as error:
            yield Finding(check.__name__, "wrong", f"{error}", remedy_of(error))


def require_health() -> None:
    """Raise InstallationError with all faults and their remedies."""
    if wrong := [str(finding) for finding in findings() if finding.state == "wrong"]:
        raise InstallationError("\n".join(["a retraining cannot succeed here:", *wrong]))


def remedy_of(error: ImportError) -> str:
    """Return the remedy of a package that cannot be imported."""
    if "libGL" in str(error):
        return (
            "apt-get install libgl1 libglib2.0-0 (or your system's packages with these libraries)"
        )
    return "pip install -e '.[dev]' -c constraints.txt"


def params() -> Finding:
    """Check params.yaml and the settings of all that it names."""
    try:
        pipeline = check_settings()
    except ParamsError as error:
        return Finding("params", "wrong", str(error), "edit that file (docs/pipeline.md)")
    counts = f"{len(pipeline.datasets)} data sets, {len(pipeline.models)} models"
    return Finding("params", "good", counts)


def packages() -> Finding:
    """Check the versions of the packages that pyproject.toml requires."""
    wrong = []
    for requirement in map(Requirement, requires("s3vae") or ()):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing, not {requirement.specifier}")
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement.name} is {installed}, not {requirement.specifier}")
    if wrong:
        remedy = "pip install -e '.[dev]' -c constraints.txt"
        return Finding("packages", "wrong", "; ".join(wrong), remedy)
    return Finding("packages", "good", "all as pyproject.toml requires")


def opencv() -> Finding:
    """Check for OpenCV's contributed modules, which opencv-python can overwrite."""
    import cv2

    if hasattr(cv2, "optflow"):
        return Finding("opencv", "good", f"{cv2.__version__} with its contributed modules")
    remedy = "pip install --force-reinstall --no-deps opencv-contrib-python==5.0.0.93"
    return Finding("opencv", "wrong", "cv2.optflow is missing: TV-L1 cannot run", remedy)


def weights() -> Finding:
    """Check for the weights of face-alignment, if it is to find landmarks."""
    from pipelines.stages.landmark_backends import weights_of
    from s3vae.signals.detectors import LandmarkSettings

    try:
        faces = read_pipeline().faces
        settings = [section(LandmarkSettings, name, "landmarks") for name in faces]
    except ParamsError as error:
        return Finding("weights", "note", f"unknown: {error}")
    needed = sorted({file.path for each in settings for file in weights_of(each.backend)})
    if missing := [str(RAW / path) for path in needed if not (RAW / path).exists()]:
        remedy = f"downloaded at first use; offline, set {MIRROR} to a folder that has them"
        return Finding("weights", "note", f"not there yet: {', '.join(missing)}", remedy)
    return Finding("weights", "good", "all are there" if needed else "none needed")


def framing() -> Finding:
    """Check whether close-ups of faces are cropped to their centre."""
    from pipelines.tools.framing import close_ups

    try:
        names = [*close_ups()]
    except (ParamsError, ImportError) as error:
        return Finding("framing", "note", f"unknown: {error}")
    if names:
        message = f"close-ups of faces: {', '.join(names)}"
        return Finding("framing", "note", message, "begin with configs/face-videos.yaml")
    return Finding("framing", "good", "no close-ups of faces are cropped to the centre")


def disk() -> Finding:
    """Check the free space on the disk."""
    free = shutil.disk_usage(".").free / 2**30
    if free < LEAST_FREE:
        remedy = "free some: `dvc gc --workspace` drops what no commit here names"
        return Finding("disk", "wrong", f"{free:.1f} GiB are free", remedy)
    return Finding("disk", "good", f"{free:.0f} GiB are free")


def store() -> Finding:
    """Check MLflow's store."""
    uri = store_uri()
    if tracking_is_off():
        remedy = "unset S3VAE_TRACKING: MLflow's registry holds the champions"
        return Finding("MLflow", "wrong", "is turned off by S3VAE_TRACKING", remedy)
    if (path := database_file(uri)) is not None:
        if os.access(path if path.exists() else path.parent, os.W_OK):
            return Finding("MLflow", "good", str(path))
        return Finding("MLflow", "wrong", f"{path} cannot be written", "chown or chmod it")
    try:
        if uri.startswith("http"):
            spare_loopback()
            urllib.request.urlopen(f"{uri}/health", timeout=5).close()
        else:
            Store()
    except Exception as error:  # databases raise errors of their own
        message = without_logins(f"{uri} does not answer ({error})")
        remedy = "start the server, or unset MLFLOW_TRACKING_URI; `make publish` logs later"
        return Finding("MLflow", "wrong", message, remedy)
    return Finding("MLflow", "good", without_logins(uri))


def server() -> Finding:
    """Check for Prefect's server."""
    url = answering_server()
    if url is None:
        return Finding("Prefect", "note", "no server answers", "make serve")
    return Finding("Prefect", "good", url)


def mirror() -> Finding:
    """Check the mirror of downloads, if there is one."""
    place = os.environ.get(MIRROR, "")
    if not place or place.startswith(("http://", "https://")) or Path(place).is_dir():
        return Finding("mirror", "good", without_logins(place) or "none")
    return Finding("mirror", "wrong", f"{place} is no folder", f"set {MIRROR} to one, or unset it")


def git() -> Finding:
    """Check whether all files are committed."""
    status = ask_git("status", "--porcelain", "--untracked-files=no")
    here = Path.cwd()
    if status is None and any((folder / ".git").exists() for folder in (here, *here.parents)):
        remedy = f"if another user owns it: git config --global --add safe.directory {here}"
        return Finding("git", "note", "git does not read the repository", remedy)
    if status is None:
        config = ConfigParser()
        config.read([".dvc/config", ".dvc/config.local"])
        if config.getboolean("core", "no_scm", fallback=False):
            return Finding(
                "git", "note", "no repository", "git init, so that results name a commit"
            )
        remedy = "git init, or to do without: dvc config --local core.no_scm true"
        return Finding("git", "wrong", "no repository, which DVC requires", remedy)
    if changed := status.splitlines():
        name = changed[0].split()[-1]
        message = f"{len(changed)} files differ from the commit, {name} among them"
        return Finding("git", "note", message, "git commit, so that results name a commit")
    return Finding("git", "good", "clean")


def lock() -> Finding:
    """Check whether another DVC holds the repository's lock or runs a stage."""
    for process in at_work(Path()):
        return Finding(
            "DVC", "note", f"DVC runs a stage here ({process})", "wait: a retraining does"
        )
    if LOCK.exists():
        with LOCK.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return Finding("DVC", "note", "DVC runs here", "wait: a retraining does")
    return Finding("DVC", "good", "its locks are free")


def main() -> int:
    """Print all findings; return 1 if one is wrong."""
    everything = list(findings())
    print("\n".join(map(str, everything)))
    return int(any(finding.state == "wrong" for finding in everything))


if __name__ == "__main__":
    sys.exit(main())
