"""The sequential VAE: p(x, z) = p(z_f) prod_t p(z_t | z_<t) p(x_t | z_f, z_t)  (paper, eq. 1)."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from s3vae.distributions import Gaussian, standard_normal
from s3vae.model.architecture import ARCHITECTURE, Architecture
from s3vae.model.decoders import decode_clips, frame_decoder
from s3vae.model.encoder import frame_encoder, window_encoder
from s3vae.model.posteriors import DynamicPosterior, PooledStatic, RecurrentStatic
from s3vae.model.prior import DynamicPrior
from s3vae.model.static_prior import StaticPrior
from s3vae.model.two_objects.networks import ObjectDynamic, ObjectEncoder, ObjectStatic
from s3vae.model.two_objects.windows import Tracks
from s3vae.tensors import CodePair, DynamicCode, Features, StaticCode, Video, deviations

HEAD_HIDDEN = 64


class Posterior(NamedTuple):
    """The posteriors of a batch of clips: q(z_f | x) and q(z_t | x)."""

    static: Gaussian
    dynamic: Gaussian


def encoder(architecture: Architecture) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Return the frame encoder and the two posterior networks that take its features."""
    if architecture.encoder == "objects":
        return ObjectEncoder(), ObjectStatic(architecture), ObjectDynamic(architecture)
    static = RecurrentStatic if architecture.static_posterior == "bilstm" else PooledStatic
    # this order is that in which the initial weights are drawn
    return (
        frame_encoder(architecture),
        static(architecture.features, architecture.recurrent, architecture.static),
        DynamicPosterior(
            architecture.features + (architecture.static if architecture.given_static else 0),
            architecture.recurrent,
            architecture.dynamic,
            causal=architecture.causal,
            framewise=architecture.framewise,
        ),
    )


def encode_frames(
    encoder: nn.Module, frames: Float[Tensor, "batch frame channel height width"]
) -> Float[Tensor, "batch frame feature"]:
    """Return the features of frames, one by one."""
    encoded: Tensor = encoder(frames.flatten(0, 1))
    return encoded.reshape(*frames.shape[:2], -1)


