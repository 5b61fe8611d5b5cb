"""The page of the explorer: one file that holds a model and needs neither server nor network."""

import base64
import copy
import gzip
import html
import io
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from s3vae.app.codes import Codes
from s3vae.app.exported import codes
from s3vae.app.model import VideoModel
from s3vae.app.package import stored
from s3vae.app.recording import PICTURES_PER_SECOND, Frames, frame_rate
from s3vae.export.graphs import AXES, graphs, sizes_of
from s3vae.export.onnx_files import export_onnx
from s3vae.files import checksum_of

FOLDER = Path(__file__).parent
SCRIPTS = ("networks.js", "clips.js", "films.js", "explorer.js")
VENDOR = FOLDER / "vendor"
LIBRARIES = VENDOR / "libraries.json"
"""The name, version, licence and checksum of every library that the page contains."""
LICENCES = VENDOR / "LICENCES.txt"
ONLY_IN_PAGES = ("onnxruntime-web",)
"""The library that a page behind a server leaves out."""
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:; "
    "style-src 'unsafe-inline'; img-src data: blob:; media-src blob: data:; connect-src {connect}; "
    "form-action 'none'; base-uri 'none'"
)
"""The content security policy: nothing is loaded from, or sent to, a network."""
ADAPTED = " The model is adapted to the clips of this page: it draws others badly, random ones too."
DRAWN, DIRECTIONS, MOST_FRAMES, COLUMNS = 4, 6, 300, 16
LEAST_VALUES = 64
"""Smaller weights are not worth a node that widens them."""


@dataclass(frozen=True)
class Held:
    """A clip that the page holds; the codes of a drawn one need no encoder."""

    name: str
    frames: Frames
    rate: float
    codes: Codes | None = None


def page_of(
    model: VideoModel,
    name: str,
    clips: Sequence[Held],
    *,
    served: bool = False,
    adapted: bool = False,
) -> str:
    """Return the page as HTML. With `adapted`, it says that the model is adapted to its clips.

    With `served`, the page uses the networks of the server that sends it, which a model needs that
    ONNX cannot express. Otherwise raises ValueError for such a model, and ImportError without
    `s3vae[export]`.
    """
    blobs = libraries(served=served)
    if not served:
        blobs |= networks(model)
    settings = {**page_settings(model), "held": [packed(clip) for clip in clips], "served": served}
    # "<" could end the element
    text = json.dumps(settings).replace("<", "\\u003c")
    data = [f'<script type="application/json" id="page">{text}</script>']
    data += [
        f'<script type="text/plain" id="{key}">{base64.b64encode(content).decode()}</script>'
        for key, content in blobs.items()
    ]
    read = {path.name: path.read_text() for path in (FOLDER / "page").iterdir()}
    parts = {
        "policy": POLICY.format(connect="'self' blob: data:" if served else "blob: data:"),
        "name": html.escape(name),
        "note": ADAPTED if adapted else "",
        "style": read["explorer.css"],
        "data": "\n".join(data),
        "script": "\n".join(read[script] for script in SCRIPTS),
        "licences": html.escape(LICENCES.read_text()),
    }
    return re.sub("{{(\\w+)}}", lambda found: parts[found[1]], read["explorer.html"])


def clips_to_hold(model: VideoModel, videos: Sequence[Path]) -> list[Held]:
    """Return the beginnings of videos as the model takes them, or a few drawn clips."""
    if not videos:
        return [
            Held(f"drawn {number}", model.decode(each), PICTURES_PER_SECOND, each)
            for number, each in enumerate(model.drawn(DRAWN), start=1)
        ]
    return [held(model, video) for video in videos]


def held(model: VideoModel, video: Path) -> Held:
    """Return the beginning of a video as the model takes it."""
    recording = model.open(video)
    times = recording.times[recording.taken][:MOST_FRAMES]
    frames = [frame for frame, _ in zip(recording.frames(), times, strict=False)]
    return Held(video.name, np.stack(frames), frame_rate(times))


