"""The comparison of an ONNX file with PyTorch, at shapes other than that of its export."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from s3vae.export.graphs import Decode, Graph, draw

SHAPES = ((1, 1), (2, 8), (7, 3))
"""Clips and frames; exporters are right at that of their example, and may be wrong at others."""
TOLERANCE, GREY_LEVELS = 1e-4, 1
"""The largest differences of floats and of bytes."""


@torch.no_grad()
def check(graph: Graph, sizes: dict[str, int], path: Path) -> None:
    """Raise ValueError unless onnxruntime computes from a file what PyTorch does.

    Videos are compared before rounding too.
    """
    runs = [(session(path.read_bytes()), reference, TOLERANCE)]
    if isinstance(graph.module, Decode):
        runs.append((session(unrounded(path)), reference_unrounded, 255 * TOLERANCE))
    for shape in SHAPES:
        inputs = draw(graph, sizes, *shape)
        named = {name: x.numpy() for name, x in zip(graph.inputs, inputs, strict=True)}
        for each, expected, tolerance in runs:
            where = f"{path.name} at {shape[0]} clips of {shape[1]} frames"
            try:
                results = each.run(None, named)
            except Exception as error:
                msg = f"{where} does not run in onnxruntime and was not kept: {error}"
                raise ValueError(msg) from error
            for result, wanted in zip(results, expected(graph, inputs), strict=True):
                if wrong := disagreement(torch.from_numpy(result), wanted, tolerance):
                    raise ValueError(f"{where} {wrong}, and was not kept")


def disagreement(result: Tensor, wanted: Tensor, tolerance: float) -> str:
    """Say how two tensors differ in type, in shape, or by more than the tolerance, if they do."""
    kinds = [f"{each.dtype} {tuple(each.shape)}" for each in (result, wanted)]
    if kinds[0] != kinds[1]:
        return f"gives {kinds[0]}, not {kinds[1]}"
    limit = GREY_LEVELS if result.dtype == torch.uint8 else tolerance
    difference = (result.double() - wanted.double()).abs().max().item()
    if difference <= limit:  # false for NaN
        return ""
    return f"differs from PyTorch by {difference:.2g}, more than {limit:.2g}"


@torch.no_grad()
def reference(graph: Graph, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Return what PyTorch computes."""
    outputs = graph.module(*inputs)
    return outputs if isinstance(outputs, tuple) else (outputs,)


def reference_unrounded(graph: Graph, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Return the grey levels that PyTorch computes before rounding."""
    assert isinstance(graph.module, Decode)
    return (graph.module.unrounded(*inputs),)


def unrounded(path: Path) -> bytes:
    """Return a file's graph with one output, the argument of its only rounding."""
    import onnx

    proto = onnx.load(path)
    (rounding,) = (node for node in proto.graph.node if node.op_type == "Round")
    name, kind = rounding.input[0], onnx.TensorProto.FLOAT
    del proto.graph.output[:]
    proto.graph.output.append(onnx.helper.make_tensor_value_info(name, kind, None))
    content: bytes = proto.SerializeToString()
    return content


def session(model: bytes) -> Any:
    """Return a session on as many CPU threads as PyTorch uses, which reports errors only."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4  # errors are raised too
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
