"""The whole objective on one screen: L_VAE + l1 L_SCC + l2 L_DFP + l3 L_MI, and our additions."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Generator, Tensor, nn

from s3vae.data.clips import Factor
from s3vae.engine.batches import Batch
from s3vae.engine.parallel import Share, share_of
from s3vae.losses import consistency, elbo, mutual_information, prediction
from s3vae.losses.aggregate import AggregateMemory
from s3vae.losses.exchange import MotionExchange
from s3vae.losses.supervision import Supervision
from s3vae.model.s3vae import S3VAE, Posterior
from s3vae.tensors import DynamicCode, Features, Labels, Scalar, StaticCode, Video, to_unit
from s3vae.training.presets import LossSettings, Weights


class Terms(NamedTuple):
    """Everything minimized, each a mean over clips."""

    reconstruction: Scalar
    static_kl: Scalar
    dynamic_kl: Scalar
    consistency: Scalar
    factor_prediction: Scalar
    independence: Scalar
    aggregate: Scalar
    between_clusters: Scalar | None = None
    supervision: Scalar | None = None

    def named(self) -> dict[str, Scalar]:
        """The terms that there are, by name: what gets logged."""
        return {name: term for name, term in self._asdict().items() if term is not None}

    def total(self, weights: Weights) -> Scalar:
        """What the optimizer sees: every term times its weight."""
        return torch.stack(
            [getattr(weights, name) * term for name, term in self.named().items()]
        ).sum()


class Objective(nn.Module):
    """The model and all it is trained to minimize.

    Holds the memories of the motion exchange and of the aggregate posterior and, where absolute
    errors wait for it, the steps taken.
    """

    steps: Tensor

    def __init__(
        self,
        model: S3VAE,
        settings: LossSettings,
        clusters: int,
        clips: int,
        factors: Sequence[Factor] = (),
    ) -> None:
        super().__init__()
        self.model, self.settings, self.clips = model, settings, clips
        exchange = settings.exchange
        self.exchange = (
            MotionExchange(clusters, model.architecture.static, exchange.decay)
            if exchange is not None and clusters > 1
            else None
        )
        self.aggregate_memory = (
            AggregateMemory(model.architecture.static, settings.aggregate_decay)
            if settings.aggregate_decay
            else None
        )
        sizes = model.architecture.static, model.architecture.dynamic
        self.supervision = supervision(factors, *sizes) if settings.supervised else None
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def losses(self, batch: Batch, generator: Generator) -> dict[str, Scalar]:
        """The terms by name, and as `total` what the optimizer sees."""
        terms = self(batch, generator)
        return {**terms.named(), "total": terms.total(self.settings.weights)}

    def forward(self, batch: Batch, generator: Generator) -> Terms:
        """The terms on one batch of clips; in training each process decodes its share alone."""
        share = share_of(len(batch.frames)) if self.training else Share()
        video, tracks = to_unit(batch.frames[share.own]), batch.known.get("tracks")
        seen_along = None if tracks is None else tracks[share.own]
        features = share.whole(self.model.features(video, seen_along))
        posterior = self.model.posterior(features)
        static = posterior.static.sample(generator)
        dynamic = posterior.dynamic.sample(generator)
        # before this batch is remembered: no clip is to be drawn against itself
        between_clusters = self.between_clusters(posterior, batch.known["cluster"])
        shown_static, shown_dynamic = self.shown(posterior, static, dynamic, batch, generator)
        batch_size, time = dynamic.shape[:2]
        count = self.settings.decoded_frames or time
        frames = elbo.frame_subset(batch_size, time, count, generator)[share.own]
        decoded = self.model.decode(
            shown_static[share.own], elbo.take_frames(shown_dynamic[share.own], frames)
        )
        return Terms(
            reconstruction=share.mean(
                self.reconstruction(decoded, elbo.take_frames(video, frames), frames_per_clip=time)
            ),
            static_kl=elbo.static_kl(posterior.static),
            dynamic_kl=elbo.dynamic_kl(
                posterior.dynamic, self.model.prior(dynamic, batch.known["cluster"])
            ),
            consistency=self.consistency(features, posterior, generator),
            factor_prediction=self.factor_prediction(dynamic, batch.known),
            independence=self.independence(posterior, static, dynamic, generator),
            aggregate=self.aggregate(static),
            between_clusters=between_clusters,
            supervision=self.supervision(static, dynamic, batch.known)
            if self.supervision
            else None,
        )

    def reconstruction(self, decoded: Video, video: Video, frames_per_clip: int) -> Scalar:
        """Squares; in training, from the step on that the settings name, absolute errors."""
        absolute = self.settings.absolute
        if self.training and absolute is not None:
            self.steps += 1
            if self.steps > absolute.after:
                return elbo.absolute_error(
                    decoded,
                    video,
                    frames_per_clip,
                    softness=absolute.softness,
                    meets=absolute.meets,
                )
        return elbo.reconstruction_error(decoded, video, frames_per_clip)

    def shown(
        self,
        posterior: Posterior,
        static: StaticCode,
        dynamic: DynamicCode,
        batch: Batch,
        generator: Generator,
    ) -> tuple[StaticCode, DynamicCode]:
        """The codes that the decoder is given: in training with the motion in z_f exchanged."""
        if self.exchange is None or not self.training:
            return static, dynamic
        clusters = batch.known["cluster"]
        self.exchange.observe(posterior.static.mean.detach(), clusters)
        others = torch.randperm(len(clusters), generator=generator, device=clusters.device)
        static = self.exchange(static, clusters, clusters[others])
        return static, dynamic[partners(clusters, self.settings.partners, generator)]

    def consistency(self, features: Features, posterior: Posterior, generator: Generator) -> Scalar:
        """L_SCC on posterior means: the same clip shuffled (or half of it) against another clip."""
        ordered = self.model.architecture.static_posterior == "bilstm"
        reorder = consistency.shuffle_frames if ordered else consistency.random_half
        anchor = posterior.static.mean
        positive = self.model.posterior_static(reorder(features, generator)).mean
        negative = consistency.other_clips(anchor)
        return consistency.triplet(anchor, positive, negative, self.settings.margin)

    def factor_prediction(self, dynamic: DynamicCode, known: Mapping[str, Tensor]) -> Scalar:
        """L_DFP on drawn z_t, with the signal that the settings name."""
        predicted = self.model.predict_signal(dynamic)
        if self.settings.signal == "distances":
            return prediction.distance_regression(predicted, known["distances"])
        if self.settings.signal == "cells":
            return prediction.flow_regression(predicted, known["cells"])
        cells = known["direction"].shape[-1]
        loss = prediction.top_cells_loss(predicted[..., :cells], known["top"])
        if self.settings.signal == "top-cells+direction":
            directions = predicted[..., cells:].reshape(*predicted.shape[:2], cells, -1)
            loss = loss + prediction.direction_loss(directions, known["direction"])
        return loss

    def between_clusters(self, posterior: Posterior, clusters: Labels) -> Scalar | None:
        """What z_f tells of the motion cluster, by the memory of the exchange; None if free."""
        if self.exchange is None or not self.settings.weights.between_clusters:
            return None
        return self.exchange.between_clusters(posterior.static.mean, clusters)

    def aggregate(self, static: StaticCode) -> Scalar:
        """How far drawn z_f are from N(0, I): in training by what is remembered, where asked to."""
        if self.aggregate_memory is None or not self.training:
            return mutual_information.aggregate_mismatch(static)
        self.aggregate_memory.observe(static)
        return self.aggregate_memory.mismatch(static)

    def independence(
        self,
        posterior: Posterior,
        static: StaticCode,
        dynamic: DynamicCode,
        generator: Generator,
    ) -> Scalar:
        """L_MI, by our estimator or by the paper's."""
        if self.settings.mutual_information == "paper":
            return mutual_information.published_mutual_information(
                *posterior, static, dynamic, self.clips
            )
        return mutual_information.mutual_information(*posterior, static, dynamic, generator)


def supervision(factors: Sequence[Factor], static: int, dynamic: int) -> Supervision:
    """Return the heads that read the true factors off codes of these sizes."""
    values = {
        kind: {factor.name: len(factor.values) for factor in factors if factor.kind == kind}
        for kind in ("static", "dynamic")
    }
    return Supervision(values["static"], values["dynamic"], static, dynamic)


def partners(clusters: Labels, probability: float, generator: Generator) -> Int[Tensor, " batch"]:
    """For each clip with some probability another clip of its motion cluster, else itself."""
    size, device = len(clusters), clusters.device
    alike = (clusters[:, None] == clusters) & ~torch.eye(size, dtype=torch.bool, device=device)
    draws = torch.rand(size, size, generator=generator, device=device)
    mate = draws.masked_fill(~alike, -1).argmax(dim=1)
    exchanged = torch.rand(size, generator=generator, device=device) < probability
    return torch.where(exchanged & alike.any(dim=1), mate, torch.arange(size, device=device))
