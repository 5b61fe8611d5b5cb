"""`make scale`: the cost of every stage at 1, 4 and 16 times the clips of dSprites (docs/scale.md).

Each stage runs as under DVC, in a process of its own. The operating system reports its peak memory,
which is that of the largest of its processes. Sizes in docs/scale.csv are not measured again.
"""

import logging
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from pipelines.dag import Dag
from pipelines.io import write_csv, write_text
from pipelines.params import config_of, write_settings
from pipelines.paths import CHECKPOINTS, Layout
from pipelines.reporting.report import fill
from pipelines.reporting.score_table import markdown
from s3vae.data.clips import ClipFile
from s3vae.progress import LOG

SIZES, TAKES = (1, 4, 16), 2
"""The multiples of the number of takes, and that number."""
STEPS = 100
"""Of trainings, whose cost per step does not depend on the number of clips."""
FOLDER, MEASURED, PAGE = CHECKPOINTS / "scale", Path("docs/scale.csv"), Path("docs/scale.md")
DATASET, METHOD = "dsprites", "s3vae-plus"
MEGABYTE = 1e6
Row = dict[str, Any]


def params_at(size: int) -> Row:
    """Return the root's settings of the data set with more takes and short trainings."""
    settings = YAML(typ="safe").load(config_of(DATASET))
    settings["data"]["takes"] = TAKES * size
    settings["methods"] = {METHOD: settings["methods"][METHOD]}
    for trained in (settings["judge"], settings["methods"][METHOD]):
        trained["training"] = {**trained["training"], "steps": STEPS, "validate_every": STEPS}
    settings["evaluation"] = {"sampling_seeds": [0], "least_judge_accuracy": 0}
    pipeline = {"datasets": {DATASET: "drawn"}, "models": {}, "code": ""}
    return {"pipeline": pipeline, "datasets": {DATASET: settings}}


def measure(command: str, folder: Path) -> Row:
    """Run the command of a stage in this folder; return its seconds and its megabytes of memory."""
    path = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
    alone = {"S3VAE_TRACKING": "off", "PREFECT_API_URL": "http://127.0.0.1:9/api"}
    python = [sys.executable, *shlex.split(command)[1:]]
    start = time.perf_counter()
    process = subprocess.Popen(python, cwd=folder, env=os.environ | alone | {"PYTHONPATH": path})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, python)
    seconds = time.perf_counter() - start
    return {"seconds": round(seconds, 1), "memory": round(usage.ru_maxrss * 1024 / MEGABYTE)}


def measure_size(size: int) -> list[Row]:
    """Measure all stages at one size, in the order of the DAG."""
    folder, dag, rows = FOLDER / str(size), Dag(Path()), []
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_settings(folder, params_at(size))
    for name in dag.with_dependencies([f"evaluate@{DATASET}-{METHOD}"]):
        stage = name.split("@")[0]
        LOG.info("scale: %s at %d times the clips", stage, size)
        cost = measure(dag.command(name), folder)
        clips = ClipFile(folder / Layout(DATASET).clips).clips
        data = sum(path.stat().st_size for path in (folder / "data").rglob("*") if path.is_file())
        disk = round(data / MEGABYTE)
        rows.append({"size": size, "clips": clips, "stage": stage, **cost, "disk": disk})
    shutil.rmtree(folder)
    return rows


def measure_all(sizes: Sequence[int] = SIZES) -> list[Row]:
    """Return a row for every stage at every size; sizes in MEASURED are read from there."""
    rows: list[Any] = pd.read_csv(MEASURED).to_dict("records") if MEASURED.exists() else []
    for size in sizes:
        if size not in {row["size"] for row in rows}:
            rows += measure_size(size)
            write_csv(MEASURED, rows)
    return rows


def table(rows: Sequence[Row]) -> str:
    """Return a line for each size and a column for each stage: seconds, peak memory; the disk."""
    lines = []
    for _, costs in pd.DataFrame(rows).groupby("size"):
        cells = {
            row["stage"]: f"{row['seconds']:.0f} s, {row['memory']:,.0f} MB"
            for _, row in costs.iterrows()
        }
        last = costs.iloc[-1]
        lines.append(
            {"clips": f"{last['clips']:,.0f}", **cells, "on disk": f"{last['disk']:,.0f} MB"}
        )
    return markdown(pd.DataFrame(lines))


def main() -> None:
    """Measure, and write the table into its page."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    rows = measure_all()
    write_text(PAGE, fill(PAGE.read_text(encoding="utf-8"), {"scale": lambda: table(rows)}))


if __name__ == "__main__":
    main()
