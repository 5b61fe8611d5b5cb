"""The artifacts of a retraining in Prefect's UI: progress, scores, MLflow's address, a picture."""

import base64
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from prefect import get_run_logger
from prefect.artifacts import (
    create_image_artifact,
    create_link_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from pipelines.paths import Layout
from pipelines.retraining.versions import SCORED

if TYPE_CHECKING:
    from pipelines.retraining.promotion import Outcome

PROGRESS = re.compile(r"\w[\w .@-]*: (?P<done>\d+)/(?P<total>\d+) \w+")
"""The lines of s3vae/progress.py."""


def report(outcomes: "Iterable[Outcome]") -> None:
    """Create the artifacts of each model, under its name."""
    for outcome in outcomes:
        key = "".join(c if c.isalnum() else "-" for c in outcome.chosen.name.lower())
        create_table_artifact(table(outcome), key=f"{key}-scores", description=str(outcome))
        if outcome.run:
            link = "its training in MLflow"
            create_link_artifact(outcome.run, link_text=link, key=f"{key}-mlflow")
        swap = Layout(outcome.chosen.dataset).scores(outcome.chosen.method) / "pictures/swap.png"
        if swap.exists():
            # the server serves no files: the address holds the picture itself
            data = base64.b64encode(swap.read_bytes()).decode()
            create_image_artifact(
                f"data:image/png;base64,{data}",
                key=f"{key}-swap",
                description="Rows look like the clip at the left, columns move as the one on top.",
            )


def table(outcome: "Outcome") -> list[dict[str, str]]:
    """Return a row for every score: the previous champion's, this model's, their difference."""
    rows = []
    for name in SCORED:
        old, new = (outcome.old or {}).get(name), outcome.new.get(name)
        rows.append(
            {
                "score": name,
                "champion before": "-" if old is None else f"{old:.4f}",
                "new": "-" if new is None else f"{new:.4f}",
                "change": "-" if old is None or new is None else f"{new - old:+.4f}",
            }
        )
    return rows


class ProgressArtifact:
    """Prefect's progress artifact of the current stage."""

    def __init__(self) -> None:
        self._id: Any = None

    def update(self, line: str) -> None:
        """Update the artifact if the line reports progress."""
        report = PROGRESS.search(line)
        if report is None:
            return
        percent = 100 * int(report["done"]) / max(int(report["total"]), 1)
        try:
            if self._id is None:
                self._id = create_progress_artifact(percent, key="progress", description=report[0])
            else:
                update_progress_artifact(self._id, percent, description=line)
        except Exception as error:  # the server may not answer for a while
            get_run_logger().warning("progress is not shown: %s", error)
