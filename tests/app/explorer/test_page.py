"""The page of the explorer: what it holds, and what it refuses."""

import base64
import copy
import io
import json
import re
import tempfile
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from numpy import ndarray
from PIL import Image

from s3vae.app.command import execute
from s3vae.app.explorer import page
from s3vae.app.explorer.open import explore, open_in_browser
from s3vae.app.explorer.page import Held, halved, libraries, packed
from s3vae.app.load import load
from s3vae.app.model import VideoModel
from s3vae.app.package import stored
from s3vae.export.graphs import graphs, sizes_of
from s3vae.export.onnx_files import write_graph
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.model.static_prior import StaticPrior


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the addresses that a browser is asked to open."""
    addresses: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", lambda address: addresses.append(address) or True)
    return addresses


def test_the_page_is_written_and_opened(
    folder: Path, videos: tuple[Path, Path], tmp_path: Path, opened: list[str]
) -> None:
    output = tmp_path / "page.html"
    words = ["explore", "--model", str(folder), "-o", str(output), "--video", str(videos[1])]
    assert execute(words) == 0
    text = output.read_text()
    assert opened == [output.as_uri()]
    assert "{{" not in re.sub(r"<script type=.text/plain.*?</script>", "", text)
    (found,) = re.findall(r'id="page">(.*?)</script>', text)
    settings = json.loads(found)
    assert [(held["name"], held["count"]) for held in settings["held"]] == [("motion.mp4", 6)]
    assert "connect-src blob: data:" in text
    assert page.ADAPTED not in text
    assert execute(words) == 2  # it exists


def test_the_page_has_a_model_that_is_adapted_to_its_videos(
    folder: Path,
    videos: tuple[Path, Path],
    tmp_path: Path,
    opened: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held: list[VideoModel] = []
    monkeypatch.setattr(page, "networks", lambda model: held.append(model) or {})
    words = ["explore", "--model", str(folder), "--adapt", "20", "--video", *map(str, videos)]
    assert execute([*words, "-o", str(tmp_path / "page.html")]) == 0
    assert page.ADAPTED in (tmp_path / "page.html").read_text()
    (adapted,), known = held, load(folder, "cpu")
    recordings = [known.open(video) for video in videos]
    codes = [known.encode(recording) for recording in recordings]
    before, after = (sum(map(each.error, codes, recordings)) for each in (known, adapted))
    assert after < before


def test_without_videos_the_page_has_drawn_clips_and_their_codes(model: VideoModel) -> None:
    clips = page.clips_to_hold(model, [])
    assert len(clips) == page.DRAWN
    for clip in clips:
        assert clip.codes is not None
        assert np.array_equal(clip.frames, model.decode(clip.codes))


def test_by_default_the_page_is_in_a_temporary_folder_whatever_the_model_is_called(
    model: VideoModel, opened: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "networks", lambda model: {})
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    evil = VideoModel(model.model, replace(model.preparation, dataset="../../evil"))
    explore(evil, [], None)
    (written,) = tmp_path.glob("*/*")
    assert opened == [written.as_uri()]
    assert written.name == "explorer.html"


def test_without_a_display_the_address_is_logged(
    opened: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    caplog.set_level("INFO", "s3vae")
    open_in_browser("file:///page.html")
    assert not opened
    assert "open file:///page.html in a browser" in caplog.text


def test_a_name_cannot_add_markup(model: VideoModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "networks", lambda model: {})
    clip = Held("{{script}}</script><b>", np.zeros((1, 64, 64, 3), np.uint8), 1.0)
    text = page.page_of(model, "</title><b>", [clip])
    assert "<b>" not in text
    assert text.count("function onnxNetworks") == 1


@pytest.mark.parametrize("channels", [1, 3])
def test_held_frames_are_kept_exactly(channels: int, noise: Callable[..., ndarray]) -> None:
    frames = noise(19, height=48, channels=channels)
    made = packed(Held("clip", frames, 12.0))
    content = base64.b64decode(made["picture"].split(",")[1])
    tiles = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    for index, frame in enumerate(frames):
        row, column = divmod(index, page.COLUMNS)
        tile = tiles[row * 48 : (row + 1) * 48, column * 64 : (column + 1) * 64]
        assert np.array_equal(tile[..., :channels], frame)


@pytest.mark.parametrize(("half", "share"), [(True, 0.5), (False, 1.0)])
def test_weights_that_half_precision_holds_take_half_the_room(
    half: bool, share: float, tiny: Architecture, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    sizes = replace(tiny, recurrent=64)
    model, path = S3VAE(sizes), tmp_path / "prior_step.onnx"
    if half:
        model.load_state_dict(stored(model, half=True))
    write_graph(graphs(model)[path.stem], sizes_of(sizes), path)
    small = halved(path)
    assert len(small) == pytest.approx(share * path.stat().st_size, rel=0.1)
    rng = np.random.default_rng(0)
    state = (2, 1, sizes.recurrent)
    shapes = {"before": (1, sizes.dynamic), "hidden": state, "cell": state}
    feeds = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    results = [
        onnxruntime.InferenceSession(each).run(None, feeds) for each in (path.read_bytes(), small)
    ]
    for exact, of_small in zip(*results, strict=True):
        assert np.array_equal(exact, of_small)


def test_a_damaged_library_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(libraries(served=True)) == {"mediabunny.min.mjs", "gifenc.esm.js"}
    for path in page.VENDOR.glob("*.gz"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "gifenc.esm.js.gz").write_bytes(b"x")
    monkeypatch.setattr(page, "VENDOR", tmp_path)
    with pytest.raises(ValueError, match=r"gifenc\.esm\.js\.gz is damaged"):
        libraries(served=False)


def test_the_page_can_find_the_sources_of_a_code(model: VideoModel) -> None:
    model = copy.deepcopy(model)
    sizes = model.model.architecture
    prior = StaticPrior(sizes.static, [(2, 1), (3, sizes.static - 2)])
    prior.mixing.copy_(torch.randn(prior.mixing.shape, generator=torch.Generator().manual_seed(0)))
    model.model.static_prior = prior
    model.part_names = ["hair", None]
    settings = page.page_settings(model)
    assert settings["part_names"] == ["hair", None]
    made = settings["static_prior"]
    assert [len(part["shares"]) for part in made["parts"]] == [2, 3]
    identity = np.array(made["mixing"]) @ np.array(made["unmixing"])
    np.testing.assert_allclose(identity, np.eye(sizes.static - 1), atol=1e-5)
