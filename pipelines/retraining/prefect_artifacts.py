"""What a retraining leaves in Prefect's UI: scores old and new, MLflow's address, a picture."""

import base64
from collections.abc import Iterable

from prefect.artifacts import create_image_artifact, create_link_artifact, create_table_artifact

from pipelines.paths import Layout
from pipelines.retraining.gate import Scores
from pipelines.retraining.promotion import Outcome
from pipelines.retraining.registry import SCORED


def report(outcomes: Iterable[Outcome]) -> None:
    """Artifacts of each model: a table, a link and a picture, under its name."""
    for outcome in outcomes:
        key = "".join(c if c.isalnum() else "-" for c in outcome.chosen.name.lower())
        create_table_artifact(table(outcome), key=f"{key}-scores", description=str(outcome))
        if outcome.run:
            create_link_artifact(
                outcome.run, link_text="its training in MLflow", key=f"{key}-mlflow"
            )
        swap = Layout(outcome.chosen.dataset).scores(outcome.chosen.method) / "pictures/swap.png"
        if swap.exists():
            # the server serves no files: the picture is its own address
            data = base64.b64encode(swap.read_bytes()).decode()
            create_image_artifact(
                f"data:image/png;base64,{data}",
                key=f"{key}-swap",
                description="Rows look like the clip at the left, columns move as the one on top.",
            )


def table(outcome: Outcome) -> list[dict[str, str]]:
    """A row for every score: of the champion before, of this model, and their difference."""

    def told(scores: Scores | None, name: str) -> str:
        value = (scores or {}).get(name)
        return "-" if value is None else f"{value:.4f}"

    rows = []
    for name in SCORED:
        old, new = (outcome.old or {}).get(name), outcome.new.get(name)
        change = "-" if old is None or new is None else f"{new - old:+.4f}"
        rows.append(
            {
                "score": name,
                "champion before": told(outcome.old, name),
                "new": told(outcome.new, name),
                "change": change,
            }
        )
    return rows
