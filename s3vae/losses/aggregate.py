"""The aggregate posterior of z_f, matched to N(0, I) by moments (Kumar et al., ICLR 2018)."""

import torch

from s3vae.tensors import Scalar, StaticCode


def batch_mismatch(code: StaticCode) -> Scalar:
    """Return ‖cov(z_f) - I‖² + ‖mean(z_f)‖² over the clips of one batch.

    The sampling error of a batch covariance grows with the scale of the codes, so on small batches
    the minimum has less variance than I: about 0.3 for 16 clips and 32 dimensions.
    """
    mean = code.mean(dim=0)
    centred = code - mean
    covariance = centred.mT @ centred / (len(code) - 1)
    identity = torch.eye(len(mean), device=mean.device)
    return (covariance - identity).square().sum() + mean.square().sum()