class S3VAE(nn.Module):
    """The encoder, the prior, the decoder, and the head that predicts a motion signal from z_t."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.separate = architecture.separate
        self.frame_encoder, self.static_posterior, self.dynamic_posterior = encoder(architecture)
        self.prior = DynamicPrior(
            architecture.dynamic, architecture.recurrent, architecture.clusters
        )
        self.decoder = frame_decoder(architecture)
        self.window_encoder: nn.Module | None = None
        if architecture.static_input == "windows":
            self.window_encoder = window_encoder(architecture)
        self.signal_head = nn.Sequential(
            nn.Linear(architecture.dynamic, HEAD_HIDDEN),
            nn.LeakyReLU(0.2),
            nn.Linear(HEAD_HIDDEN, architecture.signal),
        )
        self.static_prior: StaticPrior | None = None

    def features(self, video: Video, tracks: Tracks | None = None) -> Features:
        """Return the features of every frame, or of tracked objects (along `tracks` if there are).

        If z_f and z_t are inferred from different ones, those of z_t follow those of z_f. Raises
        ValueError unless frames have the architecture's size.
        """
        height, width = self.architecture.height, self.architecture.width
        if video.shape[-2:] != (height, width):
            rows, columns = video.shape[-2:]
            msg = f"frames must be {height}x{width}, not {rows}x{columns}: resize the clips"
            raise ValueError(msg)
        if isinstance(self.frame_encoder, ObjectEncoder):
            objects: Tensor = self.frame_encoder(video, tracks)
            return objects
        if not self.separate:
            return encode_frames(self.frame_encoder, video)
        time, both = video.shape[1], self.view_features(video, self.dynamic_input(video))
        # not `chunk`, which exporters cannot trace if time is not fixed
        return torch.cat([both[:, :time], both[:, time:]], dim=2)

    def view_features(
        self,
        still: Float[Tensor, "batch still channel height width"],
        moving: Float[Tensor, "batch moving channel height width"],
    ) -> Float[Tensor, "batch both feature"]:
        """Return the features of what z_f is inferred from, then those of what z_t is."""
        if self.window_encoder is None:
            return encode_frames(self.frame_encoder, torch.cat([still, moving], dim=1))
        static = encode_frames(self.window_encoder, still)
        return torch.cat([static, encode_frames(self.frame_encoder, moving)], dim=1)

    def dynamic_input(self, video: Video) -> Video:
        """Return what z_t is inferred from: the frames, or their deviations."""
        return video if self.architecture.dynamic_input == "frames" else deviations(video)

    def posterior(self, features: Features) -> Posterior:
        """Return q(z_f | x_1:T) and q(z_t | x_<=t), or its variant in the architecture.

        If z_t is inferred from z_f too, this is the mean of q(z_f | x_1:T).
        """
        static = self.posterior_static(features)
        return Posterior(static, self.posterior_dynamic(features, static.mean))

    def infer(
        self,
        still: Float[Tensor, "batch still feature"],
        moving: Float[Tensor, "batch moving feature"],
        generator: Generator,
    ) -> tuple[Posterior, CodePair]:
        """Return q(z_f | x_1:T) from features, q(z_t | x_<=t) from others, and a sample of each."""
        of_static = self.posterior_static(still)
        static = of_static.sample(generator)
        of_dynamic = self.posterior_dynamic(moving, static)
        return Posterior(of_static, of_dynamic), (static, of_dynamic.sample(generator))

    def posterior_static(self, features: Features) -> Gaussian:
        """Return q(z_f | x_1:T) alone, from the first features of a frame."""
        first = slice(self.architecture.features) if self.separate else slice(None)
        static: Gaussian = self.static_posterior(features[..., first])
        return static

    def posterior_dynamic(self, features: Features, static: StaticCode) -> Gaussian:
        """Return q(z_t | x_<=t) alone, from the last features of a frame.

        With `given_static` it depends on z_f too (Li & Mandt, ICML 2018).
        """
        last = slice(-self.architecture.features, None) if self.separate else slice(None)
        inputs = features[..., last]
        if self.architecture.given_static:
            repeated = static[:, None].expand(-1, inputs.shape[1], -1)
            inputs = torch.cat([inputs, repeated], dim=-1)
        dynamic: Gaussian = self.dynamic_posterior(inputs)
        return dynamic

    def encode(self, video: Video) -> Posterior:
        """Return both posteriors of a batch of clips."""
        return self.posterior(self.features(video))

    def decode(self, static: StaticCode, dynamic: DynamicCode) -> Video:
        """Return the mean of p(x_1:T | z_f, z_1:T): all frames of a clip share its static code."""
        return decode_clips(self.decoder, static, dynamic)

    def draw_static(self, batch: int, generator: Generator) -> StaticCode:
        """Draw appearances from p(z_f) = N(0, I), the paper's prior."""
        prior = standard_normal(batch, self.architecture.static, device=generator.device)
        return prior.sample(generator)

    def draw_learned_static(self, batch: int, generator: Generator) -> StaticCode:
        """Draw appearances from the prior fitted after training; without one from N(0, I)."""
        if self.static_prior is None:
            return self.draw_static(batch, generator)
        return self.static_prior.sample(batch, generator)

    def draw_dynamic(self, batch: int, time: int, generator: Generator) -> DynamicCode:
        """Draw motions from the learned prior, each code conditioned on those drawn before it."""
        return self.prior.sample(batch, time, generator)

    def predict_signal(self, dynamic: DynamicCode) -> Float[Tensor, "batch time signal"]:
        """Predict the motion signal of every frame from z_t alone (dynamic factor prediction)."""
        signal: Tensor = self.signal_head(dynamic)
        return signal

    def sizes(self) -> dict[str, Architecture]:
        """Return the architecture by the name of the file that holds it."""
        return {ARCHITECTURE: self.architecture}
