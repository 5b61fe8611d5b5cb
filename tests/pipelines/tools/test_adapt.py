"""The tool that measures what adaptation gains."""

from dataclasses import replace

from pipelines.paths import Layout
from pipelines.tools.adapt import adaptation_scores
from s3vae.baselines.saved import save_model
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE


def test_test_clips_are_reconstructed_better_after_adaptation(
    squares: Layout, tiny: Architecture
) -> None:
    save_model(S3VAE(replace(tiny, decoder="layered")), squares.model("layered"))
    scores = adaptation_scores(squares, "layered", steps=5)
    assert scores["after"]["squared_error"] < scores["before"]["squared_error"]
    assert scores["before"].keys() == scores["after"].keys() > {"colour_distance", "flow_cosine"}
    assert scores["seconds_per_clip"] > 0
