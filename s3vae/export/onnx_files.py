"""Write a model as ONNX files: what encodes, what decodes, and one step of the prior."""

import copy
import importlib.util
import re
from pathlib import Path
from typing import Any

import torch

from s3vae.export.agreement import check
from s3vae.export.exporters import exported
from s3vae.export.graphs import AXES, FREE, Graph, graphs, require_expressible, sizes_of
from s3vae.files import replacing
from s3vae.model.s3vae import S3VAE
from s3vae.progress import LOG

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
UNNAMED = re.compile(r"val_\d+")
"""The names that the exporter gives to values without one."""
ORIGIN = ("metadata_props", "doc_string")
"""Fields of any part of a file that hold local paths and lines of code."""


def export_onnx(model: S3VAE, folder: Path) -> None:
    """Write `encode.onnx`, `decode.onnx` and `prior_step.onnx`, which hold their own weights.

    - encode: `video` (bytes [batch, time, height, width, channel]) to the posterior means `static`
      [batch, static] and `dynamic` [batch, time, dynamic].
    - decode: `static` and `dynamic` to `video`.
    - prior_step: the code `before` [batch, dynamic], and the LSTM state `hidden` and `cell`
      [2, batch, recurrent], to `mean` and `std` of the next code, `next_hidden` and `next_cell`.
      The caller draws the code. The first state is zero, and so is the first code unless the prior
      has motion clusters.

    Batch and time may have any size. The files are those of the model in eval mode, the same bytes
    for the same weights. `folder` is replaced completely, or left as it was. Raises ImportError
    without the packages of `s3vae[export]`, and ValueError for an encoder that ONNX cannot express
    or if onnxruntime computes anything else than PyTorch.
    """
    require_packages()
    require_expressible(model)
    model = copy.deepcopy(model).cpu().eval()
    sizes = sizes_of(model.architecture)
    with replacing(folder) as aside:
        aside.mkdir()
        for name, graph in graphs(model).items():
            write_graph(graph, sizes, aside / f"{name}.onnx")
            LOG.info("%s.onnx: written, and compared with PyTorch", name)


@torch.no_grad()
def write_graph(graph: Graph, sizes: dict[str, int], path: Path) -> None:
    """Write one file. Raises ValueError unless it agrees with PyTorch at other shapes."""
    proto = exported(graph, sizes)
    declare_shapes(proto.graph, sizes)
    number_values(proto.graph)
    remove_origin(proto)
    path.write_bytes(proto.SerializeToString(deterministic=True))
    check(graph, sizes, path)


def declare_shapes(graph: Any, sizes: dict[str, int]) -> None:
    """Declare the axes of inputs and outputs, and no shapes between them.

    torch.export takes the number of frames of an LSTM for fixed, and declares it so.
    """
    del graph.value_info[:]
    for value in (*graph.input, *graph.output):
        shape = value.type.tensor_type.shape
        del shape.dim[:]
        for axis in AXES[value.name]:
            if axis in FREE:
                shape.dim.add().dim_param = axis
            else:
                shape.dim.add().dim_value = sizes[axis]


def number_values(graph: Any) -> None:
    """Number values without names in order, and remove the numbered names of nodes.

    The exporter's own numbers depend on what else its process has exported.
    """
    values = [value.name for value in graph.initializer]
    values += [name for node in graph.node for name in node.output]
    unnamed = [name for name in values if UNNAMED.fullmatch(name)]
    numbered = {name: f"value_{number}" for number, name in enumerate(unnamed)}
    for initializer in graph.initializer:
        initializer.name = numbered.get(initializer.name, initializer.name)
    for node in graph.node:
        node.ClearField("name")
        for names in (node.input, node.output):
            names[:] = [numbered.get(name, name) for name in names]


def remove_origin(message: Any) -> None:
    """Delete, at any depth, the fields that say where on this machine a graph comes from."""
    for field, value in message.ListFields():
        if field.name in ORIGIN:
            message.ClearField(field.name)
        elif field.message_type is not None:
            for part in [value] if hasattr(value, "ListFields") else value:
                remove_origin(part)


def require_packages() -> None:
    """Raise ImportError, which names the remedy, unless all packages of the export are there."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        msg = f"exporting to ONNX needs {', '.join(missing)}: pip install 's3vae[export]'"
        raise ImportError(msg)
