"""The check of everything that params.yaml reaches, before any work.

A fault in the section of a later stage would otherwise be found after hours.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.params import ParamsError, Pipeline, Settings, read_pipeline, section
from pipelines.paths import Layout

PLAIN = re.compile(r"[A-Za-z0-9_-]+")
TAKEN = {"raw", "judge", "signals"}
"""Folders in data/ and data/<data set>/ that hold something else."""


def check_settings(folder: Path = Path()) -> Pipeline:
    """Return the pipeline of a folder. Raises ParamsError with every fault of what it names."""
    pipeline = read_pipeline(folder)
    faults = [*_faults_of_names(pipeline)]
    for dataset in pipeline.datasets:
        faults += _faults_of_dataset(pipeline, dataset, folder)
    if faults:
        raise ParamsError("\n".join(dict.fromkeys(faults)))
    return pipeline


def checked_section(kind: type[Settings], dataset: str, *keys: str) -> Settings:
    """Return a section of a data set's config, after the check of all of them."""
    check_settings()
    return section(kind, dataset, *keys)


def _faults_of_names(pipeline: Pipeline) -> Iterator[str]:
    methods = {chosen.method for chosen in pipeline.models.values()}
    for name in [*pipeline.datasets, *methods]:
        if not PLAIN.fullmatch(name) or name in TAKEN:
            yield (
                f"params.yaml: {name!r} cannot be the name of a data set or method: use letters, "
                f"digits, - and _, and none of {', '.join(sorted(TAKEN))}"
            )
    needed = {name: each.dataset for name, each in pipeline.models.items()}
    for name, dataset in (needed | {f"faces: {each}": each for each in pipeline.faces}).items():
        if dataset not in pipeline.datasets:
            yield f"params.yaml: {name} needs {dataset} in pipeline.datasets"


def _faults_of_dataset(pipeline: Pipeline, dataset: str, folder: Path) -> Iterator[str]:
    """Yield the faults of the sections of a data set, of its source and of its methods."""
    # these import torch, which takes seconds
    from s3vae.data.datasets import DataSet
    from s3vae.evaluation.settings import EvaluationSettings
    from s3vae.judge.settings import JudgeStage
    from s3vae.signals.detectors import LandmarkSettings
    from s3vae.signals.flow_grid import MotionSettings
    from s3vae.training.method import AnyMethod

    kinds: dict[str, Any] = {
        "data": DataSet,
        "flow": MotionSettings,
        "judge": JudgeStage,
        "evaluation": EvaluationSettings,
    }
    if dataset in pipeline.faces:
        kinds["landmarks"] = LandmarkSettings
    for chosen in pipeline.models.values():
        if chosen.dataset == dataset:
            kinds[f"methods.{chosen.method}"] = AnyMethod
    settings = {}
    for key, kind in kinds.items():
        try:
            settings[key] = section(kind, dataset, *key.split(".", 1), folder=folder)
        except ParamsError as error:
            yield str(error)
    if len(settings) == len(kinds):
        place = f"configs/{dataset}.yaml"
        yield from (f"{place}: {fault}" for fault in _conflicts(settings))
        source = folder / pipeline.datasets[dataset]
        clips = folder / Layout(dataset).clips
        yield from (
            f"params.yaml, pipeline.datasets.{dataset}: {fault}"
            for fault in _faults_of_source(settings, source, clips)
        )


def _conflicts(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield which sections of a data set do not fit together."""
    from s3vae.data.faces.faces import Faces
    from s3vae.signals.detectors import Dlib, FromClips, dlib_model
    from s3vae.signals.landmark_file import LandmarkSignal
    from s3vae.training.build import signal_of
    from s3vae.training.targets import TARGETS

    data, landmarks = settings["data"], settings.get("landmarks")
    if settings["judge"].fresh and not hasattr(type(data), "fresh_clips"):
        yield "judge.fresh: clips of this data set are not drawn: remove it"
    backend = landmarks.backend if landmarks is not None else None
    if isinstance(backend, FromClips) and not isinstance(data, Faces):
        yield "landmarks.backend: these clips have no landmarks: set {kind: dlib}"
    if isinstance(backend, Dlib):
        try:
            dlib_model()
        except ImportError as error:
            yield f"landmarks.backend: {error}"
    for name, method in settings.items():
        if name.startswith("methods."):
            needs_faces = TARGETS[signal_of(method)].file is LandmarkSignal
            if needs_faces and landmarks is None:
                yield f"{name}.losses.signal needs landmarks: add the data set to pipeline.faces"
            encoder = getattr(method.architecture, "encoder", None)
            if encoder == "objects" and not settings["flow"].objects:
                yield f"{name}.architecture.encoder needs tracks: set `objects: 2` in `flow`"


def _faults_of_source(settings: Mapping[str, Any], source: Path, clips: Path) -> Iterator[str]:
    """Yield why clips cannot be made from a source, where it is the user's folder."""
    from s3vae.data.labels import labels_in
    from s3vae.data.mug import MUG
    from s3vae.data.videos import Videos
    from s3vae.training.method import Method

    if not isinstance(settings["data"], Videos | MUG):
        return
    if not source.exists():
        yield f"there is no {str(source)!r}: correct the path"
    elif (source / "__init__.py").exists() or source.suffix == ".py":
        yield f"{source} is code: name the folder of your videos"
    elif source.resolve() in clips.resolve().parents:
        yield f"{source} would hold its own clips ({clips}): move the videos to another folder"
    for name, method in settings.items():
        learns = name.startswith("methods.") and (
            not isinstance(method, Method) or method.losses.supervised
        )
        if learns and isinstance(settings["data"], Videos) and not labels_in(source).exists():
            yield f"{name} learns from labels, and {source} has no labels.csv: use another method"
