"""`make scale`: what every stage costs at 1, 4 and 16 times the clips of dSprites (docs/scale.md).

Each stage runs as under DVC, in a process of its own. The operating system tells its time, and the
peak memory of the largest of its processes. Sizes that were measured are not measured again.
"""

import copy
import csv
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipelines.io import write_csv, write_text
from pipelines.params import PARAMS
from pipelines.paths import CHECKPOINTS, Layout
from pipelines.reporting.report import fill
from s3vae.data.clips import ClipFile
from s3vae.progress import LOG

SIZES, TAKES = (1, 4, 16), 2
"""How many times the takes there are, and how many takes once."""
STEPS = 100
"""Of trainings: their cost is so many times that of a step, however many clips there are."""
FOLDER = CHECKPOINTS / "scale"
MEASURED, PAGE = Path("docs/scale.csv"), Path("docs/scale.md")
DATASET, METHOD = "dsprites", "s3vae-plus"
STAGES = {
    "acquire": (DATASET, "drawn"),
    "flow": (DATASET,),
    "judge": (DATASET,),
    "train": (DATASET, METHOD),
    "evaluate": (DATASET, METHOD, "flow"),
}
MEGABYTE = 1e6
Row = dict[str, Any]


def params_at(size: int) -> Row:
    """The root's settings of the data set, with so many times the takes and short trainings."""
    mine = copy.deepcopy(YAML(typ="safe").load(PARAMS)["datasets"][DATASET])
    mine["data"]["takes"] = TAKES * size
    method = mine["methods"][METHOD]
    for training in (mine["judge"]["training"], method["training"]):
        training |= {"steps": STEPS, "validate_every": STEPS}
    mine["evaluation"] = {"sampling_seeds": [0], "least_judge_accuracy": 0}
    mine["methods"] = {METHOD: method}
    pipeline = {"datasets": {DATASET: "drawn"}, "models": {}, "code": "."}
    return {"pipeline": pipeline, "datasets": {DATASET: mine}}


def measure(stage: str, folder: Path) -> Row:
    """Seconds, and megabytes of memory at most, that a stage takes in this folder."""
    alone = {"S3VAE_TRACKING": "off", "PREFECT_API_URL": "http://127.0.0.1:9/api"}
    command = [sys.executable, "-m", f"pipelines.stages.{stage}", *STAGES[stage]]
    path = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
    begun = time.perf_counter()
    running = subprocess.Popen(command, cwd=folder, env=os.environ | alone | {"PYTHONPATH": path})
    _, status, usage = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, command)
    seconds = time.perf_counter() - begun
    return {"seconds": round(seconds, 1), "memory": round(usage.ru_maxrss * 1024 / MEGABYTE)}


def size_of(folder: Path) -> int:
    """Megabytes of all files in it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return round(sum(path.stat().st_size for path in files) / MEGABYTE)


def measure_all(sizes: Sequence[int] = SIZES) -> list[Row]:
    """A row for every stage at every size; what MEASURED has already is kept."""
    rows: list[Row] = []
    if MEASURED.exists():
        lines = MEASURED.read_text(encoding="utf-8").splitlines()
        rows = [
            {name: cell if name == "stage" else float(cell) for name, cell in row.items()}
            for row in csv.DictReader(lines)
        ]
    for size in sizes:
        known = {row["stage"] for row in rows if row["size"] == size}
        if known >= STAGES.keys():
            continue
        rows = [row for row in rows if row["size"] != size]  # its files are gone
        folder = FOLDER / str(size)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        YAML().dump(params_at(size), folder / PARAMS)
        for stage in STAGES:
            LOG.info("scale: %s at %d times the clips", stage, size)
            cost = measure(stage, folder)
            clips = ClipFile(folder / Layout(DATASET).clips).clips
            disk = size_of(folder / "data")
            rows.append({"size": size, "clips": clips, "stage": stage, **cost, "disk": disk})
        write_csv(MEASURED, rows)
        shutil.rmtree(folder)
    return rows


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line for each size, a column for each stage: seconds and peak memory; then the disk."""
    lines = [
        "| clips | " + " | ".join(STAGES) + " | on disk |",
        "|---" * (len(STAGES) + 2) + "|",
    ]
    for size in sorted({row["size"] for row in rows}):
        mine = {row["stage"]: row for row in rows if row["size"] == size}
        cells = [f"{mine[s]['seconds']:.0f} s, {mine[s]['memory']:,.0f} MB" for s in STAGES]
        last = mine[next(reversed(STAGES))]
        lines.append(
            f"| {last['clips']:,.0f} | " + " | ".join(cells) + f" | {last['disk']:,.0f} MB |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and write the table into its page."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    rows = measure_all()
    write_text(PAGE, fill(PAGE.read_text(encoding="utf-8"), {"scale": lambda: table(rows)}))


if __name__ == "__main__":
    main()
