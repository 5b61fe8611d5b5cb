"""The folder of a trained judge: weights, and the sizes of its network."""

import json
from pathlib import Path

import torch

from s3vae.files import replacing
from s3vae.judge.network import Judge
from s3vae.judge.separate import SeparateJudge
from s3vae.weights import load_weights, save_weights

HEADS = "heads.json"


def save_judge(judge: Judge, folder: Path) -> None:
    """Write a folder with the weights and the sizes of the network."""
    with replacing(folder) as aside:
        aside.mkdir()
        save_weights(judge, aside)
        (aside / HEADS).write_text(json.dumps(judge.sizes, indent=2) + "\n")


def load_judge(folder: Path, device: torch.device) -> Judge:
    """Load a judge in eval mode."""
    sizes = json.loads((folder / HEADS).read_text())
    judge = (SeparateJudge if "static" in sizes else Judge)(**sizes)
    load_weights(judge, folder)
    return judge.to(device).eval()
