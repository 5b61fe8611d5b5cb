"""The prior of appearance that a training ends with."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from s3vae.data.clips import ClipFile, write_clips
from s3vae.data.smmnist.smmnist import SMMNIST
from s3vae.engine.batches import ClipBatches
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.model.two_objects import networks
from s3vae.model.two_objects.tracker import brightness
from s3vae.tensors import to_unit
from s3vae.training.static_prior import learn_static_prior

CPU = torch.device("cpu")


def test_objects_are_followed_along_known_tracks_and_the_prior_is_the_same(
    tiny: Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = SMMNIST(digits="embedded", time=3, train=12, val=2, test=2)
    write_clips(tmp_path / "clips.h5", settings.clips(Path("unused")))
    clips = ClipFile(tmp_path / "clips.h5")
    sizes = replace(tiny, encoder="objects", decoder="sprites", channels=1, static=6, dynamic=7)
    torch.manual_seed(0)
    model, other = S3VAE(sizes), S3VAE(sizes)
    other.load_state_dict(model.state_dict())
    learn_static_prior(model, ClipBatches(clips, {}), CPU)
    frames = to_unit(torch.from_numpy(clips.frames(range(clips.clips))))
    tracks = networks.track(brightness(frames)).tracks
    monkeypatch.delattr(networks, "track")
    learn_static_prior(other, ClipBatches(clips, {"tracks": tracks}), CPU)
    found, expected = (each.static_prior.state_dict() for each in (other, model))
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
