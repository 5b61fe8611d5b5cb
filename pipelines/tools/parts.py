"""What changes with each part of a model's learned prior of appearance, by the judge."""

from collections.abc import Mapping
from typing import cast

import torch

from s3vae.data.clips import ClipFile
from s3vae.evaluation.codes import Codes, encode, predict_codes
from s3vae.judge.network import Judge
from s3vae.model.s3vae import S3VAE
from s3vae.model.static_prior import Mixture
from s3vae.runtime import generator_at

CHECKED = 96
"""Validation clips of which parts are drawn again."""
LEAST_CHANGED = 0.1
"""A part that changes each factor in fewer of the clips has no name."""


def part_names(model: S3VAE, judge: Judge, clips: ClipFile) -> list[str | None]:
    """Return for each part the static factors that change when it alone is drawn again.

    These are the factor that the judge sees changed in most clips, and those in at least half as
    many; equal names are numbered. None: hardly any changes, or the part is a single source. The
    list is empty without a learned prior, and with one static factor, which every part changes.
    """
    prior, factors = model.static_prior, [each.name for each in clips.static_factors]
    if prior is None or len(factors) < 2:
        return []
    device = prior.centre.device
    codes = encode(model, clips, clips.split("val")[:CHECKED], device)
    draws, unmixing = generator_at(device, 0, 0), torch.linalg.pinv(prior.mixing)
    before = predict_codes(model, judge, codes)
    names: list[str | None] = []
    first = 0
    for part in prior.parts:
        drawn = cast(Mixture, part).sample(len(codes.static), draws)
        sources = slice(first, first + drawn.shape[1])
        first = sources.stop
        if drawn.shape[1] == 1:
            names.append(None)
            continue
        change = drawn - ((codes.static - prior.centre) @ unmixing)[:, sources]
        redrawn = Codes(codes.static + change @ prior.mixing[sources], codes.dynamic)
        after = predict_codes(model, judge, redrawn)
        changed = {
            name: float((after[name].argmax(1) != before[name].argmax(1)).mean())
            for name in factors
        }
        names.append(name_of(changed))
    before_it = [names[:k].count(name) for k, name in enumerate(names)]
    return [
        f"{name} {count + 1}" if name and count else name
        for name, count in zip(names, before_it, strict=True)
    ]


def name_of(changed: Mapping[str, float]) -> str | None:
    """Return the name of a part by the share of clips in which it changes each factor."""
    most = max(changed.values())
    if most < LEAST_CHANGED:
        return None
    return " and ".join(factor for factor, share in changed.items() if share >= most / 2)
