"""From results on disk to versions, champions and challengers in a real store."""

import dataclasses
from pathlib import Path

import mlflow
import numpy as np
import pytest
import torch
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from pipelines.io import write_csv, write_json
from pipelines.params import Chosen
from pipelines.paths import Layout
from pipelines.retraining import promotion, verify
from pipelines.retraining.gate import Scores
from pipelines.retraining.promotion import register_and_compare
from pipelines.retraining.registry import history
from pipelines.retraining.verify import verified_scores
from pipelines.retraining.versions import Registry, RegistryError, scores_of
from pipelines.tracking.provenance import StageRun, write_provenance
from s3vae.baselines.saved import save_model
from s3vae.files import checksum_of
from s3vae.model.architecture import architecture
from s3vae.model.s3vae import S3VAE
from s3vae.model.saved import load_s3vae

FILES, CHOSEN, NAME = Layout("toy"), Chosen("toy", "tiny"), "toy-tiny"
MARGIN = 0.005


@pytest.fixture
def results(training: StageRun, store: MlflowClient) -> StageRun:
    """The results of a training without its weights and scores."""
    folder = FILES.scores("tiny")
    write_csv(folder / "history.csv", [{"step": 50.0, "total": 2.0}])
    (folder / "pictures").mkdir()
    (folder / "pictures" / "swap.png").write_bytes(b"a picture")
    write_json(folder / "environment.json", {"commit": "abc", "changed": False})
    Path("dvc.lock").write_text("stages: {}\n")
    return training


def train(results: StageRun, seed: int, accuracy: float | None, kept: float | None) -> str:
    """Write a model with these scores and compare it; return the reason of the verdict."""
    torch.manual_seed(seed)
    sizes = {"recurrent": 16, "features": 16, "encoder_width": 4, "decoder_width": 4}
    save_model(S3VAE(architecture("fast", **sizes)), FILES.model("tiny"))
    folder = FILES.scores("tiny")
    write_json(
        folder / "metrics.json", {"accuracy": accuracy, "static_preserved": kept, "h_y": 1.5}
    )
    for kind in ("train", "evaluate"):
        run = dataclasses.replace(results, kind=kind, key=f"{kind} {seed}")
        write_provenance(folder, run, FILES.model("tiny"))
    return register_and_compare(CHOSEN, MARGIN).verdict.why


def test_better_models_become_champions_and_others_challengers(results: StageRun) -> None:
    for seed, scores in enumerate([(0.9, 0.8), (0.95, 0.7), (0.9, 0.85)]):
        train(results, seed, *scores)
    found = [version.aliases for version in Registry().versions(NAME)]
    assert found == [["champion"], ["challenger"], []]
    _, *lines = history(Registry())
    assert (
        "better: accuracy 90.00% against 90.00%, static_preserved 85.00% against 80.00%" in lines[0]
    )
    assert "static_preserved worse by more than 0.50%" in lines[1]
    assert "there was none" in lines[2]


def test_a_version_has_its_scores_and_provenance_and_is_registered_once(results: StageRun) -> None:
    assert "there was none, and it was not judged" in train(results, 0, 0.8, None)
    again = register_and_compare(CHOSEN, MARGIN)
    assert (again.version, again.verdict.champion) == ("1", True)
    (version,) = Registry().versions(NAME)
    assert version.aliases == ["champion"]
    assert scores_of(version)["accuracy"] == 0.8
    assert scores_of(version)["swap_static"] is None
    expected = {
        "git.commit": "abc",
        "git.dirty": "false",
        "data_md5": checksum_of(FILES.clips, "md5"),
        "dvc.lock_md5": checksum_of(Path("dvc.lock"), "md5"),
        "weights_sha256": checksum_of(FILES.model("tiny") / "weights.safetensors"),
    }
    assert expected.items() <= version.tags.items()


def test_an_alias_that_was_moved_back_stays_and_loads_the_weights_of_its_version(
    results: StageRun,
) -> None:
    train(results, 0, 0.8, 0.8)
    champion = load_s3vae(FILES.model("tiny"), torch.device("cpu"))
    train(results, 1, 0.9, 0.8)
    Registry().move(NAME, "1")
    assert "was made the champion by hand" in [*history(Registry())][2]
    assert "was judged before" in register_and_compare(CHOSEN, MARGIN).verdict.why
    assert [each.aliases for each in Registry().versions(NAME)] == [[], ["champion"]]
    mlflow.set_tracking_uri(Registry().store.uri)
    served = mlflow.pyfunc.load_model(f"models:/{NAME}@champion")
    clips = np.zeros((1, 4, 64, 64, 3), np.uint8)
    with torch.no_grad():
        expected = champion.encode(torch.zeros(1, 4, 3, 64, 64)).static.mean
    np.testing.assert_allclose(served.predict(clips)["static"], expected.numpy(), atol=1e-5)
    assert served.metadata.signature is not None


def test_a_champion_of_other_clips_is_scored_on_the_current_ones(
    results: StageRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lock(clips: str) -> None:
        deps = [{"path": "data/toy/clips.h5", "md5": clips}]
        write_json(Path("dvc.lock"), {"stages": {f"evaluate@{NAME}": {"deps": deps}}})

    def cannot_encode(_version: ModelVersion) -> Scores:
        raise RuntimeError("other channels")

    lock("old")
    train(results, 0, 0.9, 0.8)
    lock("new")
    scores = {"accuracy": 0.5, "static_preserved": 0.8}
    monkeypatch.setattr(promotion, "compute_scores", lambda _version: scores)
    assert "accuracy 60.00% against 50.00%" in train(results, 1, 0.6, 0.8)
    lock("newer")
    monkeypatch.setattr(promotion, "compute_scores", cannot_encode)
    assert "never judged" in train(results, 2, 0.1, 0.8)
    assert Registry().versions(NAME)[0].aliases == ["champion"]


def test_a_champion_without_scores_cannot_be_verified(
    results: StageRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(results, 0, None, None)
    monkeypatch.setattr(verify, "scores_of", lambda _version: {"accuracy": None, "h_y": None})
    with pytest.raises(RegistryError, match="version 1 was registered without scores"):
        next(verified_scores(NAME))


def test_missing_versions_and_models_are_refused(results: StageRun) -> None:
    train(results, 0, 0.8, 0.8)
    for name, number in ((NAME, "9"), ("another", "1")):
        with pytest.raises(RegistryError, match=f"{name} has no version {number}"):
            Registry().move(name, number)
    run = dataclasses.replace(results, key="never logged")
    write_provenance(FILES.scores("tiny"), run, FILES.model("tiny"))
    write_json(FILES.scores("tiny") / "metrics.json", {"accuracy": 0.1})
    with pytest.raises(RegistryError, match="no model of toy-tiny: make publish"):
        Registry().register(CHOSEN)


def test_an_empty_registry_lists_how_it_is_filled(store: MlflowClient) -> None:
    assert "prefect deployment run" in "\n".join(history(Registry()))