def packed(clip: Held) -> dict[str, Any]:
    """Return a clip with its frames as tiles of one picture, without loss."""
    count, height, width, channels = clip.frames.shape
    rows = -(-count // COLUMNS)
    tiles = np.zeros((rows * COLUMNS, height, width, channels), np.uint8)
    tiles[:count] = clip.frames
    grid = tiles.reshape(rows, COLUMNS, height, width, channels).swapaxes(1, 2)
    whole = grid.reshape(rows * height, COLUMNS * width, channels)
    file = io.BytesIO()
    Image.fromarray(np.broadcast_to(whole, (*whole.shape[:2], 3))).save(file, "WEBP", lossless=True)
    picture = f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
    known = clip.codes and {
        "static": clip.codes.static.tolist(),
        "dynamic": clip.codes.dynamic.flatten().tolist(),
    }
    facts = {"name": clip.name, "count": count, "rate": clip.rate, "codes": known}
    return {**facts, "picture": picture}


def page_settings(model: VideoModel) -> dict[str, Any]:
    """Return what the script must know about the model: its cut, sizes, priors and directions."""
    settings = codes(model)
    prior = settings["static_prior"]
    if prior:
        prior["unmixing"] = np.linalg.pinv(np.array(prior["mixing"])).tolist()
    return {
        "clips": settings["clips"],
        "static_prior": prior,
        "part_names": list(model.part_names),
        "dynamic_prior": settings["dynamic_prior"],
        "directions": {key: each[:DIRECTIONS] for key, each in settings["directions"].items()},
        "rate": PICTURES_PER_SECOND,
        "most_frames": MOST_FRAMES,
        "sizes": sizes_of(model.model.architecture),
        "axes": AXES,
        "graphs": {
            name: {"inputs": graph.inputs, "outputs": graph.outputs}
            for name, graph in graphs(model.model).items()
        },
    }


def networks(model: VideoModel) -> dict[str, bytes]:
    """Return the networks as packed ONNX files of half precision by the name of their graph."""
    rounded = copy.deepcopy(model.model).cpu()
    rounded.load_state_dict(stored(rounded, half=True))
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "onnx"
        export_onnx(rounded, files)
        return {path.stem: packed_bytes(halved(path)) for path in sorted(files.iterdir())}


def halved(path: Path) -> bytes:
    """Return an ONNX file in which weights that half precision holds exactly are stored as such.

    onnxruntime widens them once, on loading, so results are unchanged.
    """
    import onnx

    proto = onnx.load(path)
    graph = proto.graph
    for each in [*graph.initializer]:
        values = onnx.numpy_helper.to_array(each)
        if values.dtype != np.float32 or values.size < LEAST_VALUES:
            continue
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            continue
        name = f"{each.name}_half"
        graph.initializer.remove(each)
        graph.initializer.append(onnx.numpy_helper.from_array(half, name))
        graph.node.insert(
            0, onnx.helper.make_node("Cast", [name], [each.name], to=onnx.TensorProto.FLOAT)
        )
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


def libraries(*, served: bool) -> dict[str, bytes]:
    """Return the packed scripts of others by file name. Raises ValueError if one is damaged."""
    listed: Mapping[str, Any] = json.loads(LIBRARIES.read_text())
    blobs = {}
    for package, facts in listed.items():
        if served and package in ONLY_IN_PAGES:
            continue
        for name, checksum in facts["sha256"].items():
            path = VENDOR / f"{name}.gz"
            if checksum_of(path) != checksum:
                raise ValueError(f"{path} is damaged: install s3vae again")
            blobs[name] = path.read_bytes()
    return blobs


def packed_bytes(content: bytes) -> bytes:
    """Return bytes as gzip, the same for the same bytes."""
    return gzip.compress(content, mtime=0)
