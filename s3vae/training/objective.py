"""The objective: L_VAE + l1 L_SCC + l2 L_DFP + l3 L_MI (paper, eq. 9), and our additions."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, nn

from s3vae.data.clips import Factor
from s3vae.engine.batches import Batch
from s3vae.engine.parallel import sharded
from s3vae.losses import consistency, elbo, mutual_information
from s3vae.losses.aggregate import batch_mismatch
from s3vae.losses.exchange import MotionExchange
from s3vae.losses.supervision import Supervision
from s3vae.model.s3vae import S3VAE, Posterior
from s3vae.tensors import CodePair, Features, Scalar, to_unit
from s3vae.training.presets import LossSettings, Weights
from s3vae.training.targets import TARGETS
from s3vae.training.views import encode_views


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
        weighted = [getattr(weights, name) * term for name, term in self.named().items()]
        return torch.stack(weighted).sum()


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
        sizes = model.architecture
        self.exchange: MotionExchange | None = None
        if settings.exchange is not None and clusters > 1:
            self.exchange = MotionExchange(
                clusters, sizes.static, settings.exchange.decay, settings.same_cluster_swap
            )
        self.supervision: Supervision | None = None
        if settings.supervised:
            of_static, of_dynamic = (
                {factor.name: len(factor.values) for factor in factors if factor.kind == kind}
                for kind in ("static", "dynamic")
            )
            self.supervision = Supervision(of_static, of_dynamic, sizes.static, sizes.dynamic)

    def losses(self, batch: Batch, generator: Generator) -> dict[str, Scalar]:
        """Return the terms by name, and as `total` what the optimizer minimizes."""
        terms = self(batch, generator)
        return {**terms.named(), "total": terms.total(self.settings.weights)}

    def forward(self, batch: Batch, generator: Generator) -> Terms:
        """Return the terms on one batch of clips."""
        video, known, clusters = to_unit(batch.frames), batch.known, batch.known["cluster"]
        if self.training and self.settings.views is not None:
            features, moving = encode_views(self.model, video, self.settings.views, generator)
        else:
            features = sharded(self.model.features, self.training)(video, known.get("tracks"))
            moving = features
        posterior, codes = self.model.infer(features, moving, generator)
        static, dynamic = inputs = codes
        if self.training and self.exchange is not None:
            inputs = self.exchange(codes, posterior.static.mean, clusters, generator)
        count, time = dynamic.shape[:2]
        frames = elbo.frame_subset(count, time, self.settings.decoded_frames or time, generator)
        decode = sharded(self.model.decode, self.training)
        decoded = decode(inputs[0], elbo.take_frames(inputs[1], frames))
        target = elbo.take_frames(video, frames)
        prior = self.model.prior(dynamic, clusters)
        signal = self.model.predict_signal(dynamic)
        return Terms(
            reconstruction=elbo.reconstruction_error(decoded, target, time),
            static_kl=elbo.static_kl(posterior.static),
            dynamic_kl=elbo.dynamic_kl(posterior.dynamic, prior),
            consistency=self.consistency(features, posterior, generator),
            factor_prediction=TARGETS[self.settings.signal].loss(signal, known),
            independence=self.independence(posterior, codes, generator),
            aggregate=batch_mismatch(static),
            supervision=self.supervision(static, dynamic, known) if self.supervision else None,
        )

    def consistency(self, features: Features, posterior: Posterior, generator: Generator) -> Scalar:
        """Return L_SCC on posterior means: a clip's own frames reordered against another clip."""
        reorder = consistency.POSITIVES[self.model.architecture.static_posterior]
        anchor = posterior.static.mean
        positive = self.model.posterior_static(reorder(features, generator)).mean
        other = consistency.other_clips(anchor)
        return consistency.triplet(anchor, positive, other, self.settings.margin)

    def independence(self, posterior: Posterior, codes: CodePair, generator: Generator) -> Scalar:
        """Return L_MI by our estimator or by the paper's."""
        if self.settings.mutual_information == "paper":
            return mutual_information.published_mutual_information(*posterior, *codes, self.clips)
        return mutual_information.mutual_information(*posterior, *codes, generator)
