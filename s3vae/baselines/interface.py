"""The interface of a baseline: its settings, its objective, its models on disk.

To add one, write a folder beside `mocogan` that exports a `Baseline`, and list it in catalogue.py.
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
    """The factors that a generator is conditioned on, which are all static or all dynamic."""

    kind: Literal["static", "dynamic"]
    values: Mapping[str, int] = Field(min_length=1)
    """The number of values of each factor."""

    @property
    def size(self) -> int:
        """The length of the one-hot vectors of all factors side by side."""
        return sum(self.values.values())

    def one_hot(self, labels: Mapping[str, Labels]) -> Tensor:
        """Return the labels of all factors as one-hot vectors side by side [batch, size]."""
        return torch.cat(
            [nn.functional.one_hot(labels[name], size) for name, size in self.values.items()],
            dim=-1,
        ).float()

    def draw(self, batch: int, generator: Generator) -> Mapping[str, Labels]:
        """Draw values of each factor from the uniform distribution."""
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
        """Draw the static codes of new clips."""

    def draw_dynamic(
        self, labels: Mapping[str, Labels], time: int, generator: Generator
    ) -> DynamicCode:
        """Draw the dynamic codes of new clips."""

    def decode(self, static: StaticCode, dynamic: DynamicCode) -> Video:
        """Decode clips."""

    def sizes(self) -> Mapping[str, Any]:
        """Return the dataclasses that define the model, by the name of the file of each."""


@dataclass(frozen=True)
class Baseline:
    """A published method that is not a sequential VAE."""

    section: str
    """The section of configs/<data set>.yaml that identifies this baseline's methods."""
    method: type[Any]
    """The class of its settings: a dataclass with that section and `training` as fields."""
    objective: Callable[[Any, ClipFile], Any]
    """Returns, for settings and clips, a module with `model` and `losses(batch, generator)`."""
    file: str
    """The file that identifies a folder as a model of this baseline."""
    load: Callable[[Path, torch.device], CategoricalGenerator]
    """Loads the model of a folder in eval mode."""
