"""Whether drawn clips are new."""

import numpy as np
import pytest
import torch

from s3vae.data.clips import ClipFile
from s3vae.evaluation.novelty import Appearances, Copies, thumbnails
from s3vae.tensors import to_unit


def test_unseen_appearances_are_combinations_that_training_never_showed(clips: ClipFile) -> None:
    appearances = Appearances(clips)
    appearances.names = ["shape", "colour"]
    appearances.labels = np.array([[0, 0], [0, 1], [1, 1], [1, 1]])
    appearances.known = {(0, 0), (0, 1), (1, 1)}
    found = {"shape": np.eye(2)[[0, 1, 1, 1]], "colour": np.eye(2)[[1, 1, 1, 0]]}
    assert appearances.unseen(found) == 0.25
    assert appearances.unseen_if_independent() == pytest.approx(1 / 2 * 1 / 4)


def test_appearances_of_the_train_split_are_known(clips: ClipFile) -> None:
    appearances, train = Appearances(clips), clips.split("train")
    labels = {factor.name: clips.labels(factor.name)[train] for factor in clips.static_factors}
    assert appearances.unseen({name: np.eye(9)[values] for name, values in labels.items()}) == 0


def test_clips_of_training_are_copies_and_noise_is_none(clips: ClipFile) -> None:
    copies = Copies(clips)
    half = np.random.default_rng(0).permutation(clips.split("train"))[::2]
    known = to_unit(torch.from_numpy(clips.frames(half)))
    assert copies.share(thumbnails(known)) == 1
    noise = torch.rand(known.shape, generator=torch.Generator().manual_seed(0))
    assert copies.share(thumbnails(noise)) == 0


def test_clips_farther_than_other_train_clips_are_no_copies(clips: ClipFile) -> None:
    copies = Copies(clips)
    shift = torch.zeros_like(copies.known)
    shift[:, 0] = 1
    assert copies.share(copies.known + 0.99 * copies.radius * shift) == 1
    copies.known = copies.known[:1]
    assert copies.share(copies.known + 1.01 * copies.radius * shift[:1]) == 0
