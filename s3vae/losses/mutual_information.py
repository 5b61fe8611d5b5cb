"""L_MI, the mutual information between z_f and z_t (paper, eq. 8), in nats."""

import math

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from s3vae.distributions import Gaussian
from s3vae.tensors import DynamicCode, Scalar, StaticCode


def _log_mean_of_others(
    log_density: Float[Tensor, "*each batch batch"],
) -> Float[Tensor, "*each batch"]:
    """Return the log of each sample's mean density under the posteriors of the other clips."""
    own = torch.eye(log_density.shape[-1], dtype=torch.bool, device=log_density.device)
    others = log_density.masked_fill(own, -math.inf)
    return others.logsumexp(dim=-1) - math.log(log_density.shape[-1] - 1)


def mutual_information(
    static: Gaussian,
    dynamic: Gaussian,
    static_code: StaticCode,
    dynamic_code: DynamicCode,
    generator: Generator,
) -> Scalar:
    """Return a leave-one-out estimate of I(z_f; z_t) in nats, one dimension at a time.

    Each dimension of z_t is paired with a random dimension of z_f, resampled at every call, so all
    pairs count alike on average; summed over time and dimensions of z_t. Floored at 0: without a
    floor the minimum of the estimate is unbounded, though mutual information is not.
    """
    dimensions = torch.randint(
        static_code.shape[-1],
        dynamic_code.shape[-1:],
        generator=generator,
        device=static_code.device,
    )
    estimate = paired_information(static, dynamic, static_code, dynamic_code, dimensions)
    return estimate.relu().sum()


def paired_information(
    static: Gaussian,
    dynamic: Gaussian,
    static_code: StaticCode,
    dynamic_code: DynamicCode,
    dimensions: Int[Tensor, " dynamic"],
) -> Float[Tensor, "time dynamic"]:
    """Return KL(q(z_f, z_t) ‖ q(z_f) q(z_t)) of each dimension of z_t and its partner of z_f.

    `dimensions` names the partners. Each density is a mixture over the other clips of the batch:
    a sample's own posterior is narrow and would dominate, which makes the estimate log(batch)
    whatever the codes are. The estimate may be negative.
    """
    paired = Gaussian(static.mean[:, dimensions], static.std[:, dimensions])
    of_static = _log_densities(paired, static_code[:, dimensions])
    of_dynamic = _log_densities(dynamic, dynamic_code)
    joint = _log_mean_of_others(of_static + of_dynamic)
    apart = _log_mean_of_others(of_static) + _log_mean_of_others(of_dynamic)
    return (joint - apart).mean(dim=-1)


def _log_densities(
    posterior: Gaussian, code: Float[Tensor, "batch *time dim"]
) -> Float[Tensor, "*time dim batch batch"]:
    """Return the log density of each dimension of every code under the posterior of every clip."""
    mean, std, value = (each.movedim(0, -1) for each in (posterior.mean, posterior.std, code))
    distance = (value[..., None] - mean[..., None, :]) / std[..., None, :]
    return -(distance**2 / 2 + (std.log() + math.log(2 * math.pi) / 2)[..., None, :])


def published_mutual_information(
    static: Gaussian,
    dynamic: Gaussian,
    static_code: StaticCode,
    dynamic_code: DynamicCode,
    clips: int,
) -> Scalar:
    """Return the paper's estimate, by minibatch weighted sampling over `clips` training clips.

    max(sum_t E[log q(z_f, z_t) - log q(z_f) - log q(z_t)], 0), each log q over all dimensions.
    With 256 and 32 dimensions and narrow posteriors it is the constant log(clips · batch), so its
    gradient vanishes (docs/method.md).
    """
    over_time = Gaussian(dynamic.mean.transpose(0, 1), dynamic.std.transpose(0, 1))
    of_static = static.pairwise_log_density(static_code)[None]
    of_dynamic = over_time.pairwise_log_density(dynamic_code.transpose(0, 1))
    weight = math.log(clips * len(static_code))
    joint = (of_static + of_dynamic).logsumexp(-1)
    apart = of_static.logsumexp(-1) + of_dynamic.logsumexp(-1) - weight
    return (joint - apart).mean(dim=-1).sum().relu()
