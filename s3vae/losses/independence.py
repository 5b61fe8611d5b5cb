"""L_MI: what z_f and z_t still tell of each other (paper, eq. 8), and the aggregate posterior."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from s3vae.distributions import Gaussian
from s3vae.tensors import DynamicCode, Scalar, StaticCode

MatrixOverTime = Float[Tensor, "time batch batch"]


def _log_mean_of_others(log_density: MatrixOverTime) -> Float[Tensor, "time batch"]:
    """log of the mean density of each row's value under the posteriors of the other clips."""
    own = torch.eye(log_density.shape[-1], dtype=torch.bool, device=log_density.device)
    others = log_density.masked_fill(own, -math.inf)
    return others.logsumexp(dim=-1) - math.log(log_density.shape[-1] - 1)


def mutual_information(
    static: Gaussian, dynamic: Gaussian, static_code: StaticCode, dynamic_code: DynamicCode
) -> Scalar:
    """sum_t KL(q(z_f, z_t) ‖ q(z_f) q(z_t)) in nats, each density a mixture over the batch.

    Floored at 0 per frame, as mutual information is: minimized without a floor, the estimate leaves
    the codes behind and falls without end.
    """
    return mutual_information_estimate(static, dynamic, static_code, dynamic_code).relu().sum()


def mutual_information_estimate(
    static: Gaussian, dynamic: Gaussian, static_code: StaticCode, dynamic_code: DynamicCode
) -> Float[Tensor, " time"]:
    """The estimate of every frame, which may be negative.

    A sample's own posterior is left out of every mixture: with narrow posteriors it would drown the
    others, and the estimate would be the constant log(batch) whatever the codes are.
    """
    of_static = static.pairwise_log_density(static_code)[None]
    over_time = Gaussian(dynamic.mean.transpose(0, 1), dynamic.std.transpose(0, 1))
    of_dynamic = over_time.pairwise_log_density(dynamic_code.transpose(0, 1))
    joint = _log_mean_of_others(of_static + of_dynamic)
    apart = _log_mean_of_others(of_static) + _log_mean_of_others(of_dynamic)
    return (joint - apart).mean(dim=-1)


def published_mutual_information(
    static: Gaussian,
    dynamic: Gaussian,
    static_code: StaticCode,
    dynamic_code: DynamicCode,
    clips: int,
) -> Scalar:
    """The same by minibatch weighted sampling over `clips` training clips, as in the paper."""
    over_time = Gaussian(dynamic.mean.transpose(0, 1), dynamic.std.transpose(0, 1))
    of_static = static.pairwise_log_density(static_code)[None]
    of_dynamic = over_time.pairwise_log_density(dynamic_code.transpose(0, 1))
    weight = math.log(clips * len(static_code))
    joint = (of_static + of_dynamic).logsumexp(-1)
    apart = of_static.logsumexp(-1) + of_dynamic.logsumexp(-1) - weight
    return (joint - apart).mean(dim=-1).sum().relu()


def aggregate_mismatch(static_code: StaticCode) -> Scalar:
    """How far codes are from N(0, I): squares of the mean and of covariance - I (DIP-VAE)."""
    mean = static_code.mean(dim=0)
    centred = static_code - mean
    covariance = centred.mT @ centred / (len(static_code) - 1)
    identity = torch.eye(len(mean), device=mean.device)
    return (covariance - identity).square().sum() + mean.square().sum()
