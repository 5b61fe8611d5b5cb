"""A decoder for filmed video: what moves, before what stays."""

import dataclasses

import torch
from torch import nn

from s3vae.model.architecture import Architecture
from s3vae.model.decoders.convolutional import ConvolutionalDecoder
from s3vae.model.decoders.warp import upsampler
from s3vae.tensors import DynamicCode, StaticCode, Video


class LayeredDecoder(nn.Module):
    """The mean of p(x_1:T | z_f, z_1:T): per frame a foreground with a mask, over one background.

    z_f alone draws the background, once per clip and at full resolution. Both codes draw the
    foreground and its opacity (Vondrick et al., NeurIPS 2016).
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width, channels = architecture.decoder_width, architecture.channels
        sizes = [4 * width, 2 * width, width, *[width] * architecture.doublings, width, channels]
        self.background = upsampler(architecture.static, architecture.coarse, sizes)
        self.foreground = ConvolutionalDecoder(
            dataclasses.replace(architecture, decoder="shuffle"), channels + 1
        )

    def forward(self, static: StaticCode, dynamic: DynamicCode) -> Video:
        """Return one clip per pair of codes."""
        batch, time = dynamic.shape[:2]
        background = self.background(static).sigmoid()[:, None]
        repeated = static[:, None].expand(batch, time, -1)
        layers = self.foreground(repeated.flatten(0, 1), dynamic.flatten(0, 1))
        layers = layers.reshape(batch, time, *layers.shape[1:])
        return torch.lerp(background, layers[:, :, :-1], layers[:, :, -1:])
