"""MoCoGAN's generator (Tulyakov et al., CVPR 2018): a content code, and motion codes by a GRU.

It has no encoder and is conditioned on categories. Its codes have the names of the sequential
VAE's: the content is z_f, the motion z_t.
"""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Generator, Tensor, nn

from s3vae.baselines.interface import Categories
from s3vae.model.architecture import ARCHITECTURE, Architecture
from s3vae.model.decoders import decode_clips, frame_decoder
from s3vae.tensors import DynamicCode, Labels, StaticCode, Video

CATEGORIES = "categories.json"


class MoCoGAN(nn.Module):
    """The generator: dynamic categories enter the GRU at every step, static ones the content.

    `architecture.static` is the length of the content's noise, to which static categories are
    appended. The motion codes are the states of the GRU, the first of which follows from noise.
    """

    def __init__(self, architecture: Architecture, categories: Categories) -> None:
        super().__init__()
        self.architecture, self.categories = architecture, categories
        extra = {"static": 0, "dynamic": 0, categories.kind: categories.size}
        dynamic = architecture.dynamic
        self.recurrent = nn.GRU(dynamic + extra["dynamic"], dynamic, batch_first=True)
        content = architecture.static + extra["static"]
        self.decoder = frame_decoder(replace(architecture, static=content))

    def draw_static(self, labels: Mapping[str, Labels], generator: Generator) -> StaticCode:
        """Draw content codes: noise, and the labels if their factors are static."""
        categories = self.categories.one_hot(labels)
        noise = _normal(len(categories), self.architecture.static, generator=generator)
        return noise if self.categories.kind == "dynamic" else torch.cat([noise, categories], -1)

    def draw_dynamic(
        self, labels: Mapping[str, Labels], time: int, generator: Generator
    ) -> DynamicCode:
        """Draw motion codes, conditioned on the labels if their factors are dynamic."""
        categories, size = self.categories.one_hot(labels), self.architecture.dynamic
        first = _normal(1, len(categories), size, generator=generator)
        noise = _normal(len(categories), time, size, generator=generator)
        if self.categories.kind == "dynamic":
            noise = torch.cat([noise, categories[:, None].expand(-1, time, -1)], dim=-1)
        codes: Tensor = self.recurrent(noise, first)[0]
        return codes

    def decode(self, static: StaticCode, dynamic: DynamicCode) -> Video:
        """Decode clips; all frames of a clip share its static code."""
        return decode_clips(self.decoder, static, dynamic)

    def sizes(self) -> dict[str, Architecture | Categories]:
        """Return architecture and categories by the names of the files that hold them."""
        return {ARCHITECTURE: self.architecture, CATEGORIES: self.categories}


def _normal(*shape: int, generator: Generator) -> Tensor:
    """Draw standard normal noise on the generator's device."""
    return torch.randn(shape, generator=generator, device=generator.device)
