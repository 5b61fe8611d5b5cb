"""What a baseline offers the rest of the project: settings, an objective, a model on disk.

A new baseline is a folder beside `mocogan` that exports one `Baseline`, and a line in catalogue.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from pydantic import Field
from pydantic.dataclasses import dataclass as settings
from torch import Generator, Tensor, nn

from s3vae.data.clips import ClipFile
from s3vae.model.architecture import Architecture
from s3vae.settings import STRICT
from s3vae.tensors import DynamicCode, Labels, StaticCode, Video


@settings(frozen=True, config=STRICT)
class Categories:
    """The factors that a generator is conditioned on, and the code that they belong to."""

    kind: Literal["static", "dynamic"]
    values: Mapping[str, int] = Field(min_length=1)
    """By factor, its number of values."""

    @property
    def size(self) -> int:
        """The length of the vector that holds all factors."""
        return sum(self.values.values())

    def one_hot(self, labels: Mapping[str, Labels]) -> Tensor:
        """Return the labels of all factors as one-hot vectors side by side [batch, size]."""
        return torch.cat(
            [nn.functional.one_hot(labels[name], size) for name, size in self.values.items()],
            dim=-1,
        ).float()

    def draw(self, batch: int, generator: Generator) -> Mapping[str, Labels]:
        """Draw values of each factor, all equally likely."""
        return {
            name: torch.randint(size, (batch,), generator=generator, device=generator.device)
            for name, size in self.values.items()
        }


@runtime_checkable
class CategoricalGenerator(Protocol):
    """A generator without an encoder, conditioned on the labels of factors."""

    architecture: Architecture
    categories: Categories

    def draw_static(self, labels: Mapping[str, Labels], generator: Generator) -> StaticCode:
        """Draw the codes of new appearances."""

    def draw_dynamic(
        self, labels: Mapping[str, Labels], time: int, generator: Generator
    ) -> DynamicCode:
        """Draw the codes of new motions."""

    def decode(self, static: StaticCode, dynamic: DynamicCode) -> Video:
        """Return the clips of these codes."""

    def sizes(self) -> Mapping[str, Any]:
        """Return the dataclasses that a model is built from, by the file that holds each."""


@dataclass(frozen=True)
class Baseline:
    """A published method that is not a sequential VAE."""

    section: str
    """The section that only this baseline's methods have in configs/<data set>.yaml."""
    method: type[Any]
    """Its settings: a dataclass with fields of that name and `training`."""
    objective: Callable[[Any, ClipFile], Any]
    """From settings and clips to a new `model` in a module with `losses(batch, generator)`."""
    model: type[nn.Module]
    """Its models, whose `sizes()` are saved beside their weights."""
    file: str
    """The one of these files that no other model has."""
    load: Callable[[Path, torch.device], CategoricalGenerator]
    """From a model's folder to the model in eval mode."""
