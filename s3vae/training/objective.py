"""The objective: L_VAE + l1 L_SCC + l2 L_DFP + l3 L_MI (paper, eq. 9), and our additions."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Generator, nn

from s3vae.data.clips import Factor
from s3vae.engine.batches import Batch
from s3vae.engine.parallel import sharded
from s3vae.losses import consistency, elbo, mutual_information
from s3vae.losses.aggregate import RunningMoments, batch_mismatch
from s3vae.losses.exchange import MotionExchange, same_cluster
from s3vae.losses.supervision import Supervision
from s3vae.model.s3vae import S3VAE, Posterior
from s3vae.tensors import DynamicCode, Features, Labels, Scalar, StaticCode, to_unit
from s3vae.training.presets import LossSettings, Weights
from s3vae.training.targets import TARGETS


class Terms(NamedTuple):
    """Everything minimized, each a mean over clips; the names are those of the log."""

    reconstruction: Scalar
    static_kl: Scalar
    dynamic_kl: Scalar
    consistency: Scalar
    factor_prediction: Scalar
    independence: Scalar
    aggregate: Scalar
    supervision: Scalar | None = None

    def named(self) -> dict[str, Scalar]:
        """Return the terms that are in use, by name."""
        return {name: term for name, term in self._asdict().items() if term is not None}

    def total(self, weights: Weights) -> Scalar:
        """Return the weighted sum that the optimizer minimizes."""
        return torch.stack(
            [getattr(weights, name) * term for name, term in self.named().items()]
        ).sum()


class Objective(nn.Module):
    """The model, and what its training needs besides: moving averages and heads."""

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
        static, exchange = model.architecture.static, settings.exchange
        if exchange is not None and clusters > 1:
            self.exchange: MotionExchange | None = MotionExchange(clusters, static, exchange.decay)
        else:
            self.exchange = None
        decay = settings.aggregate_decay
        self.moments = RunningMoments(static, decay) if decay else None
        self.supervision = supervision(model, factors) if settings.supervised else None

    def losses(self, batch: Batch, generator: Generator) -> dict[str, Scalar]:
        """Return the terms by name, and as `total` what the optimizer minimizes."""
        terms = self(batch, generator)
        return {**terms.named(), "total": terms.total(self.settings.weights)}

    def forward(self, batch: Batch, generator: Generator) -> Terms:
        """Return the terms on one batch of clips."""
        encode, decode = self.model.features, self.model.decode
        if self.training:
            encode, decode = sharded(encode), sharded(decode)
        video, known = to_unit(batch.frames), batch.known
        features = encode(video, known.get("tracks"))
        posterior = self.model.posterior(features)
        static, dynamic = (each.sample(generator) for each in posterior)
        inputs = self.decoder_inputs(posterior, static, dynamic, known["cluster"], generator)
        clips, time = dynamic.shape[:2]
        frames = elbo.frame_subset(clips, time, self.settings.decoded_frames or time, generator)
        decoded = decode(inputs[0], elbo.take_frames(inputs[1], frames))
        return Terms(
            reconstruction=elbo.reconstruction_error(
                decoded, elbo.take_frames(video, frames), time
            ),
            static_kl=elbo.static_kl(posterior.static),
            dynamic_kl=elbo.dynamic_kl(
                posterior.dynamic, self.model.prior(dynamic, known["cluster"])
            ),
            consistency=self.consistency(features, posterior, generator),
            factor_prediction=TARGETS[self.settings.signal].loss(
                self.model.predict_signal(dynamic), known
            ),
            independence=self.independence(posterior, static, dynamic, generator),
            aggregate=self.aggregate(static),
            supervision=self.supervision(static, dynamic, known) if self.supervision else None,
        )

    def decoder_inputs(
        self,
        posterior: Posterior,
        static: StaticCode,
        dynamic: DynamicCode,
        clusters: Labels,
        generator: Generator,
    ) -> tuple[StaticCode, DynamicCode]:
        """Return the codes to decode: the sampled ones, in training with motion exchanged."""
        if self.exchange is None or not self.training:
            return static, dynamic
        self.exchange.update(posterior.static.mean.detach(), clusters)
        others = torch.randperm(len(clusters), generator=generator, device=clusters.device)
        static = self.exchange.shift_to_cluster(static, clusters, clusters[others])
        return static, dynamic[same_cluster(clusters, self.settings.same_cluster_swap, generator)]

    def consistency(self, features: Features, posterior: Posterior, generator: Generator) -> Scalar:
        """Return L_SCC on posterior means: a clip's own frames reordered against another clip."""
        ordered = self.model.architecture.static_posterior == "bilstm"
        reorder = consistency.shuffle_frames if ordered else consistency.random_half
        anchor = posterior.static.mean
        positive = self.model.posterior_static(reorder(features, generator)).mean
        negative = consistency.other_clips(anchor)
        return consistency.triplet(anchor, positive, negative, self.settings.margin)

    def independence(
        self, posterior: Posterior, static: StaticCode, dynamic: DynamicCode, generator: Generator
    ) -> Scalar:
        """Return L_MI by our estimator or by the paper's."""
        if self.settings.mutual_information == "paper":
            estimate = mutual_information.published_mutual_information
            return estimate(*posterior, static, dynamic, self.clips)
        return mutual_information.mutual_information(*posterior, static, dynamic, generator)

    def aggregate(self, static: StaticCode) -> Scalar:
        """Return how far sampled z_f are from N(0, I); in training by running moments if set."""
        if self.moments is None or not self.training:
            return batch_mismatch(static)
        self.moments.update(static)
        return self.moments.mismatch(static)


def supervision(model: S3VAE, factors: Sequence[Factor]) -> Supervision:
    """Return new heads that read the true factors off the codes of a model."""
    values: Mapping[str, dict[str, int]] = {"static": {}, "dynamic": {}}
    for factor in factors:
        values[factor.kind][factor.name] = len(factor.values)
    sizes = model.architecture.static, model.architecture.dynamic
    return Supervision(values["static"], values["dynamic"], *sizes)
