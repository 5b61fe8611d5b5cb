"""MoCoGAN's training: a generator against two discriminators, all in one step of one optimizer.

The gradients of both sides are computed at the same weights (simultaneous gradient descent). The
discriminators' losses have no gradient in the generator, nor the generator's in the discriminators.
"""

import copy
from collections.abc import Mapping
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from pydantic import Field
from pydantic.dataclasses import dataclass
from torch import Generator, Tensor, nn
from torch.func import functional_call

from s3vae.baselines.mocogan.bounded import BoundedClipDiscriminator, BoundedFrameDiscriminator
from s3vae.baselines.mocogan.generator import MoCoGAN
from s3vae.baselines.mocogan.losses import LOSSES, category_loss
from s3vae.baselines.mocogan.published import ClipDiscriminator, FrameDiscriminator
from s3vae.baselines.mocogan.reader import CategoryReader
from s3vae.baselines.mocogan.views import DiscriminatorViews, random_times
from s3vae.engine.batches import Batch
from s3vae.losses.elbo import frame_subset, take_frames
from s3vae.losses.supervision import label_of
from s3vae.model.layers import Frames
from s3vae.settings import STRICT
from s3vae.tensors import Labels, Scalar, Video, to_unit


@dataclass(frozen=True, config=STRICT)
class AdversarialSettings:
    """The discriminators, what they are given, and the average of the generator."""

    discriminators: Literal["published", "bounded"] = "bounded"
    """`published`: kernels over time and space, batch normalization and a logistic loss (Tulyakov
    et al. 2018). `bounded`: of frames, then over time, with spectral normalization (Miyato et al.
    2018) and a hinge loss: they leave the generator a chance where clips are drawn and exact."""
    width: int = Field(default=32, gt=0)
    """Channels after a discriminator's first convolution."""
    differences: bool = False
    """Whether categories are also read from differences from the mean over a clip: of features if
    `bounded`; of frames if `published`, where real and generated clips differ by them too."""
    categories_first: int = Field(default=0, ge=0)
    """The number of first steps in which only the categories of real clips are learned, since a
    generator can only obey a discriminator that reads them."""
    reader_width: int | None = Field(default=None, gt=0)
    """The width of a network that alone reads the categories, wherever and whenever objects are.
    null: the discriminator of clips reads them."""
    views: DiscriminatorViews | None = None
    """What the discriminators are given; null: all frames as they are."""
    category: float = Field(default=1.0, ge=0)
    """Weight of the categories' cross-entropy relative to the adversarial losses."""
    decay: float = Field(default=0.999, ge=0, lt=1)
    """Decay of the moving average of the generator's weights, which is the model that is saved."""

    def __post_init__(self) -> None:
        """Raise ValueError if the reader would make a setting idle."""
        if self.reader_width and self.differences:
            msg = "`differences` help the discriminator to read categories, which `reader_width` "
            raise ValueError(f"{msg}leaves to another network: remove one of them")


Seen = Float[Tensor, "batch seen channel height width"]
"""Clips as the discriminators are given them."""
Times = Int[Tensor, " seen"] | slice
"""Which frames of a clip."""


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
        frame, clip, real, frame_generator, clip_generator, generated = self
        adversarial = frame + clip + frame_generator + clip_generator
        return adversarial + category * (real + generated)


