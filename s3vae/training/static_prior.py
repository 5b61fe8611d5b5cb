"""The learned prior of appearance, fitted to the codes of the train split after training."""

import numpy as np
import torch
from torch import nn

from s3vae.engine.batches import ClipBatches, in_turn
from s3vae.model.s3vae import S3VAE
from s3vae.model.static_prior import fit_static_prior
from s3vae.tensors import to_unit

CLIPS_AT_A_TIME = 64


@torch.no_grad()
def learn_static_prior(model: nn.Module, batches: ClipBatches, device: torch.device) -> None:
    """Give a sequential VAE without a prior of appearance one; other models keep theirs.

    Objects are followed along the tracks of the batches, or tracked anew if these have none.
    """
    if not isinstance(model, S3VAE) or model.static_prior is not None:
        return
    model.eval()
    codes = []
    for clips in in_turn(batches.clips.split("train"), CLIPS_AT_A_TIME):
        batch = batches[clips].to(device)
        features = model.features(to_unit(batch.frames), batch.known.get("tracks"))
        codes.append(model.posterior(features).static.mean.cpu().numpy())
    model.static_prior = fit_static_prior(np.concatenate(codes)).to(device)
