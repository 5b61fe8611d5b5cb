"""A baseline is a folder and a line: settings, objective and models are found by its section."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from pydantic import TypeAdapter

from s3vae.baselines import catalogue, saved
from s3vae.baselines.mocogan.baseline import MOCOGAN, MoCoGANMethod
from s3vae.training import build, method

if TYPE_CHECKING:
    from s3vae.data.clips import ClipFile
    from s3vae.signals.flow_file import FlowSignal

SETTINGS = {
    "architecture": {"preset": "fast", "decoder_width": 4},
    "adversarial": {"width": 4},
    "training": {"steps": 1},
}


def test_a_method_is_of_the_baseline_whose_section_it_has() -> None:
    found = TypeAdapter(method.AnyMethod).validate_python(SETTINGS)
    assert isinstance(found, MoCoGANMethod)


def test_a_line_in_the_catalogue_is_all_that_the_rest_of_the_project_reads(
    clips: "ClipFile", flow: "FlowSignal", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another baseline, which differs in its section and its file, is trained and loaded alike."""
    other = replace(MOCOGAN, section="other", file="other.json")
    for module in (catalogue, saved, build):
        monkeypatch.setattr(module, "BASELINES", (other,))
    settings = TypeAdapter(MoCoGANMethod).validate_python(SETTINGS)
    data = build.training_set_for(settings, clips, flow)
    model = build.objective_of(settings, data).model
    saved.save_model(model, tmp_path / "model")
    (tmp_path / "model" / "other.json").write_text("{}")
    loaded = saved.load_model(tmp_path / "model", torch.device("cpu"))
    assert type(loaded) is type(model)
    assert loaded.categories == model.categories
