"""The tool that measures what adaptation gains."""

from pipelines.paths import Layout
from pipelines.tools.adapt import adaptation_scores


def test_test_clips_are_reconstructed_better_after_adaptation(squares: Layout) -> None:
    scores = adaptation_scores(squares, "tiny", steps=5)
    assert scores["after"]["squared_error"] < scores["before"]["squared_error"]
    assert scores["before"].keys() == scores["after"].keys() > {"colour_distance", "flow_cosine"}
    assert scores["seconds_per_clip"] > 0
