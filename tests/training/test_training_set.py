"""The training set: prediction targets and motion clusters, without labels."""

from pathlib import Path

import numpy as np
import pytest
import torch

from s3vae.data.clips import ClipFile, write_clips
from s3vae.data.dsprites.dsprites import DSprites
from s3vae.signals.clusters import ClusterSettings
from s3vae.signals.flow_file import FlowSignal, write_flow
from s3vae.signals.flow_grid import MotionSettings, summary
from s3vae.signals.landmark_file import LandmarkSignal, write_landmarks
from s3vae.signals.landmarks import Landmarks
from s3vae.training.targets import TARGETS
from s3vae.training.training_set import training_set

THREE = ClusterSettings(candidates=(3,), restarts=2)


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


def test_every_target_has_a_row_for_every_clip(clips: ClipFile, flow: FlowSignal) -> None:
    target = TARGETS["top-cells+direction"]
    known = training_set(clips, flow, target, THREE).batches.known
    assert {len(table) for table in known.values()} == {clips.clips}
    assert known["direction"].shape[-1] == 9
    assert known["direction"].min() == -1


def test_without_an_exchange_there_is_one_cluster(clips: ClipFile, flow: FlowSignal) -> None:
    data = training_set(clips, flow, TARGETS["cells"])
    assert data.clusters.number == 1
    assert data.cluster_frequencies.tolist() == [1]
    assert not data.batches.known["cluster"].any()


@pytest.mark.parametrize("signal", ["cells", "distances"])
def test_clips_of_all_splits_that_move_alike_are_in_one_cluster(
    signal: str, clips: ClipFile, flow: FlowSignal, tmp_path: Path
) -> None:
    source = flow if signal == "cells" else blinking(clips, tmp_path, [])
    data = training_set(clips, source, TARGETS[signal], THREE)
    assert data.cluster_frequencies.tolist() == pytest.approx([1 / 3] * 3)
    clusters, motions = data.batches.known["cluster"].tolist(), clips.labels("motion").tolist()
    assert len(set(zip(clusters, motions, strict=True))) == 3


@pytest.mark.parametrize(("dependence", "warned"), [(0.0, False), (0.5, True), (0.9, True)])
def test_motion_clusters_that_depend_on_colours_are_logged(
    dependence: float, warned: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    drawn = DSprites(takes=1, time=6, dependence=dependence).clips(tmp_path)
    write_clips(tmp_path / "clips.h5", drawn)
    clips = ClipFile(tmp_path / "clips.h5")
    motion = summary(drawn.motion.astype(np.float32), MotionSettings())
    write_flow(tmp_path / "flow.h5", [motion], {}, clips.sha256)
    state = torch.get_rng_state()
    settings = ClusterSettings(restarts=2)
    training_set(clips, FlowSignal(tmp_path / "flow.h5"), TARGETS["cells"], settings)
    assert ("motion clusters and colours are dependent" in caplog.text) == warned
    assert torch.equal(torch.get_rng_state(), state)


def test_signals_of_other_clips_are_refused(
    clips: ClipFile, flow: FlowSignal, tmp_path: Path
) -> None:
    write_flow(tmp_path / "flow.h5", [flow.motion], {}, "0" * 64)
    with pytest.raises(ValueError, match="0000, not " + clips.sha256):
        training_set(clips, FlowSignal(tmp_path / "flow.h5"), TARGETS["cells"])


def blinking(clips: ClipFile, folder: Path, lost: list[int]) -> LandmarkSignal:
    """Landmarks of eyelids that open by the label of the motion; the clips `lost` have none."""
    draw, motion = np.random.default_rng(0), clips.labels("motion")
    points = np.zeros((clips.clips, clips.time, 68, 2), np.float32)
    points[:, :, 45, 0] = 20
    opening = (
        motion[:, None] * np.linspace(0, 1, clips.time) + draw.normal(0, 0.01, clips.clips)[:, None]
    )
    for lid in (37, 38, 43, 44):
        points[:, :, lid, 1] = -opening
    detected = np.ones((clips.clips, clips.time), bool)
    detected[lost] = False
    shard = Landmarks(points, detected)
    write_landmarks(folder / "landmarks.h5", [shard], {"longest_gap": 1}, clips.sha256)
    return LandmarkSignal(folder / "landmarks.h5")


def test_distances_are_standardised_over_training_clips_that_have_them(
    clips: ClipFile, tmp_path: Path
) -> None:
    lost = clips.split("train")[:2].tolist()
    data = training_set(clips, blinking(clips, tmp_path, lost), TARGETS["distances"])
    assert set(data.train) == set(clips.split("train")) - set(lost)
    distances = data.batches.known["distances"][data.train]
    assert distances.shape[1:] == (clips.time, 3)
    spread = distances[..., :2].std(dim=(0, 1), correction=0)
    assert spread.tolist() == pytest.approx([1, 1], rel=1e-3)
    assert distances.mean(dim=(0, 1)).abs().max() < 1e-5


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_split_without_any_landmarks_is_refused(
    clips: ClipFile, tmp_path: Path, split: str
) -> None:
    signal = blinking(clips, tmp_path, clips.split(split).tolist())
    with pytest.raises(ValueError, match="landmarks of no train or no val clip"):
        training_set(clips, signal, TARGETS["distances"])


def test_clips_without_landmarks_are_left_out_of_validation(
    clips: ClipFile, tmp_path: Path
) -> None:
    lost, *others = clips.split("val").tolist()
    signal = blinking(clips, tmp_path, [lost])
    assert training_set(clips, signal, TARGETS["distances"]).val.tolist() == others
