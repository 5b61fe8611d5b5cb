"""Tiny trainings; the library is imported late, after the shape checks are on."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from s3vae.data.clips import ClipFile
    from s3vae.model.architecture import Architecture
    from s3vae.signals.store import FlowSignal
    from s3vae.training.batches import Batch
    from s3vae.training.examples import Examples
    from s3vae.training.objective import Objective
    from s3vae.training.presets import LossSettings


@pytest.fixture(scope="session")
def given(clips: "ClipFile", flow: "FlowSignal") -> "Examples":
    """The squares with their flow, and their true motions as clusters."""
    import torch

    from s3vae.signals.clusters import MotionClusters
    from s3vae.training.batches import ClipBatches
    from s3vae.training.examples import examples

    found, motion = examples(clips, flow, None), clips.labels("motion")
    known = {**found.batches.known, "cluster": torch.from_numpy(motion)}
    clusters = MotionClusters(motion, 3, {})
    return replace(found, batches=ClipBatches(clips, known), clusters=clusters)


@pytest.fixture
def batch(given: "Examples") -> "Batch":
    """Eight training clips, of both colours and all motions."""
    clips = given.batches.clips.split("train")
    return given.batches[clips[[0, 2, 4, 6, 12, 14, 16, 18]]]


@pytest.fixture
def make(tiny: "Architecture") -> "Callable[..., Objective]":
    """A new tiny objective with these losses; other arguments change the architecture."""

    def make(settings: "LossSettings", **changes: Any) -> "Objective":
        import torch

        from s3vae.model.s3vae import S3VAE
        from s3vae.training.objective import Objective

        torch.manual_seed(0)
        sizes = replace(tiny, signal=settings.outputs(9), **changes)
        return Objective(S3VAE(sizes), settings, clusters=3, clips=24)

    return make
