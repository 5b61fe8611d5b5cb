"""Label-free scores of swaps that are true, or that ignore one of the codes."""

import itertools
from typing import Literal

import numpy as np
import pytest
import torch
from numpy import ndarray

from s3vae.data.clips import ClipFile
from s3vae.evaluation.codes import Codes, encode
from s3vae.evaluation.label_free import Compared, fixed_donors, label_free_scores, swapped_clips
from s3vae.evaluation.metrics import metric
from s3vae.evaluation.pictures import decode
from s3vae.evaluation.protocol import Scores
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE

MOTION, APPEARANCE = ("flow_cosine", "flow_error"), ("colour_distance", "background_distance")
MEASURES = (*MOTION, *APPEARANCE)
COLOURS = np.array([[200, 0, 0], [0, 200, 200]], np.uint8)
BACKGROUNDS = np.array([[0, 40, 90], [90, 40, 0]], np.uint8)
Ignored = Literal["z_f", "z_t"]


def painted(clips: ClipFile, looks: ndarray, motion: ndarray) -> ndarray:
    """Return squares in the colours of some clips, where the squares of other clips are."""
    inside = clips.frames(motion).any(axis=-1, keepdims=True)
    colour = clips.labels("colour")[looks][:, None, None, None]
    return np.where(inside, COLOURS[colour], BACKGROUNDS[colour])


def scores_of(clips: ClipFile, ignored: Ignored | None = None) -> Scores:
    """Return the scores of a model that reconstructs perfectly and swaps without one code."""
    rows = clips.split("test")
    donors = fixed_donors(clips.identity[rows])
    looks, motion = rows[donors.static], rows[donors.dynamic]
    swaps = painted(
        clips, motion if ignored == "z_f" else looks, looks if ignored == "z_t" else motion
    )
    real = painted(clips, rows, rows)
    return label_free_scores(Compared(swaps, real, real, donors))


def is_worse(name: str, one: float, other: float) -> bool:
    sign = 1 if metric(name).better == "lower" else -1
    return sign * (one - other) > 0.03


def test_true_swaps_are_nearer_to_the_floor_than_to_other_clips(clips: ClipFile) -> None:
    scores = scores_of(clips)
    for name in MEASURES:
        lost = abs(scores[name] - scores[f"{name}_floor"])
        for end in ("_other", "_null"):
            assert is_worse(name, scores[f"{name}{end}"], scores[name])
            assert abs(scores[f"{name}{end}"] - scores[f"{name}_floor"]) > 3 * lost


@pytest.mark.parametrize(("ignored", "betrayed"), [("z_f", APPEARANCE), ("z_t", MOTION)])
def test_swaps_that_ignore_a_code_are_worse_by_the_measures_of_that_code_alone(
    ignored: Ignored, betrayed: tuple[str, ...], clips: ClipFile
) -> None:
    true, scores = scores_of(clips), scores_of(clips, ignored)
    assert {name for name in MEASURES if is_worse(name, scores[name], true[name])} == {*betrayed}
    for name in betrayed:  # the swap is the other donor
        assert scores[f"{name}_other"] == pytest.approx(scores[f"{name}_floor"], abs=1e-6)


def test_a_perfect_reconstruction_is_the_best_possible_value(clips: ClipFile) -> None:
    scores = scores_of(clips)
    assert [scores[f"{name}_floor"] for name in MEASURES] == pytest.approx([1, 0, 0, 0], abs=1e-6)


def test_still_swaps_have_an_error_of_1_and_do_not_agree(clips: ClipFile) -> None:
    rows = clips.split("test")
    real = painted(clips, rows, rows)
    still = np.repeat(real[:, :1], clips.time, axis=1)
    scores = label_free_scores(Compared(still, real, real, fixed_donors(clips.identity[rows])))
    assert scores["flow_error"] == pytest.approx(1)
    assert not scores["flow_cosine"] > 0.1


def test_without_a_pixel_that_is_still_the_background_is_undefined(clips: ClipFile) -> None:
    rows = clips.split("test")
    noise = np.random.default_rng(0).integers(0, 256, (len(rows), *clips.shape[1:]), np.uint8)
    scores = label_free_scores(Compared(noise, noise, noise, fixed_donors(clips.identity[rows])))
    assert np.isnan(scores["background_distance"])
    assert np.isfinite(scores["colour_distance"])


@pytest.mark.parametrize("sizes", [(1,) * 12, (6, 6), (9, 1, 1), (1, 1, 1), (5,), (4, 3, 5, 2)])
def test_no_clip_is_its_own_donor_and_three_clips_meet(sizes: tuple[int, ...]) -> None:
    identity = np.repeat(np.arange(len(sizes)), sizes)
    donors = fixed_donors(identity)
    for each in donors:
        assert sorted(each) == list(range(len(identity)))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (donors[one] != donors[other]).all()


def test_donors_are_of_different_identities_if_none_has_more_than_a_third() -> None:
    for sizes in itertools.permutations((4, 3, 1, 4, 3)):
        identity = np.repeat(np.arange(5), sizes)
        donors = fixed_donors(identity)
        assert (identity[donors.static] != identity[donors.dynamic]).all()


def test_swaps_are_decoded_from_the_codes_of_their_donors(
    tiny: Architecture, clips: ClipFile
) -> None:
    torch.manual_seed(0)
    model, rows, device = S3VAE(tiny).eval(), clips.split("test"), torch.device("cpu")
    for parameter in model.decoder.parameters():
        torch.nn.init.normal_(parameter)
    compared = swapped_clips(model, encode(model, clips, rows, device), clips, rows)
    by_bytes = {clips.frames([row]).tobytes(): row for row in rows}
    order = np.array([by_bytes[clip.tobytes()] for clip in compared.real])
    codes = encode(model, clips, order, device)
    own, (static, dynamic, _) = decode(model, codes), compared.donors
    expected = decode(model, Codes(codes.static[static], codes.dynamic[dynamic]))
    assert np.abs(compared.reconstructions.astype(int) - own).max() <= 1
    assert np.abs(compared.swaps.astype(int) - expected).max() <= 1
    assert sorted(order) == sorted(rows)


def test_two_clips_have_no_wrong_pair(clips: ClipFile) -> None:
    rows = clips.split("test")[[0, 8]]
    real = painted(clips, rows, rows)
    scores = label_free_scores(Compared(real[::-1], real, real, fixed_donors(np.arange(2))))
    undefined = {name for name, value in scores.items() if np.isnan(value)}
    assert {f"{name}_null" for name in MEASURES} <= undefined
    assert np.isfinite(scores["colour_distance"])
