"""MoCoGAN's training: a generator against two discriminators, all in one step of one optimizer.

Both are moved by gradients at the same weights (simultaneous gradient descent): what discriminators
learn of made clips teaches the generator nothing, and verdicts that the generator is to change
teach the discriminators nothing.
"""

import copy
from collections.abc import Mapping
from typing import NamedTuple

import torch
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import Generator, Tensor, nn
from torch.func import functional_call

from s3vae.baselines.interface import Categories
from s3vae.baselines.mocogan.discriminators import ClipDiscriminator, FrameDiscriminator
from s3vae.baselines.mocogan.generator import MoCoGAN
from s3vae.baselines.mocogan.losses import category_loss, discriminator_loss, generator_loss
from s3vae.engine.batches import Batch
from s3vae.losses.elbo import frame_subset, take_frames
from s3vae.losses.supervision import label_of
from s3vae.settings import STRICT
from s3vae.tensors import Labels, Scalar, Video, to_unit


@dataclass(frozen=True, config=STRICT)
class AdversarialSettings:
    """The discriminators, and what the generator is to heed."""

    width: int = Field(default=32, gt=0)
    """Channels after a discriminator's first convolution."""
    differences: bool = False
    """Whether categories are also read from how far each feature is from its mean over the clip."""
    category: float = Field(default=1.0, ge=0)
    """Weight of the categories' cross-entropy beside the verdicts."""
    decay: float = Field(default=0.999, ge=0, lt=1)
    """Of the running mean of the generator's weights over the steps, which is what is kept."""


class AdversarialTerms(NamedTuple):
    """Everything minimized: the discriminators' losses, then the generator's."""

    frame_discriminator: Scalar
    clip_discriminator: Scalar
    real_category: Scalar
    frame_generator: Scalar
    clip_generator: Scalar
    made_category: Scalar

    def total(self, category: float) -> Scalar:
        """What the optimizer sees."""
        verdicts = (
            self.frame_discriminator
            + self.clip_discriminator
            + self.frame_generator
            + self.clip_generator
        )
        return verdicts + category * (self.real_category + self.made_category)


class AdversarialObjective(nn.Module):
    """The generator, its running mean (what is kept in the end) and both discriminators."""

    def __init__(self, model: MoCoGAN, settings: AdversarialSettings) -> None:
        super().__init__()
        self.generator, self.settings = model, settings
        self.model = copy.deepcopy(model).requires_grad_(requires_grad=False)
        channels, values = model.architecture.channels, model.categories.values
        self.frames = FrameDiscriminator(channels, settings.width)
        self.clips = ClipDiscriminator(channels, settings.width, values, settings.differences)

    def losses(self, batch: Batch, generator: Generator) -> dict[str, Scalar]:
        """The terms by name, and as `total` what the optimizer sees."""
        terms = self(batch, generator)
        return {**terms._asdict(), "total": terms.total(self.settings.category)}

    def forward(self, batch: Batch, generator: Generator) -> AdversarialTerms:
        """The terms on one batch of real clips and as many made ones of the same categories."""
        if self.training:
            self.remember()
        labels = labels_of(batch, self.generator.categories)
        real = to_unit(batch.frames)
        made = self.generator.decode(
            self.generator.draw_static(labels, generator),
            self.generator.draw_dynamic(labels, real.shape[1], generator),
        )
        real_frame, made_frame = (single_frames(video, generator) for video in (real, made))
        real_clip, real_logits = self.clips(real)
        made_clip, _ = self.clips(made.detach())
        judged_frame = functional_call(self.frames, detached(self.frames), (made_frame,))
        judged_clip, judged_logits = functional_call(self.clips, detached(self.clips), (made,))
        return AdversarialTerms(
            frame_discriminator=discriminator_loss(
                self.frames(real_frame), self.frames(made_frame.detach())
            ),
            clip_discriminator=discriminator_loss(real_clip, made_clip),
            real_category=category_loss(real_logits, labels),
            frame_generator=generator_loss(judged_frame),
            clip_generator=generator_loss(judged_clip),
            made_category=category_loss(judged_logits, labels),
        )

    @torch.no_grad()
    def remember(self) -> None:
        """Move the running mean a little towards the generator as it is."""
        now = self.generator.state_dict()
        for name, mean in self.model.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(now[name], 1 - self.settings.decay)
            else:
                mean.copy_(now[name])


def labels_of(batch: Batch, categories: Categories) -> Mapping[str, Labels]:
    """What is told of the clips of a batch, by factor."""
    return {name: batch.known[label_of(name)] for name in categories.values}


def single_frames(video: Video, generator: Generator) -> Tensor:
    """One frame of every clip, drawn at random."""
    chosen = frame_subset(len(video), video.shape[1], 1, generator)
    return take_frames(video, chosen)[:, 0]


def detached(module: nn.Module) -> dict[str, Tensor]:
    """A module's weights as they stand: what is computed with them teaches it nothing."""
    return {name: value.detach() for name, value in module.named_parameters()}
