"""The prediction targets: outputs of the head, loss and file of every signal."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from s3vae.data.clips import ClipFile
from s3vae.signals.flow_file import FlowSignal, write_flow
from s3vae.signals.landmark_file import LandmarkSignal
from s3vae.training.presets import LossSettings
from s3vae.training.targets import TARGETS, Distances, read_signal


@pytest.mark.parametrize(
    ("name", "outputs"), [("top-cells", 9), ("top-cells+direction", 81), ("cells", 27)]
)
def test_the_head_has_one_output_per_target_value(
    name: str, outputs: int, flow: FlowSignal
) -> None:
    assert TARGETS[name].outputs(flow) == outputs


def test_the_head_has_as_many_directions_as_the_flow(
    clips: ClipFile, flow: FlowSignal, tmp_path: Path
) -> None:
    write_flow(tmp_path / "flow.h5", [flow.motion], {"directions": 12}, clips.sha256)
    signal = FlowSignal(tmp_path / "flow.h5")
    assert TARGETS["top-cells+direction"].outputs(signal) == 9 * 13


@pytest.mark.parametrize("name", ["top-cells", "top-cells+direction", "cells"])
def test_a_gradient_step_reduces_the_loss(name: str, clips: ClipFile, flow: FlowSignal) -> None:
    target, rows = TARGETS[name], clips.split("train")[:6]
    batch = {key: table[rows] for key, table in target.targets(flow, clips.split("train")).items()}
    predicted = torch.zeros(6, clips.time, target.outputs(flow), requires_grad=True)
    before = target.loss(predicted, batch)
    before.backward()
    assert target.loss(predicted - 0.1 * predicted.grad, batch) < before


def test_a_signal_is_read_from_the_file_of_its_kind(squares_folder: Path) -> None:
    signal = read_signal("cells", squares_folder)
    assert isinstance(signal, FlowSignal)
    assert np.isfinite(signal.motion.cells).all()
    assert TARGETS["distances"].file is LandmarkSignal
    with pytest.raises(FileNotFoundError, match=r"landmarks\.h5"):
        read_signal("distances", squares_folder)


def test_a_signal_added_to_the_targets_is_known_and_read_from_its_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sound(FlowSignal):
        kind = "sound"

        def __init__(self, path: Path) -> None:
            self.path = path

    class Loudness(Distances):
        file = Sound

    with pytest.raises(ValidationError, match="no signal 'loudness': choose one of top-cells"):
        LossSettings(signal="loudness")
    monkeypatch.setitem(TARGETS, "loudness", Loudness())
    assert TypeAdapter(LossSettings).validate_python({"signal": "loudness"}).signal == "loudness"
    assert read_signal("loudness", tmp_path).path == tmp_path / "sound.h5"
