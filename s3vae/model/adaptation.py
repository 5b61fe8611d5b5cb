"""z_f of clips that the encoder describes badly, refined through the decoder."""

import torch

from s3vae.model.s3vae import S3VAE
from s3vae.tensors import DynamicCode, StaticCode, Video

LEARNING_RATE = 0.05


def adapt_static(
    model: S3VAE, video: Video, static: StaticCode, dynamic: DynamicCode, steps: int
) -> StaticCode:
    """Return z_f after `steps` steps of Adam on the reconstruction error of its own clip.

    z_t and the weights of the model stay as they are, so a swap with the new z_f differs in
    appearance alone. A person whom training never showed is reconstructed as the most similar one
    that it did; the decoder may be able to draw a closer one than the encoder finds.
    """
    adapted = static.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([adapted], LEARNING_RATE)
    with torch.enable_grad():
        for _ in range(steps):
            error = (model.decode(adapted, dynamic) - video).square().sum()
            (adapted.grad,) = torch.autograd.grad(error, [adapted])
            optimizer.step()
    return adapted.detach()
