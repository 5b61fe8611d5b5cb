"""MoCoGAN's generator (Tulyakov et al., CVPR 2018): a content code, and motion codes by a GRU.

It has no encoder and is conditioned on categories. Its codes have the names of the sequential
VAE's: the content is z_f, the motion z_t.
"""

from collections.abc import Mapping

import torch
from torch import Generator, Tensor, nn

from s3vae.baselines.interface import Categories
from s3vae.model.architecture import ARCHITECTURE, Architecture
from s3vae.model.decoders import decode_clips, frame_decoder
from s3vae.tensors import DynamicCode, Labels, StaticCode, Video

CATEGORIES = "categories.json"


class MoCoGAN(nn.Module):
    """The generator; the GRU takes dynamic categories at every step, the content static ones."""

    def __init__(self, architecture: Architecture, categories: Categories) -> None:
        super().__init__()
        self.architecture, self.categories = architecture, categories
        static, dynamic = architecture.static, architecture.dynamic
        extra = {"static": 0, "dynamic": 0, categories.kind: categories.size}
        self.content = nn.Linear(static + extra["static"], static)
        self.recurrent = nn.GRU(
            dynamic + extra["dynamic"], architecture.recurrent, batch_first=True
        )
        self.motion = nn.Linear(architecture.recurrent, dynamic)
        self.decoder = frame_decoder(architecture)

    def draw_static(self, labels: Mapping[str, Labels], generator: Generator) -> StaticCode:
        """Draw content codes, conditioned on the labels if their factors are static."""
        categories = self.categories.one_hot(labels)
        noise = torch.randn(
            len(categories), self.architecture.static, generator=generator, device=generator.device
        )
        if self.categories.kind == "static":
            noise = torch.cat([noise, categories], dim=-1)
        code: Tensor = self.content(noise)
        return code

    def draw_dynamic(
        self, labels: Mapping[str, Labels], time: int, generator: Generator
    ) -> DynamicCode:
        """Draw motion codes, conditioned on the labels if their factors are dynamic."""
        categories = self.categories.one_hot(labels)
        shape = len(categories), time, self.architecture.dynamic
        noise = torch.randn(shape, generator=generator, device=generator.device)
        if self.categories.kind == "dynamic":
            noise = torch.cat([noise, categories[:, None].expand(-1, time, -1)], dim=-1)
        codes: Tensor = self.motion(self.recurrent(noise)[0])
        return codes

    def decode(self, static: StaticCode, dynamic: DynamicCode) -> Video:
        """Decode clips; all frames of a clip share its static code."""
        return decode_clips(self.decoder, static, dynamic)

    def sizes(self) -> dict[str, Architecture | Categories]:
        """Return architecture and categories by the names of the files that hold them."""
        return {ARCHITECTURE: self.architecture, CATEGORIES: self.categories}
