"""The list of all baselines."""

from s3vae.baselines.interface import Baseline
from s3vae.baselines.mocogan.baseline import MOCOGAN

BASELINES: tuple[Baseline, ...] = (MOCOGAN,)
