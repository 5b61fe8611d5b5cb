"""Moving dSprites: frames, motion and splits."""

import dataclasses
from itertools import combinations, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s3vae.data.clips import SPLITS, ClipFile, ClipSet, write_clips
from s3vae.data.dsprites.dsprites import AMPLITUDE, COLOURS, MOTIONS, DSprites
from s3vae.data.dsprites.shapes import SIZE

RAW = Path("unused")
CELL_AREAS = np.outer([21, 22, 21], [21, 22, 21])[..., None]


def small(**changes: Any) -> ClipSet:
    """Draw one clip of each identity and motion, with changed settings."""
    return DSprites(**({"takes": 1} | changes)).clips(RAW)


@pytest.fixture(scope="module")
def clips() -> ClipSet:
    """Draw one clip of each identity and motion, and keep its frames."""
    drawn = small()
    return dataclasses.replace(drawn, frames=list(drawn.frames))


def chosen(clips: ClipSet, **values: str) -> np.ndarray:
    """Return the clips whose factors have these values."""
    factors = {factor.name: factor.values for factor in clips.factors}
    matches = [clips.labels[name] == factors[name].index(value) for name, value in values.items()]
    return np.flatnonzero(np.all(matches, axis=0))


def areas(clips: ClipSet) -> np.ndarray:
    """Count the pixels that the object covers in the first frame of each pair, [clip, pair]."""
    lit = np.stack([clip.max(axis=-1) > 127 for clip in clips.frames])
    return np.asarray(lit.sum(axis=(2, 3))[:, :-1])


def displacement(clips: ClipSet, motion: str) -> np.ndarray:
    """Sum magnitude, x and y over all pixels of each pair of frames, [clip, pair, 3]."""
    assert clips.motion is not None
    return np.asarray((clips.motion[chosen(clips, motion=motion)] * CELL_AREAS).sum(axis=(2, 3)))


def test_a_clip_has_one_colour_on_black(clips: ClipSet) -> None:
    for index, clip in enumerate(clips.frames):
        colour = list(COLOURS.values())[clips.labels["colour"][index]]
        assert (clip.max(axis=(0, 1, 2)) == colour).all()
        assert np.median(clip) == 0


def test_colours_differ_clearly() -> None:
    for one, other in combinations(COLOURS.values(), 2):
        assert np.linalg.norm(np.subtract(one, other)) > 120


def test_larger_scales_cover_more(clips: ClipSet) -> None:
    frames = list(clips.frames)
    sizes = [
        sum((frames[index][0].max(axis=-1) > 127).sum() for index in chosen(clips, scale=scale))
        for scale in ("0.6", "0.8", "1.0")
    ]
    assert np.array(sizes) / sizes[2] == pytest.approx(np.array([0.36, 0.64, 1]), rel=0.02)


@pytest.mark.parametrize("variant", ["in-phase", "hard"])
def test_every_object_stays_inside_the_frame(variant: str) -> None:
    furthest = small(variant=variant, time=8, start_jitter=7.0, speed_jitter=0.2, seed=3)
    growing = MOTIONS.index("grow-shrink")
    for motion, clip in zip(furthest.labels["motion"], furthest.frames, strict=True):
        shares = clip.max(axis=-1).astype(float).sum(axis=(1, 2))
        if motion == growing:
            assert not clip[:, [0, -1]].any()
            assert not clip[:, :, [0, -1]].any()
        else:
            assert np.ptp(shares) < 0.03 * shares.mean()


def test_each_motion_has_its_direction(clips: ClipSet) -> None:
    for motion, along, across in (("left-right", 1, 2), ("up-down", 2, 1)):
        moved = np.abs(displacement(clips, motion))
        assert moved[..., across].max() < 1e-3 < moved[..., along].max()
    _, x, y = np.moveaxis(displacement(clips, "diagonal"), -1, 0)
    assert np.allclose(x, y, rtol=1e-3)
    for motion in ("rotate", "grow-shrink"):
        symmetric = np.isin(clips.labels["shape"][chosen(clips, motion=motion)], (0, 1))
        whole, x, y = np.moveaxis(displacement(clips, motion)[symmetric], -1, 0)
        assert (np.hypot(x, y) < 0.3 * whole).all()


def test_the_speed_along_the_circle_is_constant() -> None:
    steady = small(time=6, start_jitter=0.0, speed_jitter=0.0)
    speed = displacement(steady, "circle")[..., 0] / areas(steady)[chosen(steady, motion="circle")]
    assert speed == pytest.approx(2 * AMPLITUDE * np.sin(np.pi / 12), rel=0.05)


def test_the_exact_motion_agrees_with_the_centre_of_mass_of_the_pixels(clips: ClipSet) -> None:
    frames, middles = list(clips.frames), np.arange(SIZE) + 0.5
    for motion in ("left-right", "up-down", "circle", "diagonal"):
        for index, moved in zip(
            chosen(clips, motion=motion), displacement(clips, motion), strict=True
        ):
            light = frames[index].max(axis=-1).astype(float)
            mass = light.sum(axis=(1, 2))
            centre = np.stack([light.sum(axis=1) @ middles, light.sum(axis=2) @ middles])
            steps = np.diff(centre / mass, axis=-1).T
            area = (light > 127).sum(axis=(1, 2))[:-1, None]
            assert np.allclose(moved[:, 1:] / area, steps, rtol=0.05, atol=0.25)


