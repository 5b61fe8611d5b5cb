"""The picture of swaps while a model trains."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image

from pipelines import preview
from s3vae.data.clips import ClipFile
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE


class Store:
    """A tracker that remembers the rows, and when which files came."""

    def __init__(self) -> None:
        self.now = 0.0
        self.rows: list[Mapping[str, float]] = []
        self.files: list[tuple[float, str, tuple[int, int]]] = []

    def log(self, row: Mapping[str, float]) -> None:
        self.rows.append(row)

    def file(self, path: Path, artifact: str) -> None:
        with Image.open(path) as picture:
            self.files.append((self.now, artifact, picture.size))


def test_swaps_are_shown_every_two_minutes_and_change_no_training(
    clips: ClipFile, tiny: Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store: Any = Store()
    monkeypatch.setattr(preview, "time", SimpleNamespace(monotonic=lambda: store.now))
    model = S3VAE(tiny).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    report = preview.with_preview(store, model, clips, tmp_path / "previews" / "swaps.png")
    for store.now in (60, 119, 120, 200, 239, 241):
        report({"step": store.now})
    assert [row["step"] for row in store.rows] == [60, 119, 120, 200, 239, 241]
    assert [(now, name) for now, name, _ in store.files] == [(120, "preview"), (241, "preview")]
    assert min(store.files[0][2]) > 64
    assert model.training
    assert torch.equal(torch.get_rng_state(), random)
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())


def test_a_model_that_encodes_no_clips_has_no_preview(clips: ClipFile, tmp_path: Path) -> None:
    store: Any = Store()
    report = preview.with_preview(store, torch.nn.Linear(1, 1), clips, tmp_path)
    assert report == store.log
