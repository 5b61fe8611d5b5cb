"""Stage `flow`: optical flow of every pair of neighbouring frames, summarised on a grid."""

import math
from collections.abc import Sequence
from pathlib import Path

from pipelines.entry import feature_arguments
from pipelines.layout import Layout
from pipelines.params import section
from pipelines.shards import in_shards
from pipelines.written import write_json
from s3vae.data.clips import ClipFile
from s3vae.signals.flow import require_contrib
from s3vae.signals.motion import Motion, MotionSettings, clips_motion
from s3vae.signals.score import explained_share, top_cell_accuracy
from s3vae.signals.store import FlowSignal, write_flow


def flow(name: str, clips_path: Path, settings: MotionSettings, flow_path: Path) -> None:
    """The motion signal of all clips."""
    require_contrib()
    clips = ClipFile(clips_path.resolve())
    parameters = settings.parameters

    def make(shard: Sequence[int], path: Path) -> None:
        motion = clips_motion(clips.frames(shard), settings)
        write_flow(path, [motion], parameters, clips.sha256)

    def read(path: Path) -> Motion:
        return FlowSignal(path).motion

    with in_shards("flow", name, clips, parameters, make, read) as motions:
        write_flow(flow_path, motions, parameters, clips.sha256)


def score(clips_path: Path, flow_path: Path, scores_path: Path) -> None:
    """How often the strongest cell is the right one, where the data set knows its exact motion.

    And, where objects are followed, what share of the clips their tracks explain.
    """
    exact = ClipFile(clips_path).motion
    found = FlowSignal(flow_path).motion
    right = top_cell_accuracy(found.cells, exact) if exact is not None else math.nan
    scores = {"top_cell_accuracy": right if math.isfinite(right) else None}
    if found.unexplained is not None:
        scores["clips_explained_by_tracks"] = explained_share(found.unexplained)
    write_json(scores_path, scores)


if __name__ == "__main__":
    (chosen,) = feature_arguments("dataset")
    files = Layout(chosen)
    flow(chosen, files.clips, section(MotionSettings, "datasets", chosen, "flow"), files.flow)
    score(files.clips, files.flow, files.results / "flow.json")
