"""A model as files for onnxruntime: its networks, and what a program must know to use them."""

import dataclasses
import json
from pathlib import Path
from typing import Any, get_args

from torch import Tensor

from s3vae.app.film import OutputError, require_folder, require_new
from s3vae.app.model import VideoModel, Which
from s3vae.files import replacing

CODES = "codes.json"
FILES = {"encode.onnx", "decode.onnx", "prior_step.onnx", CODES}


def export(model: VideoModel, folder: Path, *, force: bool = False) -> None:
    """Write `encode.onnx`, `decode.onnx`, `prior_step.onnx` and `codes.json` as one folder.

    Raises OutputError if the folder may not be written (`require_free`); ImportError without
    `s3vae[export]`; and ValueError for a model that ONNX cannot express.
    """
    from s3vae.export.onnx_files import export_onnx

    folder = folder.absolute()
    require_free(folder, force=force)
    with replacing(folder) as aside:
        export_onnx(model.model, aside)
        (aside / CODES).write_text(json.dumps(codes(model), indent=1) + "\n")
        require_free(folder, force=force)  # another process may have written it


def require_free(folder: Path, *, force: bool) -> None:
    """Raise OutputError for a folder that may not be written.

    It is in no folder, is a file, exists and is not forced, or holds more than an export.
    """
    if folder.is_file():
        raise OutputError(f"{folder} is a file: name a folder")
    require_folder(folder.parent)
    require_new(folder, force=force)
    if folder.is_dir() and not {path.name for path in folder.iterdir()} <= FILES:
        raise OutputError(f"{folder} holds something other than an export: name another folder")


def codes(model: VideoModel) -> dict[str, Any]:
    """Return how videos are cut, the priors, and the directions in which codes vary most.

    `static_prior` has a mixture of Gaussians with Cholesky factors for each part of the sources,
    which `mixing` and `centre` map to z_f; it is null for N(0, I).
    `dynamic_prior` has the first codes z_0 of its clusters and how often each begins a motion.
    """
    static, dynamic = model.model.static_prior, model.model.prior
    starts = dynamic.starts
    zero = [[0.0] * dynamic.dynamic]
    return {
        "clips": dataclasses.asdict(model.preparation),
        "frame": {"height": model.size[0], "width": model.size[1], "channels": model.channels},
        "static_prior": static
        and {
            "centre": numbers(static.centre),
            "mixing": numbers(static.mixing),
            "parts": [
                {name: numbers(each) for name, each in part.state_dict().items()}
                for part in static.parts
            ],
        },
        "dynamic_prior": {
            "shares": numbers(dynamic.shares),
            "starts": zero if starts is None else numbers(starts.weight),
            "state": [dynamic.cells.num_layers, 1, dynamic.cells.hidden_size],
        },
        "directions": {code: model.directions(code).tolist() for code in get_args(Which)},
    }


def numbers(tensor: Tensor) -> Any:
    """Return a tensor as nested lists."""
    return tensor.detach().cpu().tolist()
