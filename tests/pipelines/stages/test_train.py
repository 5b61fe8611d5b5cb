"""What DVC is told of a training."""

import pytest

from pipelines.params import Chosen, ParamsError
from pipelines.stages.train import predicts, require_tracked
from s3vae.engine.schedule import TrainingSettings
from s3vae.model.architecture import architecture
from s3vae.training.method import Method
from s3vae.training.presets import Signal, losses


def method(signal: Signal) -> Method:
    return Method(architecture("fast"), losses("paper", signal=signal), TrainingSettings(steps=1))


def test_distances_are_told_by_landmarks_and_all_else_by_flow() -> None:
    assert predicts(method("distances")) == "landmarks"
    assert predicts(method("top-cells")) == predicts(method("cells")) == "flow"


def test_a_model_that_dvc_takes_for_one_of_another_signal_is_refused() -> None:
    flow, faces = Chosen("toy", "ours"), Chosen("toy", "ours", signal="landmarks")
    require_tracked(flow, method("cells"))
    require_tracked(faces, method("distances"))
    require_tracked(None, method("distances"))
    for model, other in ((flow, "distances"), (faces, "cells")):
        with pytest.raises(ParamsError, match=r"pipeline\.models\.toy-ours .* write that there"):
            require_tracked(model, method(other))
