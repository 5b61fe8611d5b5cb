"""A training step of a model, plain and accelerated, as a script: prints how they differ.

It runs in a process of its own, since the checks of types that tests switch on cannot be traced.
"""

import copy
import json
import sys
from typing import Any

import torch
from torch import Tensor

from s3vae.engine.acceleration import accelerated
from s3vae.model.architecture import architecture
from s3vae.model.s3vae import S3VAE
from s3vae.training.build import convolutional_networks

WITHOUT_COMPILER = "aot_eager"
"""Traces a network and its gradients as `inductor` does, and needs no C++ compiler."""


def step(model: S3VAE, video: Tensor) -> tuple[Tensor, Tensor]:
    """Return reconstructions and the gradient of all weights."""
    posterior = model.encode(video)
    pictures = model.decode(posterior.static.mean, posterior.dynamic.mean)
    (pictures - video).square().sum().backward()
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    return pictures.detach(), torch.cat([each.flatten() for each in gradients])


def main(changes: dict[str, Any]) -> None:
    """Print the differences between a plain model of an architecture and an accelerated one."""
    torch.manual_seed(0)
    sizes = {"encoder_width": 4, "decoder_width": 4, "features": 8, "recurrent": 8}
    codes = {"height": 32, "width": 32, "static": 4, "dynamic": 4}
    plain = S3VAE(architecture("fast", **{**sizes, **codes, **changes}))
    fast = copy.deepcopy(plain)
    video = torch.rand(4, 3, 3, 32, 32)
    with accelerated(convolutional_networks(fast), torch.device("cpu"), WITHOUT_COMPILER):
        (pictures, gradient), (others, other) = step(plain, video), step(fast, video)
    report = {
        "difference": (pictures - others).abs().max().item(),
        "cosine": torch.cosine_similarity(gradient, other, dim=0).item(),
        "types": sorted({str(others.dtype), str(other.dtype)}),
        "names": plain.state_dict().keys() == fast.state_dict().keys(),
    }
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
