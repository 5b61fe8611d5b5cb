"""The parts of a model that become ONNX files, as functions of plain tensors."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from s3vae.model.architecture import Architecture
from s3vae.model.prior import LAYERS
from s3vae.model.s3vae import S3VAE
from s3vae.tensors import CodePair, DynamicCode, RawVideo, StaticCode, Video, to_bytes, to_unit

FREE = ("batch", "time")
"""The axes of any size; all others have that of the architecture."""
STATE = ("layer", "batch", "recurrent")
AXES = {
    "video": (*FREE, "height", "width", "channel"),
    "static": ("batch", "static"),
    "dynamic": (*FREE, "dynamic"),
    **dict.fromkeys(("before", "mean", "std"), ("batch", "dynamic")),
    **dict.fromkeys(("hidden", "cell", "next_hidden", "next_cell"), STATE),
}
"""The names of all inputs and outputs, and of their axes."""

Code = Float[Tensor, "batch dynamic"]
State = Float[Tensor, "layer batch recurrent"]


class Graph(NamedTuple):
    """A module to be written as one file, and the names of what it takes and returns.

    Exporters see one size of the free axes; `dynamo` is False where torch.export would fix them.
    """

    module: nn.Module
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    dynamo: bool = True


class Encode(nn.Module):
    """The posterior means of z_f and z_t of clips as bytes."""

    def __init__(self, model: S3VAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, video: RawVideo) -> CodePair:
        """Return the codes of every clip."""
        static, dynamic = self.model.encode(to_unit(video))
        return static.mean, dynamic.mean


class Decode(nn.Module):
    """Clips as bytes from their codes."""

    def __init__(self, model: S3VAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, static: StaticCode, dynamic: DynamicCode) -> RawVideo:
        """Return the mean of p(x_1:T | z_f, z_1:T), rounded."""
        return to_bytes(self.model.decode(static, dynamic))

    def unrounded(self, static: StaticCode, dynamic: DynamicCode) -> Video:
        """Return the same in grey levels before rounding, channel first."""
        return self.model.decode(static, dynamic).clamp(0, 1) * 255


class PriorStep(nn.Module):
    """p(z_t | z_<t) of the next code, from the code before it and the prior's LSTM state."""

    def __init__(self, model: S3VAE) -> None:
        super().__init__()
        self.prior = model.prior

    def forward(self, before: Code, hidden: State, cell: State) -> tuple[Code, Code, State, State]:
        """Return mean and standard deviation of the next code, and the new state."""
        following, state = self.prior.step(before[:, None], (hidden, cell))
        assert state is not None
        return following.mean[:, 0], following.std[:, 0], *state


def graphs(model: S3VAE) -> dict[str, Graph]:
    """Return the graphs by the names of their files, without suffix."""
    # not causal: torch.onnx has no RNN, and unrolls it for one number of frames
    causal = model.architecture.causal
    return {
        "encode": Graph(Encode(model), ("video",), ("static", "dynamic"), dynamo=causal),
        "decode": Graph(Decode(model), ("static", "dynamic"), ("video",)),
        "prior_step": Graph(
            PriorStep(model),
            ("before", "hidden", "cell"),
            ("mean", "std", "next_hidden", "next_cell"),
        ),
    }


def require_expressible(model: S3VAE) -> None:
    """Raise ValueError for encoder `objects`, which ONNX cannot express."""
    if model.architecture.encoder == "objects":
        msg = (
            "`encoder: objects` cannot be exported to ONNX: its tracker branches on pixels and "
            "needs eigenvectors. Train with `encoder: strided` or `patch`, or run it in PyTorch"
        )
        raise ValueError(msg)


def sizes_of(architecture: Architecture) -> dict[str, int]:
    """Return the sizes of all axes that are not free."""
    return {
        "height": architecture.height,
        "width": architecture.width,
        "channel": architecture.channels,
        "static": architecture.static,
        "dynamic": architecture.dynamic,
        "layer": LAYERS,
        "recurrent": architecture.recurrent,
    }


def shape_of(name: str, sizes: dict[str, int], batch: int, time: int) -> list[int]:
    """Return the shape of an input or output."""
    every = {**sizes, "batch": batch, "time": time}
    return [every[axis] for axis in AXES[name]]


def draw(graph: Graph, sizes: dict[str, int], batch: int, time: int) -> tuple[Tensor, ...]:
    """Return random inputs of a graph: bytes for videos, else from N(0, I). Always the same."""
    generator = Generator().manual_seed(0)

    def tensor(name: str) -> Tensor:
        shape = shape_of(name, sizes, batch, time)
        if name == "video":
            return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
        return torch.randn(shape, generator=generator)

    return tuple(tensor(name) for name in graph.inputs)
