"""A decoder for filmed video: a foreground of both codes over a background that z_t displaces."""

import dataclasses

import torch
from torch import nn

from s3vae.model.architecture import Architecture
from s3vae.model.decoders.convolutional import ConvolutionalDecoder
from s3vae.model.decoders.warp import WarpDecoder
from s3vae.tensors import DynamicCode, StaticCode, Video


class LayeredDecoder(nn.Module):
    """The mean of p(x_1:T | z_f, z_1:T): per frame a foreground with a mask, over a background.

    The background is that of the warped decoder: z_f draws two images, z_t displaces and mixes
    them. Both codes draw the foreground and its opacity (Vondrick et al., NeurIPS 2016), for what
    no displacement shows (Siarohin et al., NeurIPS 2019, mask and inpaint it).
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.background = WarpDecoder(architecture)
        self.foreground = ConvolutionalDecoder(
            dataclasses.replace(architecture, decoder="shuffle"), architecture.channels + 1
        )

    def forward(self, static: StaticCode, dynamic: DynamicCode) -> Video:
        """Return one clip per pair of codes."""
        batch, time = dynamic.shape[:2]
        background = self.background(static, dynamic)
        repeated = static[:, None].expand(batch, time, -1)
        layers = self.foreground(repeated.flatten(0, 1), dynamic.flatten(0, 1))
        layers = layers.reshape(batch, time, *layers.shape[1:])
        # in mixed precision the background is of single precision
        return torch.lerp(background.to(layers.dtype), layers[:, :, :-1], layers[:, :, -1:])
