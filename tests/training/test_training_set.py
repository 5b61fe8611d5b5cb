"""What is found in clips without labels."""

from pathlib import Path

import numpy as np
import pytest

from s3vae.data.clips import ClipFile
from s3vae.signals.clusters import ClusterSettings
from s3vae.signals.flow_file import FlowSignal, write_flow
from s3vae.signals.landmark_file import LandmarkSignal, write_landmarks
from s3vae.signals.landmarks import Landmarks
from s3vae.training.presets import Exchange
from s3vae.training.targets import TARGETS
from s3vae.training.training_set import training_set

THREE = Exchange(clustering=ClusterSettings(candidates=(3,), restarts=2))


def test_flow_is_in_units_of_its_spread_over_the_training_clips(
    clips: ClipFile, flow: FlowSignal
) -> None:
    known = training_set(clips, flow, TARGETS["cells"]).batches.known
    cells, train = known["cells"], clips.split("train")
    assert cells.shape == (clips.clips, clips.time - 1, 27)
    assert cells[train].std(correction=0).item() == pytest.approx(1, rel=1e-4)
    raw = flow.motion.cells.reshape(cells.shape)
    ratio = raw[raw != 0] / cells.numpy()[raw != 0]
    assert ratio == pytest.approx(np.full(ratio.shape, ratio[0]))


def test_there_is_a_row_for_every_clip(clips: ClipFile, flow: FlowSignal) -> None:
    target = TARGETS["top-cells+direction"]
    known = training_set(clips, flow, target, THREE.clustering).batches.known
    assert {len(table) for table in known.values()} == {clips.clips}
    assert known["direction"].shape[-1] == 9
    assert known["direction"].min() == -1


def test_without_an_exchange_nothing_is_clustered(clips: ClipFile, flow: FlowSignal) -> None:
    found = training_set(clips, flow, TARGETS["cells"])
    assert found.clusters is None
    assert found.cluster_frequencies.tolist() == [1]
    assert not found.batches.known["cluster"].any()


def test_training_clips_that_move_alike_are_of_one_cluster(
    clips: ClipFile, flow: FlowSignal
) -> None:
    train = clips.split("train")
    found = training_set(clips, flow, TARGETS["cells"], THREE.clustering)
    assert found.cluster_frequencies.tolist() == pytest.approx([1 / 3] * 3)
    cluster = found.batches.known["cluster"][train].tolist()
    pairs = set(zip(cluster, clips.labels("motion")[train].tolist(), strict=True))
    assert len(pairs) == 3


def test_other_clips_are_of_the_cluster_of_those_that_move_alike(
    clips: ClipFile, flow: FlowSignal
) -> None:
    known = training_set(clips, flow, TARGETS["cells"], THREE.clustering).batches.known
    cluster = known["cluster"].tolist()
    assert len(set(zip(cluster, clips.labels("motion").tolist(), strict=True))) == 3


def test_signals_of_other_clips_are_refused(
    clips: ClipFile, flow: FlowSignal, tmp_path: Path
) -> None:
    write_flow(tmp_path / "flow.h5", [flow.motion], {}, "0" * 64)
    with pytest.raises(ValueError, match="0000, not " + clips.sha256):
        training_set(clips, FlowSignal(tmp_path / "flow.h5"), TARGETS["cells"])


def blinking(clips: ClipFile, folder: Path, lost: list[int]) -> LandmarkSignal:
    """Landmarks of faces whose lids open as the clip's motion says; some clips have none."""
    draw, motion = np.random.default_rng(0), clips.labels("motion")
    points = np.zeros((clips.clips, clips.time, 68, 2), np.float32)
    points[:, :, 45, 0] = 20
    opening = (
        motion[:, None] * np.linspace(0, 1, clips.time) + draw.normal(0, 0.01, clips.clips)[:, None]
    )
    for lid in (37, 38, 43, 44):
        points[:, :, lid, 1] = -opening
    found = np.ones((clips.clips, clips.time), bool)
    found[lost] = False
    shard = Landmarks(points, found)
    write_landmarks(folder / "landmarks.h5", [shard], {"longest_gap": 1}, clips.sha256)
    return LandmarkSignal(folder / "landmarks.h5")


def test_distances_are_standardised_over_training_clips_that_have_them(
    clips: ClipFile, tmp_path: Path
) -> None:
    lost = clips.split("train")[:2].tolist()
    found = training_set(
        clips, blinking(clips, tmp_path, lost), TARGETS["distances"], THREE.clustering
    )
    assert not set(lost) & set(found.train)
    assert len(found.train) == len(clips.split("train")) - 2
    distances = found.batches.known["distances"][found.train]
    assert distances.shape[1:] == (clips.time, 3)
    assert distances[..., :2].std(dim=(0, 1), correction=0).tolist() == pytest.approx(
        [1, 1], rel=1e-3
    )
    assert distances.mean(dim=(0, 1)).abs().max() < 1e-5


def test_clips_whose_lids_move_alike_are_of_one_cluster(clips: ClipFile, tmp_path: Path) -> None:
    found = training_set(
        clips, blinking(clips, tmp_path, []), TARGETS["distances"], THREE.clustering
    )
    cluster = found.batches.known["cluster"][found.train].tolist()
    pairs = set(zip(cluster, clips.labels("motion")[found.train].tolist(), strict=True))
    assert len(pairs) == 3


@pytest.mark.parametrize("split", ["train", "val"])
def test_landmarks_of_no_clip_of_a_split_are_refused(
    clips: ClipFile, tmp_path: Path, split: str
) -> None:
    signal = blinking(clips, tmp_path, clips.split(split).tolist())
    with pytest.raises(ValueError, match="landmarks of no train or no val clip"):
        training_set(clips, signal, TARGETS["distances"])


def test_clips_without_landmarks_are_not_validated_with(clips: ClipFile, tmp_path: Path) -> None:
    lost, *others = clips.split("val").tolist()
    signal = blinking(clips, tmp_path, [lost])
    assert training_set(clips, signal, TARGETS["distances"]).val.tolist() == others
