"""`python -m pipelines.tools.doctor`: what is wrong here, and how to mend it, on one screen.

What would stop a retraining is `wrong`, the rest is a `note`. The flow asks the same first.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal, NamedTuple

from packaging.requirements import Requirement

from pipelines.dvc_lock import at_work
from pipelines.params import ParamsError, read_pipeline, section
from pipelines.paths import RAW
from pipelines.prefect_server import server as answering_server
from pipelines.stages.landmark_backends import weights_of
from pipelines.tracking.mlflow_run import tracking_is_off
from pipelines.tracking.store import Store, store_uri, without_logins
from s3vae.signals.detectors import LandmarkSettings

ROOM = 2.0
"""GiB below which there is too little room for clips and models."""
MIRROR = "S3VAE_MIRROR"
HERE = Path()
LOCK = Path(".dvc/tmp/lock")

State = Literal["good", "note", "wrong"]


class Finding(NamedTuple):
    """What was looked at, how it is, and how to mend it."""

    what: str
    state: State
    said: str
    mend: str = ""

    def __str__(self) -> str:
        mend = f"  ->  {self.mend}" if self.mend else ""
        return f"{self.state:5}  {self.what:10}  {self.said}{mend}"


class UnwellError(RuntimeError):
    """Something that a retraining needs is wrong."""


def findings() -> Iterator[Finding]:
    """All that is looked at."""
    yield from (params(), packages(), opencv(), weights(), room(), store())
    yield from (server(), mirror(), git(), lock())


def require_health() -> None:
    """Raise UnwellError with all that is wrong and how to mend it."""
    if wrong := [str(found) for found in findings() if found.state == "wrong"]:
        raise UnwellError("\n".join(["this cannot go well:", *wrong]))


def params() -> Finding:
    """params.yaml."""
    try:
        pipeline = read_pipeline()
    except ParamsError as error:
        return Finding("params", "wrong", str(error), "edit params.yaml (docs/pipeline.md)")
    counts = f"{len(pipeline.datasets)} data sets, {len(pipeline.models)} models"
    return Finding("params", "good", counts)


def packages() -> Finding:
    """The versions that pyproject.toml asks for."""
    wrong = []
    for line in requires("s3vae") or ():
        asked = Requirement(line)
        if asked.marker is not None and not asked.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(asked.name)
        except PackageNotFoundError:
            found = "missing"
        if found == "missing" or not asked.specifier.contains(found, prereleases=True):
            wrong.append(f"{asked.name} is {found}, not {asked.specifier}")
    if wrong:
        mend = "pip install -e '.[dev]' -c constraints.txt"
        return Finding("packages", "wrong", "; ".join(wrong), mend)
    return Finding("packages", "good", "all as pyproject.toml asks for")


def opencv() -> Finding:
    """The contributed modules, which another package of the same folder can overwrite."""
    import cv2

    if hasattr(cv2, "optflow"):
        return Finding("opencv", "good", f"{cv2.__version__} with its contributed modules")
    mend = "pip install --force-reinstall --no-deps opencv-contrib-python==5.0.0.93"
    return Finding("opencv", "wrong", "cv2.optflow is not there: TV-L1 cannot run", mend)


def weights() -> Finding:
    """Those of face-alignment, if it is to find landmarks."""
    try:
        settings = [
            section(LandmarkSettings, dataset, "landmarks") for dataset in read_pipeline().faces
        ]
    except ParamsError:
        return Finding("weights", "note", "params.yaml does not say whether any are needed")
    needed = {file.path for each in settings for file in weights_of(each.backend)}
    if not needed:
        return Finding("weights", "good", "none needed")
    missing = [str(RAW / path) for path in sorted(needed) if not (RAW / path).exists()]
    if missing:
        mend = f"downloaded at first use; offline, set {MIRROR} to a folder that has them"
        return Finding("weights", "note", f"not there yet: {', '.join(missing)}", mend)
    return Finding("weights", "good", "those of face-alignment are there")


def room() -> Finding:
    """Room on the disk."""
    free = shutil.disk_usage(".").free / 2**30
    if free < ROOM:
        mend = "make room: `dvc gc --workspace` drops what no commit here names"
        return Finding("disk", "wrong", f"{free:.1f} GiB are free", mend)
    return Finding("disk", "good", f"{free:.0f} GiB are free")


def store() -> Finding:
    """MLflow's store."""
    uri = store_uri()
    if tracking_is_off():
        mend = "unset S3VAE_TRACKING: champions are kept in MLflow's registry"
        return Finding("MLflow", "wrong", "is turned off by S3VAE_TRACKING", mend)
    if uri.startswith("sqlite:///"):
        path = Path(uri.removeprefix("sqlite:///"))
        if os.access(path if path.exists() else path.parent, os.W_OK):
            return Finding("MLflow", "good", str(path))
        return Finding("MLflow", "wrong", f"{path} cannot be written", "chown or chmod it")
    try:
        if uri.startswith("http"):
            urllib.request.urlopen(f"{uri}/health", timeout=5).close()
        else:
            Store()
    except Exception as error:  # a database has errors of its own
        mend = "start the server, or unset MLFLOW_TRACKING_URI; `make publish` logs later"
        said = without_logins(f"{uri} does not answer ({error})")
        return Finding("MLflow", "wrong", said, mend)
    return Finding("MLflow", "good", without_logins(uri))


def server() -> Finding:
    """Prefect's server."""
    url = answering_server()
    if url is None:
        return Finding("Prefect", "note", "no server answers", "make serve")
    return Finding("Prefect", "good", url)


def mirror() -> Finding:
    """The mirror of downloads, if one is named."""
    asked = os.environ.get(MIRROR, "")
    if not asked or urllib.parse.urlparse(asked).scheme in ("http", "https"):
        return Finding("mirror", "good", without_logins(asked) or "none named")
    if Path(asked).is_dir():
        return Finding("mirror", "good", asked)
    return Finding("mirror", "wrong", f"{asked} is no folder", f"set {MIRROR} to one, or unset it")


def git() -> Finding:
    """Whether what runs is a commit."""
    told = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=no"],
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode != 0:
        return Finding("git", "note", "no repository", "git clone, so that results name a commit")
    changed = told.stdout.splitlines()
    if changed:
        said = f"{len(changed)} files differ from the commit, {changed[0].split()[-1]} among them"
        return Finding("git", "note", said, "git commit, so that results name a commit")
    return Finding("git", "good", "clean")


def lock() -> Finding:
    """Whether another DVC is at work here: for a moment on its files, or running a stage."""
    busy = next((f"DVC runs a stage here ({each})" for each in at_work(HERE)), "")
    if LOCK.exists():
        with LOCK.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                busy = busy or "DVC is at work here"
    if busy:
        return Finding("DVC", "note", busy, "wait: a retraining does")
    return Finding("DVC", "good", "its locks are free")


def main() -> int:
    """Show all; 1 if something is wrong."""
    all_found = list(findings())
    print("\n".join(map(str, all_found)))
    return int(any(found.state == "wrong" for found in all_found))


if __name__ == "__main__":
    sys.exit(main())
