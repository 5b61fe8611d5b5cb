"""The learned prior of appearance, fitted to the codes of the train split after training."""

import numpy as np
import torch
from torch import nn

from s3vae.data.clips import ClipFile
from s3vae.model.s3vae import S3VAE
from s3vae.model.static_prior import fit_static_prior
from s3vae.tensors import to_unit

CLIPS_AT_A_TIME = 64


@torch.no_grad()
def learn_static_prior(model: nn.Module, clips: ClipFile, device: torch.device) -> None:
    """Give a sequential VAE without a prior of appearance one; other models keep theirs."""
    if not isinstance(model, S3VAE) or model.static_prior is not None:
        return
    model.eval()
    codes, train = [], clips.split("train")
    for start in range(0, len(train), CLIPS_AT_A_TIME):
        frames = torch.from_numpy(clips.frames(train[start : start + CLIPS_AT_A_TIME])).to(device)
        codes.append(model.encode(to_unit(frames)).static.mean.cpu().numpy())
    model.static_prior = fit_static_prior(np.concatenate(codes)).to(device)
