"""A module's weights as a safetensors file, which is read without unpickling."""

from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from s3vae.files import replacing

WEIGHTS = "weights.safetensors"


def save_weights(module: nn.Module, folder: Path) -> None:
    """Write parameters and buffers in order of name, so that equal weights give equal bytes."""
    state = {k: v.detach().cpu().contiguous() for k, v in sorted(module.state_dict().items())}
    with replacing(folder / WEIGHTS) as aside:
        save_file(state, aside)


def load_weights(module: nn.Module, folder: Path) -> None:
    """Load the weights in a folder into a module of the same architecture.

    Raises FileNotFoundError if there are none.
    """
    module.load_state_dict(read_weights(folder))


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Read the weights in a folder by name. Raises FileNotFoundError if there are none."""
    path = folder / WEIGHTS
    if not path.exists():
        msg = f"{path} does not exist: train the model (dvc repro) or download it (dvc pull)"
        raise FileNotFoundError(msg)
    weights: dict[str, Tensor] = load_file(path)
    return weights
