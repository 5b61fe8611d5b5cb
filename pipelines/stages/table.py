"""Stage `table`: a row for every data set and method, as CSV and Markdown."""

from pathlib import Path

from pipelines.cli import arguments
from pipelines.io import write_text
from pipelines.params import Pipeline, read_pipeline
from pipelines.paths import RESULTS
from pipelines.reporting.results import has_tracker
from pipelines.reporting.score_table import results_table, table_markdown


def write_table(pipeline: Pipeline) -> str:
    """Write results/table.csv and .md. Return the Markdown."""
    table = results_table(pipeline)
    tracked = [name for name, each in pipeline.models.items() if has_tracker(Path(), each)]
    text = table_markdown(table, tracked)
    write_text(RESULTS / "table.csv", table.to_csv(index=False, lineterminator="\n"))
    write_text(RESULTS / "table.md", text)
    return text


if __name__ == "__main__":
    arguments()
    write_table(read_pipeline())
