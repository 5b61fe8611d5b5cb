"""The coverage of the shapes of dSprites, and their exact flow."""

import numpy as np
import pytest

from s3vae.data.dsprites.shapes import HALF_SIDE, HEART, RADII, SHAPES, SIZE, Pose, coverage, flow

MIDDLES = np.arange(SIZE) + 0.5


def poses(count: int) -> Pose:
    """Draw random poses with the whole object in the frame."""
    draw = np.random.default_rng(0)
    x, y = draw.uniform(17, 47, (2, count))
    return Pose(x, y, draw.uniform(0.5, 1.1, count), draw.uniform(0, 2 * np.pi, count))


def still(**changes: list[float]) -> Pose:
    """Return two equal poses in the middle of the frame, with changes."""
    still = {"x": [32.0, 32.0], "y": [32.0, 32.0], "scale": [1.0, 1.0], "angle": [0.0, 0.0]}
    return Pose(**{name: np.array(value) for name, value in (still | changes).items()})


def official(shape: str, pose: Pose) -> np.ndarray:
    """Compute which pixels are set by the formulas of docs/data.md, frame by frame."""
    frames = []
    for x, y, scale, angle in zip(*pose, strict=True):
        right, down = np.meshgrid((MIDDLES - x) / scale, (MIDDLES - y) / scale)
        c, s = np.cos(angle), -np.sin(angle)
        u, v = c * right + s * down, -s * right + c * down
        if shape == "square":
            frames.append((abs(u) <= HALF_SIDE) & (abs(v) <= HALF_SIDE))
        elif shape == "ellipse":
            frames.append((u / RADII[0]) ** 2 + (v / RADII[1]) ** 2 <= 1)
        else:
            from_up = np.arccos(np.clip(-v / np.maximum(np.hypot(u, v), 1e-9), -1, 1))
            radius = np.interp(from_up, np.linspace(0, np.pi, len(HEART)), HEART)
            frames.append(np.hypot(u, v) <= radius)
    return np.stack(frames)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_pixel_is_half_covered_where_the_official_one_is_set(shape: str) -> None:
    pose = poses(100)
    differing = (coverage(shape, pose) >= 0.5) != official(shape, pose)
    assert differing.sum(axis=(1, 2)).mean() < 0.02


def test_the_mean_pixel_is_that_of_the_official_set() -> None:
    scales, angles = np.meshgrid(np.linspace(0.5, 1, 6), np.linspace(0, 2 * np.pi, 40))
    middle = Pose(np.full(240, 31.6), np.full(240, 32.3), scales.ravel(), angles.ravel())
    mean = np.mean([coverage(shape, middle).mean() for shape in SHAPES])
    assert mean == pytest.approx(0.042494, rel=0.005)


@pytest.mark.parametrize(
    ("shape", "area"), [("square", (2 * HALF_SIDE) ** 2), ("ellipse", np.pi * RADII[0] * RADII[1])]
)
def test_the_sum_of_the_coverage_is_the_area_of_the_outline(shape: str, area: float) -> None:
    pose = poses(50)
    assert coverage(shape, pose).sum(axis=(1, 2)) == pytest.approx(area * pose.scale**2, rel=0.01)


@pytest.mark.parametrize("shape", SHAPES)
def test_coverage_changes_smoothly_with_the_position(shape: str) -> None:
    x = np.linspace(30, 31, 21)
    slide = Pose(x, np.full(21, 32.2), np.full(21, 0.7), np.full(21, 0.4))
    assert abs(np.diff(coverage(shape, slide), axis=0)).max() < 0.11


def test_the_heart_points_down_and_turns_counterclockwise() -> None:
    upright, turned = coverage("heart", still(angle=[0.0, np.pi / 2]))
    assert upright[32:].sum(axis=0)[32] > upright[32:].sum(axis=0)[22]
    assert np.allclose(upright, upright[:, ::-1], atol=1e-5)
    assert np.allclose(turned, np.rot90(upright), atol=1e-4)


@pytest.mark.parametrize("move", [(0.0, 0.0), (4.5, -3.0)])
def test_the_flow_of_a_translation_is_constant_on_the_object_and_0_elsewhere(
    move: tuple[float, float],
) -> None:
    pose = still(x=[30.0, 30 + move[0]], y=[31.0, 31 + move[1]])
    covered = coverage("ellipse", pose) >= 0.5
    moves = flow(covered, pose)[0]
    assert np.allclose(moves[covered[0]], move, atol=1e-5)
    assert not moves[~covered[0]].any()


def test_the_flow_of_a_rotation_is_along_circles() -> None:
    pose = still(angle=[0.3, 0.8])
    moves = flow(np.ones((2, SIZE, SIZE), bool), pose)[0, 19:45, 19:45]
    right, down = np.meshgrid(MIDDLES[19:45] - 32, MIDDLES[19:45] - 32)
    radius = np.hypot(right, down)
    assert np.allclose(np.linalg.norm(moves, axis=-1), 2 * radius * np.sin(0.25), atol=1e-4)
    assert np.allclose(np.hypot(right + moves[..., 0], down + moves[..., 1]), radius, atol=1e-4)


def test_the_flow_of_growth_is_away_from_the_centre() -> None:
    pose = still(scale=[0.8, 1.0])
    moves = flow(np.ones((2, SIZE, SIZE), bool), pose)[0, 20:44, 20:44]
    right, down = np.meshgrid(MIDDLES[20:44] - 32, MIDDLES[20:44] - 32)
    assert np.allclose(moves, np.stack([right, down], axis=-1) * 0.25, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_flow_of_an_object_ends_on_the_object_in_the_next_frame(shape: str) -> None:
    pose = still(x=[28.0, 33.5], y=[35.0, 31.2], scale=[0.9, 1.1], angle=[0.2, 0.7])
    now, then = coverage(shape, pose)
    moves = flow(np.stack([now, then]) >= 0.5, pose)[0]
    rows, columns = np.nonzero(now == 1)
    there = np.floor(moves[rows, columns] + np.stack([columns + 0.5, rows + 0.5], axis=-1))
    assert (then[there[:, 1].astype(int), there[:, 0].astype(int)] > 0.5).mean() > 0.99