class AdversarialObjective(nn.Module):
    """The generator, the moving average of its weights (`model`) and both discriminators."""

    def __init__(self, model: MoCoGAN, settings: AdversarialSettings, time: int) -> None:
        super().__init__()
        self.generator, self.settings = model, settings
        self.model = copy.deepcopy(model).requires_grad_(requires_grad=False)
        channels, width = model.architecture.channels, settings.width
        # the clip discriminator has no heads for categories that a reader reads
        self.reader: CategoryReader | None = None
        values = model.categories.values
        if settings.reader_width:
            self.reader = CategoryReader(channels, settings.reader_width, values)
            values = {}
        self.frames_seen = min(time, settings.views.frames) if settings.views else time
        self.steps: Tensor
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.frames: nn.Module
        self.clips: nn.Module
        if settings.discriminators == "published":
            self.frames = FrameDiscriminator(channels, width)
            self.clips = ClipDiscriminator(
                channels, width, values, self.frames_seen, settings.differences
            )
        else:
            self.frames = BoundedFrameDiscriminator(channels, width)
            self.clips = BoundedClipDiscriminator(channels, width, values, settings.differences)

    def losses(self, batch: Batch, generator: Generator) -> dict[str, Scalar]:
        """Return the terms by name, and as `total` what the optimizer minimizes."""
        terms = self(batch, generator)
        return {**terms._asdict(), "total": terms.total(self.settings.category)}

    def forward(self, batch: Batch, generator: Generator) -> AdversarialTerms:
        """Return the terms on a batch of real clips and generated ones with the same labels."""
        labels = {name: batch.known[label_of(name)] for name in self.generator.categories.values}
        if self.training:
            self.update_average()
            self.steps += 1
            first = self.settings.categories_first
            if first and self.steps <= first:
                return self.categories_alone(batch, labels, generator)
        real, generated = self.given(to_unit(batch.frames), labels, generator)
        real_frame, frame = (single_frames(video, generator) for video in (real, generated))
        real_clip, real_categories = self.clips(real)
        generated_clip, _ = self.clips(generated.detach())
        # for the generator's losses, whose gradients must not reach the discriminators
        fixed_frame = functional_call(self.frames, detached(self.frames), (frame,))
        fixed_clip, categories = functional_call(self.clips, detached(self.clips), (generated,))
        if self.reader is not None:
            real_categories, categories = self.reader(real), self.read(generated)
        discriminator_loss, generator_loss = LOSSES[self.settings.discriminators]
        return AdversarialTerms(
            frame_discriminator=discriminator_loss(
                self.frames(real_frame), self.frames(frame.detach())
            ),
            clip_discriminator=discriminator_loss(real_clip, generated_clip),
            real_category=category_loss(real_categories, labels),
            frame_generator=generator_loss(fixed_frame),
            clip_generator=generator_loss(fixed_clip),
            generated_category=category_loss(categories, labels),
        )

    def categories_alone(
        self, batch: Batch, labels: Mapping[str, Labels], generator: Generator
    ) -> AdversarialTerms:
        """Return the loss of the categories of real clips; all other terms are 0."""
        video = to_unit(batch.frames)
        times = self.times_seen(video.shape[1], generator)
        real = self.as_seen(video[:, times], generator)
        nothing = real.new_zeros(())
        categories = self.clips(real)[1] if self.reader is None else self.reader(real)
        loss = category_loss(categories, labels)
        return AdversarialTerms(nothing, nothing, loss, nothing, nothing, nothing)

    def read(self, generated: Seen) -> dict[str, Tensor]:
        """Return the reader's logits of generated clips, by the statistics of real ones."""
        assert self.reader is not None
        logits: dict[str, Tensor] = functional_call(
            self.reader.eval(), detached(self.reader), (generated,)
        )
        self.reader.train(self.training)
        return logits

    def given(
        self, video: Video, labels: Mapping[str, Labels], generator: Generator
    ) -> tuple[Seen, Seen]:
        """Return the real clips and generated ones of the same labels, as discriminated."""
        static = self.generator.draw_static(labels, generator)
        dynamic = self.generator.draw_dynamic(labels, video.shape[1], generator)
        times = self.times_seen(video.shape[1], generator)
        generated = self.generator.decode(static, dynamic[:, times])
        return self.as_seen(video[:, times], generator), self.as_seen(generated, generator)

    def times_seen(self, time: int, generator: Generator) -> Times:
        """Draw the frames of a clip that the discriminators are given, if they are not all."""
        if self.settings.views is None:
            return slice(None)
        return random_times(time, self.frames_seen, generator)

    def as_seen(self, video: Video, generator: Generator) -> Seen:
        """Return these frames of clips as the discriminators are given them."""
        views = self.settings.views
        return video if views is None else views.of(video, generator)

    @torch.no_grad()
    def update_average(self) -> None:
        """Update the moving average by the generator's current weights; copy integer buffers."""
        current = self.generator.state_dict()
        for name, mean in self.model.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(current[name], 1 - self.settings.decay)
            else:
                mean.copy_(current[name])


def single_frames(video: Video, generator: Generator) -> Frames:
    """Draw one frame of every clip."""
    chosen = frame_subset(len(video), video.shape[1], 1, generator)
    return take_frames(video, chosen)[:, 0]


def detached(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's weights as constants, through which no gradient reaches it."""
    return {name: value.detach() for name, value in module.named_parameters()}