def test_consecutive_frames_differ_visibly_but_by_a_few_pixels_only(clips: ClipSet) -> None:
    sizes = areas(clips)
    for motion in MOTIONS:
        shift = displacement(clips, motion)[..., 0] / sizes[chosen(clips, motion=motion)]
        assert (shift.max(axis=-1) > 0.4).all()
        assert (shift < 6.5).all()


def test_in_phase_clips_without_jitter_are_identical() -> None:
    still = small(takes=2, time=3, start_jitter=0.0, speed_jitter=0.0)
    frames = list(islice(still.frames, 120))
    assert np.array_equal(frames[::2], frames[1::2])


def test_in_phase_clips_of_a_motion_start_within_the_jitter(clips: ClipSet) -> None:
    poses = DSprites(takes=1)._poses(clips.labels["scale"], clips.labels["motion"])
    for start in (poses.x, poses.y):
        offset = start[chosen(clips, motion="left-right"), 0] - SIZE / 2
        assert 0.75 < np.abs(offset).max() <= 1


def test_hard_clips_start_at_any_phase() -> None:
    hard = DSprites(variant="hard", takes=1, time=2)
    labels = hard.clips(RAW).labels
    angles = hard._poses(labels["scale"], labels["motion"]).angle[:, 0]
    angles = angles[labels["motion"] == MOTIONS.index("rotate")]
    assert np.histogram(angles % np.pi, 4, (0, np.pi))[0].min() > 8


@pytest.mark.parametrize(("split", "identities"), [(0, 54), (1, 9), (2, 18)])
def test_each_split_has_its_share_of_identities_and_balances_every_factor(
    clips: ClipSet, split: int, identities: int
) -> None:
    assert len(np.unique(clips.identity[clips.split == split])) == identities
    for factor in clips.factors:
        counts = np.bincount(clips.labels[factor.name][clips.split == split])
        assert len(counts) == len(factor.values)
        assert len(set(counts)) == 1


def test_the_seed_determines_the_clips() -> None:
    one, same, other = (np.stack(list(islice(small(seed=k, time=2).frames, 60))) for k in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("dependence", [0.0, 0.5, 0.9, 1.0])
def test_the_motion_is_that_of_the_colour_as_often_as_stated_but_not_in_test_clips(
    dependence: float,
) -> None:
    clips = small(takes=4, time=2, dependence=dependence)
    agrees = clips.labels["motion"] == clips.labels["colour"] % len(MOTIONS)
    by_chance = 1 / len(MOTIONS)
    for split in ("train", "val"):
        expected = dependence + (1 - dependence) * by_chance
        share = agrees[clips.split == SPLITS.index(split)].mean()
        assert share == pytest.approx(expected, abs=0.08 if 0 < dependence < 1 else 1e-9)
    assert agrees[clips.split == SPLITS.index("test")].mean() == pytest.approx(by_chance)


def test_dependent_sets_have_the_test_clips_of_the_independent_one() -> None:
    one, other = (small(time=2, dependence=strength) for strength in (0.0, 0.9))
    test = one.split == SPLITS.index("test")
    frames, same = (np.stack(list(clips.frames)) for clips in (one, other))
    assert np.array_equal(frames[test], same[test])
    assert not np.array_equal(frames[~test], same[~test])


def test_independent_sets_keep_the_parameters_of_older_files() -> None:
    assert "dependence" not in small(time=2).parameters
    assert small(time=2, dependence=0.5).parameters["dependence"] == 0.5


def test_fresh_clips_have_every_motion_of_every_train_identity() -> None:
    settings = DSprites(takes=1, time=2, dependence=1.0)
    clips = settings.clips(RAW)
    fresh = settings.of_source(clips.source).fresh_clips(RAW)
    labels = [fresh.clip(number)[1] for number in range(54 * len(MOTIONS))]
    drawn = {tuple(each[factor.name] for factor in clips.factors) for each in labels}
    train = clips.split == SPLITS.index("train")
    static = np.stack([clips.labels[name][train] for name in ("shape", "scale", "colour")], axis=1)
    assert drawn == {(*one, motion) for one in static.tolist() for motion in range(len(MOTIONS))}
    (one, again), other = (fresh.clip(7)[0] for _ in range(2)), fresh.clip(7 + len(labels))[0]
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_the_set_is_written_with_its_exact_motion_and_needs_no_download(tmp_path: Path) -> None:
    settings = DSprites(takes=1, time=3)
    write_clips(tmp_path / "dsprites.h5", settings.clips(RAW))
    file = ClipFile(tmp_path / "dsprites.h5")
    assert settings.files == ()
    assert [factor.name for factor in file.dynamic_factors] == ["motion"]
    assert file.motion is not None
    assert file.shape[:2] == (486, 3)
    assert file.motion.shape == (486, 2, 3, 3, 3)
    assert DSprites(**file.parameters) == settings
