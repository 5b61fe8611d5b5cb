"""MoCoGAN's training: a generator against two discriminators, all in one step of one optimizer.

The gradients of both sides are computed at the same weights (simultaneous gradient descent). The
discriminators' losses have no gradient in the generator, nor the generator's in the discriminators.
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
from s3vae.baselines.mocogan.discriminators import (
    MOST_FRAMES,
    ClipDiscriminator,
    FrameDiscriminator,
)
from s3vae.baselines.mocogan.generator import MoCoGAN
from s3vae.baselines.mocogan.losses import category_loss, discriminator_loss, generator_loss
from s3vae.baselines.mocogan.views import noisy, random_times, recolour, shift
from s3vae.engine.batches import Batch
from s3vae.losses.elbo import frame_subset, take_frames
from s3vae.losses.supervision import label_of
from s3vae.model.layers import Frames
from s3vae.settings import STRICT
from s3vae.tensors import Labels, Scalar, Video, to_unit


@dataclass(frozen=True, config=STRICT)
class AdversarialSettings:
    """The discriminators, what they are given, and the average of the generator."""

    width: int = Field(default=24, gt=0)
    """Channels after a discriminator's first convolution."""
    category: float = Field(default=1.0, ge=0)
    """Weight of the categories' cross-entropy relative to the adversarial losses."""
    shift: float = Field(default=6.0, ge=0, lt=32)
    """The largest shift of a clip before the discriminators, in pixels along each axis."""
    recolour: float = Field(default=0.2, ge=0, lt=1)
    """The largest relative change of its intensities, and twice the largest offset of a channel."""
    noise: float = Field(default=0.1, ge=0, lt=1)
    """Standard deviation of the noise on its frames, in units of half the range of intensities."""
    decay: float = Field(default=0.99, ge=0, lt=1)
    """Decay of the moving average of the generator's weights, which is the model that is saved."""


class AdversarialTerms(NamedTuple):
    """Everything minimized, the discriminators' losses first; the names are those of the log."""

    frame_discriminator: Scalar
    clip_discriminator: Scalar
    real_category: Scalar
    frame_generator: Scalar
    clip_generator: Scalar
    generated_category: Scalar

    def total(self, category: float) -> Scalar:
        """Return the weighted sum that the optimizer minimizes."""
        adversarial = (
            self.frame_discriminator
            + self.clip_discriminator
            + self.frame_generator
            + self.clip_generator
        )
        return adversarial + category * (self.real_category + self.generated_category)


class AdversarialObjective(nn.Module):
    """The generator, the moving average of its weights (`model`) and both discriminators."""

    def __init__(self, model: MoCoGAN, settings: AdversarialSettings, time: int) -> None:
        super().__init__()
        self.generator, self.settings = model, settings
        self.frames_seen = min(time, MOST_FRAMES)
        self.model = copy.deepcopy(model).requires_grad_(requires_grad=False)
        channels, values = model.architecture.channels, model.categories.values
        self.frames = FrameDiscriminator(channels, settings.width)
        self.clips = ClipDiscriminator(channels, settings.width, values, self.frames_seen)

    def losses(self, batch: Batch, generator: Generator) -> dict[str, Scalar]:
        """Return the terms by name, and as `total` what the optimizer minimizes."""
        terms = self(batch, generator)
        return {**terms._asdict(), "total": terms.total(self.settings.category)}

    def forward(self, batch: Batch, generator: Generator) -> AdversarialTerms:
        """Return the terms on a batch of real clips and generated ones with the same labels."""
        if self.training:
            self.update_average()
        labels = labels_of(batch, self.generator.categories)
        time = batch.frames.shape[1]
        times = random_times(time, self.frames_seen, generator)
        static = self.generator.draw_static(labels, generator)
        dynamic = self.generator.draw_dynamic(labels, time, generator)
        generated = self.view(self.generator.decode(static, dynamic[:, times]), generator)
        real = self.view(to_unit(batch.frames[:, times]), generator)
        real_frames, frames = (random_frames(video, generator) for video in (real, generated))
        real_clip, real_categories = self.clips(real)
        generated_clip, _ = self.clips(generated.detach())
        # for the generator's losses, whose gradients must not reach the discriminators
        fixed_frames = functional_call(self.frames, detached(self.frames), (frames,))
        fixed_clip, categories = functional_call(self.clips, detached(self.clips), (generated,))
        return AdversarialTerms(
            frame_discriminator=discriminator_loss(
                self.frames(real_frames), self.frames(frames.detach())
            ),
            clip_discriminator=discriminator_loss(real_clip, generated_clip),
            real_category=category_loss(real_categories, labels),
            frame_generator=generator_loss(fixed_frames),
            clip_generator=generator_loss(fixed_clip),
            generated_category=category_loss(categories, labels),
        )

    def view(self, video: Video, generator: Generator) -> Video:
        """Return clips as the discriminators are given them."""
        settings = self.settings
        moved = shift(video, settings.shift, generator)
        return noisy(recolour(moved, settings.recolour, generator), settings.noise, generator)

    @torch.no_grad()
    def update_average(self) -> None:
        """Update the moving average by the generator's current weights; copy integer buffers."""
        current = self.generator.state_dict()
        for name, mean in self.model.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(current[name], 1 - self.settings.decay)
            else:
                mean.copy_(current[name])


def labels_of(batch: Batch, categories: Categories) -> Mapping[str, Labels]:
    """Return the labels of a batch by factor."""
    return {name: batch.known[label_of(name)] for name in categories.values}


def random_frames(video: Video, generator: Generator) -> Frames:
    """Draw two frames of every clip."""
    return take_frames(video, frame_subset(len(video), video.shape[1], 2, generator)).flatten(0, 1)


def detached(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's weights as constants, through which no gradient reaches it."""
    return {name: value.detach() for name, value in module.named_parameters()}
