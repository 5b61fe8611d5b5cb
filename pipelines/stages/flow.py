"""Stage `flow`: optical flow of every pair of neighbouring frames, summarised on a grid."""

import math
from collections.abc import Sequence
from pathlib import Path

from pipelines.cli import feature_arguments
from pipelines.io import write_json
from pipelines.params import section
from pipelines.paths import Layout
from pipelines.shards import in_shards
from s3vae.data.clips import ClipFile
from s3vae.signals.agreement import top_cell_accuracy
from s3vae.signals.flow_file import FlowSignal, write_flow
from s3vae.signals.flow_grid import Motion, MotionSettings, Tracker, clips_motion
from s3vae.signals.optical_flow import require_contrib


def flow(name: str, clips_path: Path, settings: MotionSettings, flow_path: Path) -> None:
    """The motion signal of all clips."""
    require_contrib()
    clips = ClipFile(clips_path.resolve())
    parameters = settings.parameters

    def make(shard: Sequence[int], path: Path) -> None:
        motion = clips_motion(clips.frames(shard), settings, tracker(settings))
        write_flow(path, [motion], parameters, clips.sha256)

    def read(path: Path) -> Motion:
        return FlowSignal(path).motion

    with in_shards("flow", name, clips, parameters, make, read) as motions:
        write_flow(flow_path, motions, parameters, clips.sha256)


def tracker(settings: MotionSettings) -> Tracker | None:
    """Return what follows the objects of a clip, or None if the settings ask for none."""
    if not settings.objects:
        return None
    from s3vae.model.two_objects.tracker import follow_stored  # imports torch, which takes seconds

    return follow_stored


def score(clips_path: Path, flow_path: Path, scores_path: Path) -> None:
    """How often the strongest cell is the right one, where the data set knows its exact motion.

    And, where objects are followed, what share of the clips their tracks explain.
    """
    exact = ClipFile(clips_path).motion
    found = FlowSignal(flow_path).motion
    right = top_cell_accuracy(found.cells, exact) if exact is not None else math.nan
    scores = {"top_cell_accuracy": right if math.isfinite(right) else None}
    if found.unexplained is not None:
        from s3vae.model.two_objects.templates import GOOD  # imports torch, which takes seconds

        scores["clips_explained_by_tracks"] = float((found.unexplained <= GOOD).mean())
    write_json(scores_path, scores)


if __name__ == "__main__":
    (chosen,) = feature_arguments("dataset")
    files = Layout(chosen)
    flow(chosen, files.clips, section(MotionSettings, chosen, "flow"), files.flow)
    score(files.clips, files.flow, files.results / "flow.json")
