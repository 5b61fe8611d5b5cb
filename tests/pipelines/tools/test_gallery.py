"""The animations of docs/gallery.md."""

from pathlib import Path

from PIL import Image

from pipelines.paths import Layout
from pipelines.tools.gallery import CLIPS, GAP, gallery
from s3vae.data.clips import ClipSet
from s3vae.tiles import GAP as BORDER


def test_drawn_codes_stand_side_by_side_and_clips_go_on(
    squares: Layout, squares_set: ClipSet, tmp_path: Path
) -> None:
    gallery(squares, "tiny", tmp_path)
    time, side = squares_set.shape[1], squares_set.shape[2] + BORDER
    with Image.open(tmp_path / "squares-overview.webp") as drawn:
        assert drawn.size == ((3 * CLIPS + 2) * side + 2 * GAP, CLIPS * side)
        assert drawn.n_frames == time
    with Image.open(tmp_path / "squares-continued.webp") as continued:
        assert continued.size == (CLIPS * side, 2 * side)
        assert continued.n_frames > time  # frames that do not change are one
