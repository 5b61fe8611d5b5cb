"""Put a trained model, with its card, among those that come with the package.

`python -m pipelines.tools.zoo DATASET METHOD`, in the folder of the pipeline that trained it.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipelines.cli import arguments
from pipelines.paths import Layout
from pipelines.tools.parts import part_names
from s3vae.app.config import ZOO
from s3vae.app.package import Package, stored, write_package
from s3vae.data.clips import ClipFile
from s3vae.data.preparation import preparation_of
from s3vae.engine.batches import ClipBatches
from s3vae.evaluation.codes import encode, reconstruction_error
from s3vae.evaluation.metrics import METRICS
from s3vae.evaluation.pictures import decode
from s3vae.judge.saved import load_judge
from s3vae.model.s3vae import S3VAE
from s3vae.model.saved import load_s3vae
from s3vae.progress import LOG
from s3vae.training.static_prior import learn_static_prior

CHECKED = 64
"""Test clips whose reconstruction error a test of the package measures again."""
SCORES = (
    *("accuracy", "static_preserved", "static_leakage", "swap_dynamic", "swap_static"),
    *("aed_nearer", "flow_cosine"),
)
LIMITS = {
    "dsprites": "It knows three shapes in nine colours on black, and nothing else.",
    "sprites": "It knows one kind of drawn character on black; other pictures become such ones.",
    "smmnist": "It knows two digits that move on black and tracks them by a hand-built prior.",
    "faces": "It knows drawn faces; a photograph becomes a drawing.",
    "weizmann": "It knows nine people in four actions before one wall. Fast limbs are blurred. "
    "Anybody else becomes one of the nine, unless it is adapted (`s3vae swap`).",
    "grid": "It knows ten speakers before one wall. Anybody else becomes a mixture of them, "
    "unless it is adapted (`s3vae swap`). Lips move less than they should, and the shape of a face "
    "does not follow the motion.",
}


def add(files: Layout, method: str) -> Path:
    """Write the folder of a model; in half precision if frames change by one grey level at most."""
    clips, device = ClipFile(files.clips), torch.device("cpu")
    model = load_s3vae(files.model(method), device)
    learn_static_prior(model, ClipBatches(clips, {}), device)
    exact, error = decoded(model, clips)
    rounded = load_s3vae(files.model(method), device)
    rounded.load_state_dict(stored(rounded, half=True))
    change = int(np.abs(exact.astype(int) - decoded(rounded, clips)[0].astype(int)).max())
    per_pixel = round(float(error / np.prod(clips.shape[1:])), 6)
    judge = load_judge(files.judge, device)
    facts = facts_of(files, method, clips) | {
        "parts": part_names(model, judge, clips),
        "reconstruction_error": round(error, 3),
    }
    folder = ZOO / files.dataset
    package = Package(model, preparation_of(clips, per_pixel), facts)
    write_package(folder, package, card(files.dataset, facts), half=change <= 1)
    LOG.info("%s: half precision changes frames by %d grey levels at most", folder, change)
    return folder


def decoded(model: S3VAE, clips: ClipFile) -> tuple[np.ndarray, float]:
    """Return the reconstructions of the first test clips as bytes, and their error."""
    chosen, device = clips.split("test")[:CHECKED], torch.device("cpu")
    codes = encode(model, clips, chosen, device)
    return decode(model, codes), reconstruction_error(model, codes, clips, chosen)


def facts_of(files: Layout, method: str, clips: ClipFile) -> dict[str, Any]:
    """Return where a model comes from, and its scores as the tables print them."""
    results = files.scores(method)
    scores = json.loads((results / "metrics.json").read_text())
    made = json.loads((results / "environment.json").read_text())
    return {
        "dataset": files.dataset,
        "method": method,
        "source": clips.source,
        "licence": clips.licence,
        "commit": made["commit"],
        "steps": made["steps"],
        "scores": {
            metric.title: metric.text(scores[metric.name])
            for metric in METRICS
            if metric.name in SCORES and scores.get(metric.name) is not None
        },
    }


def card(dataset: str, facts: dict[str, Any]) -> str:
    """Return the model's card in Markdown."""
    scores = "\n".join(f"| {title} | {text} |" for title, text in facts["scores"].items())
    return f"""---
library_name: s3vae
license: other
tags: [video, disentanglement, variational-autoencoder]
---

# {dataset}

A sequential VAE that separates the appearance and the motion of a video
(`{facts["method"]}`, {facts["steps"]:,} steps, trained at commit `{facts["commit"][:7]}`).

    s3vae swap APPEARANCE MOTION -o swap.mp4 --model {dataset}

**Data:** {facts["source"]}. **Licence of the data:** {facts["licence"]}.
No clip of it is in this folder; docs/data.md says how to get them.

**Limits:** {LIMITS[dataset]}

**Intended use:** research on disentanglement, and trying the commands. Not for showing real
people doing what they did not do.

| score on the test split | |
|---|---|
{scores}

docs/protocol.md defines the scores. The squared error of reconstruction on the first {CHECKED} test
clips is {facts["reconstruction_error"]} per clip.
"""


if __name__ == "__main__":
    dataset, method = arguments("dataset", "method")
    add(Layout(dataset), method)
