"""A module's weights as a safetensors file: nothing in it is ever unpickled."""

from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import nn

from s3vae.files import replacing

WEIGHTS = "weights.safetensors"


def save_weights(module: nn.Module, folder: Path) -> None:
    """Parameters and buffers in the order of their names: the same weights give the same bytes."""
    state = {k: v.detach().cpu().contiguous() for k, v in sorted(module.state_dict().items())}
    with replacing(folder / WEIGHTS) as aside:
        save_file(state, aside)


def load_weights(module: nn.Module, folder: Path) -> None:
    """Put the weights of a folder into a module of the same sizes.

    Raises FileNotFoundError if there are none.
    """
    path = folder / WEIGHTS
    if not path.exists():
        msg = f"{path} is not there: make it (dvc repro) or fetch it (dvc pull)"
        raise FileNotFoundError(msg)
    module.load_state_dict(load_file(path))
