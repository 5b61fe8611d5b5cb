"""PyTorch's two exporters to ONNX, one of which fits each graph."""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.export import Dim
from torch.jit._trace import TracerWarning
from torch.onnx import ONNXProgram

from s3vae.export.graphs import AXES, FREE, Graph, draw

OPSET = 20
EXAMPLE = (3, 5)
"""Clips and frames of the example: exporters treat axes of equal size, or of size 1, as special."""
KNOWN_WARNINGS: tuple[tuple[type[Warning], str], ...] = (
    (FutureWarning, "_check_is_size will be removed"),
    (FutureWarning, r"`isinstance\(treespec, LeafSpec\)` is deprecated"),
    (UserWarning, "The tensor attributes .*_flat_weights"),
    (DeprecationWarning, "You are using the legacy TorchScript-based ONNX export"),
    (DeprecationWarning, "The feature will be removed"),
    (TracerWarning, "Converting a tensor to a Python boolean"),
    (UserWarning, "Exporting a model to ONNX with a batch_size other than 1"),
)
"""Of the exporters about themselves; the comparison of every file decides instead of these."""


def exported(graph: Graph, sizes: dict[str, int]) -> Any:
    """Return the protocol buffer of a graph, with its weights."""
    import onnx

    graph.module.eval()
    inputs = draw(graph, sizes, *EXAMPLE)
    options: dict[str, Any] = {
        "opset_version": OPSET,
        "input_names": graph.inputs,
        "output_names": graph.outputs,
    }
    with quiet():
        if graph.dynamo:
            shapes = tuple(dict.fromkeys(free_axes(name), Dim.AUTO) for name in graph.inputs)
            program = torch.onnx.export(
                graph.module, inputs, dynamo=True, dynamic_shapes=shapes, verbose=False, **options
            )
            assert isinstance(program, ONNXProgram)
            return program.model_proto
        # the older, deprecated exporter has an RNN for any number of frames
        axes = {name: free_axes(name) for name in (*graph.inputs, *graph.outputs)}
        file: Any = io.BytesIO()
        torch.onnx.export(graph.module, inputs, file, dynamo=False, dynamic_axes=axes, **options)
        return onnx.load_from_string(file.getvalue())


def free_axes(name: str) -> dict[int, str]:
    """Return the positions and names of the free axes of an input or output."""
    return {place: axis for place, axis in enumerate(AXES[name]) if axis in FREE}


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the known warnings, and log lines about packages that no graph needs."""
    log = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for category, message in KNOWN_WARNINGS:
                warnings.filterwarnings("ignore", message, category)
            yield
    finally:
        log.setLevel(level)
