"""MoCoGAN (Tulyakov et al. 2018): clips from a content code and a motion that a GRU makes of noise.

It has no encoder: of a known clip it can be told the categories only. What the decoder is given has
the names that the other models give it: z_f for the content, z_t for the motion.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import Generator, Tensor, nn

from s3vae.model.architecture import Architecture
from s3vae.model.decoders import decode_clips, frame_decoder
from s3vae.settings import STRICT
from s3vae.tensors import DynamicCode, Labels, StaticCode, Video


@dataclass(frozen=True, config=STRICT)
class Categories:
    """The factors that a generator is told, and which of its codes they decide."""

    kind: Literal["static", "dynamic"]
    values: Mapping[str, int] = Field(min_length=1)
    """By factor, how many values it has."""

    @property
    def size(self) -> int:
        """How long the row of numbers is that tells them all."""
        return sum(self.values.values())

    def told(self, labels: Mapping[str, Labels]) -> Float[Tensor, "batch category"]:
        """Every factor's value as a 1 among 0s, all in one row."""
        return torch.cat(
            [nn.functional.one_hot(labels[name], size) for name, size in self.values.items()],
            dim=-1,
        ).float()

    def draw(self, batch: int, generator: Generator) -> Mapping[str, Labels]:
        """Values of each factor, all equally likely."""
        return {
            name: torch.randint(size, (batch,), generator=generator, device=generator.device)
            for name, size in self.values.items()
        }


class MoCoGAN(nn.Module):
    """The generator. Categories of motion enter the GRU at every step, those of content z_f."""

    def __init__(self, architecture: Architecture, categories: Categories) -> None:
        super().__init__()
        self.architecture, self.categories = architecture, categories
        static, dynamic = architecture.static, architecture.dynamic
        told = {"static": 0, "dynamic": 0, categories.kind: categories.size}
        self.content = nn.Linear(static + told["static"], static)
        self.recurrent = nn.GRU(dynamic + told["dynamic"], architecture.recurrent, batch_first=True)
        self.motion = nn.Linear(architecture.recurrent, dynamic)
        self.decoder = frame_decoder(architecture)

    def draw_static(self, labels: Mapping[str, Labels], generator: Generator) -> StaticCode:
        """New contents; of the labels' categories, if content is what they decide."""
        told = self.categories.told(labels)
        noise = torch.randn(
            len(told), self.architecture.static, generator=generator, device=generator.device
        )
        if self.categories.kind == "static":
            noise = torch.cat([noise, told], dim=-1)
        code: Tensor = self.content(noise)
        return code

    def draw_dynamic(
        self, labels: Mapping[str, Labels], time: int, generator: Generator
    ) -> DynamicCode:
        """New motions; of the labels' categories, if motion is what they decide."""
        told = self.categories.told(labels)
        shape = len(told), time, self.architecture.dynamic
        noise = torch.randn(shape, generator=generator, device=generator.device)
        if self.categories.kind == "dynamic":
            noise = torch.cat([noise, told[:, None].expand(-1, time, -1)], dim=-1)
        codes: Tensor = self.motion(self.recurrent(noise)[0])
        return codes

    def decode(self, static: StaticCode, dynamic: DynamicCode) -> Video:
        """The clips of these codes: one static code for all dynamic codes of a clip."""
        return decode_clips(self.decoder, static, dynamic)
