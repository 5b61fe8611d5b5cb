"""L_MI: what z_f and z_t still tell of each other (paper, eq. 8), and the aggregate posterior."""

import math

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from s3vae.distributions import Gaussian
from s3vae.tensors import DynamicCode, Scalar, StaticCode


def _log_mean_of_others(
    log_density: Float[Tensor, "*each batch batch"],
) -> Float[Tensor, "*each batch"]:
    """log of the mean density of each row's value under the posteriors of the other clips."""
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
    """What z_f and z_t tell of each other, number by number: nats, summed over time and z_t.

    Every number of z_t stands beside one of z_f, drawn anew at each call, so on average all pairs
    count. Floored at 0, as mutual information is: minimized without a floor, the estimate leaves
    the codes behind and falls without end.
    """
    numbers = torch.randint(
        static_code.shape[-1],
        dynamic_code.shape[-1:],
        generator=generator,
        device=static_code.device,
    )
    estimate = information_of_numbers(static, dynamic, static_code, dynamic_code, numbers)
    return estimate.relu().sum()


def information_of_numbers(
    static: Gaussian,
    dynamic: Gaussian,
    static_code: StaticCode,
    dynamic_code: DynamicCode,
    numbers: Int[Tensor, " dynamic"],
) -> Float[Tensor, "time dynamic"]:
    """KL(q(z_f, z_t) ‖ q(z_f) q(z_t)) of each number of z_t with the one of z_f named beside it.

    Each density is a mixture over the batch, without the sample's own posterior: being narrow, it
    would drown the others, and the estimate would be the constant log(batch) whatever the codes
    are. In all dimensions at once the others are so far away that the estimate would say nothing.
    The estimate may be negative.
    """
    of_static = _log_densities(static, static_code, numbers)
    of_dynamic = _log_densities(dynamic, dynamic_code)
    joint = _log_mean_of_others(of_static + of_dynamic)
    apart = _log_mean_of_others(of_static) + _log_mean_of_others(of_dynamic)
    return (joint - apart).mean(dim=-1)


def _log_densities(
    posterior: Gaussian,
    code: Float[Tensor, "batch *time dim"],
    numbers: Int[Tensor, " number"] | None = None,
) -> Float[Tensor, "*time number batch batch"]:
    """log density of each number of every code under the posterior of every clip."""
    mean, std, value = (
        (each if numbers is None else each[..., numbers]).movedim(0, -1)
        for each in (posterior.mean, posterior.std, code)
    )
    distance = (value[..., None] - mean[..., None, :]) / std[..., None, :]
    return -(distance**2 / 2 + (std.log() + math.log(2 * math.pi) / 2)[..., None, :])


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
    """How far codes are from N(0, I): squares of the mean and of covariance - I (DIP-VAE).

    Of few clips it asks for less than I: a batch's own covariance is off by chance, the more the
    larger codes are. 16 clips in 32 numbers ask for a variance of .3.
    """
    mean = static_code.mean(dim=0)
    centred = static_code - mean
    covariance = centred.mT @ centred / (len(static_code) - 1)
    identity = torch.eye(len(mean), device=mean.device)
    return (covariance - identity).square().sum() + mean.square().sum()
