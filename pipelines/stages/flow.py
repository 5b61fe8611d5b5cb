"""Stage `flow`: estimate the optical flow of neighbouring frames and average it on a grid."""

from collections.abc import Sequence
from pathlib import Path

from pipelines.checks import checked_section
from pipelines.cli import feature_arguments
from pipelines.io import write_json
from pipelines.paths import Layout
from pipelines.shards import in_shards
from s3vae.data.clips import ClipFile
from s3vae.signals.agreement import flow_scores
from s3vae.signals.flow_file import FlowSignal, write_flow
from s3vae.signals.flow_grid import Motion, MotionSettings, Tracker, clips_motion
from s3vae.signals.optical_flow import require_contrib


def flow(name: str, clips_path: Path, settings: MotionSettings, flow_path: Path) -> None:
    """Write the motion signal of all clips."""
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
    """Return the tracker of a clip's objects, or None if the settings have no objects."""
    if not settings.objects:
        return None
    # imports torch, which takes seconds
    from s3vae.model.two_objects.tracker import track_clips

    return track_clips


def score(clips_path: Path, flow_path: Path, scores_path: Path) -> None:
    """Write the scores of the motion signal."""
    motion, explained = FlowSignal(flow_path).motion, 0.0
    if motion.unexplained is not None:
        # imports torch, which takes seconds
        from s3vae.model.two_objects.templates import EXPLAINED

        explained = EXPLAINED
    write_json(scores_path, flow_scores(motion, ClipFile(clips_path).motion, explained))


if __name__ == "__main__":
    (dataset,) = feature_arguments("dataset")
    files = Layout(dataset)
    flow(dataset, files.clips, checked_section(MotionSettings, dataset, "flow"), files.flow)
    score(files.clips, files.flow, files.results / "flow.json")
