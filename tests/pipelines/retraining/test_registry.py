"""From results on disk to versions, champions and challengers in a real store."""

import dataclasses
from pathlib import Path

import pytest
import torch
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from pipelines import promotion
from pipelines.io import write_csv, write_json
from pipelines.params import Chosen
from pipelines.paths import Layout
from pipelines.retraining.gate import Scores
from pipelines.retraining.promotion import settled
from pipelines.retraining.registry import Registry, RegistryError, aliases, history, scores_of
from pipelines.tracking.provenance import StageRun, write_origin
from s3vae.baselines.saved import save_model
from s3vae.files import checksum_of
from s3vae.model.architecture import architecture
from s3vae.model.s3vae import S3VAE

pytestmark = pytest.mark.filterwarnings(
    "ignore::sqlalchemy.exc.SADeprecationWarning",  # MLflow's use of SQLAlchemy 2.1
    "ignore:.*Any type hint is inferred as AnyType:UserWarning",  # MLflow's own types
)
FILES, CHOSEN, NAME = Layout("toy"), Chosen("toy", "tiny"), "toy-tiny"
MARGIN = 0.005


@pytest.fixture
def left(training: StageRun, store: MlflowClient) -> StageRun:
    """What a training leaves, but for its weights and scores."""
    folder = FILES.scores("tiny")
    write_csv(folder / "history.csv", [{"step": 50.0, "total": 2.0}])
    (folder / "pictures").mkdir()
    (folder / "pictures" / "swap.png").write_bytes(b"a picture")
    write_json(folder / "circumstances.json", {"commit": "abc", "changed": False})
    Path("dvc.lock").write_text("stages: {}\n")
    return training


def train(left: StageRun, seed: int, accuracy: float | None, kept: float | None) -> None:
    """Leave a model of these scores."""
    torch.manual_seed(seed)
    save_model(S3VAE(architecture("fast", recurrent=16, features=16)), FILES.model("tiny"))
    folder = FILES.scores("tiny")
    write_json(
        folder / "metrics.json", {"accuracy": accuracy, "static_preserved": kept, "h_y": 1.5}
    )
    for kind in ("train", "evaluate"):
        run = dataclasses.replace(left, kind=kind, key=f"{kind} {seed}")
        write_origin(folder, run, FILES.model("tiny"))


def test_better_models_become_champions_and_others_challengers(left: StageRun) -> None:
    for seed, scores in enumerate([(0.8, 0.8), (0.9, 0.8), (0.95, 0.7), (0.9, 0.85)]):
        train(left, seed, *scores)
        settled(CHOSEN, MARGIN)
    found = [aliases(version) for version in Registry().versions(NAME)]
    assert found == [["champion"], ["challenger"], [], []]
    _, *lines = history(Registry())
    assert (
        "better: accuracy 90.00% against 90.00%, static_preserved 85.00% against 80.00%" in lines[0]
    )
    assert "static_preserved worse by more than 0.50%" in lines[1]
    assert "is the first one" in lines[3]


def test_the_same_model_is_registered_once_and_stays_what_it_is(left: StageRun) -> None:
    train(left, 0, 0.8, 0.8)
    first, second = (settled(CHOSEN, MARGIN) for _ in range(2))
    assert (first.version, second.version) == ("1", "1")
    assert len(Registry().versions(NAME)) == 1
    assert "are the champion's" in second.verdict.why


def test_a_version_tells_its_scores_and_what_it_was_made_from(left: StageRun) -> None:
    train(left, 0, 0.8, 0.75)
    settled(CHOSEN, MARGIN)
    (version,) = Registry().versions(NAME)
    assert scores_of(version)["static_preserved"] == 0.75
    assert scores_of(version)["swap_static"] is None
    expected = {
        "git.commit": "abc",
        "git.dirty": "false",
        "data_md5": checksum_of(FILES.clips, "md5"),
        "dvc.lock_md5": checksum_of(Path("dvc.lock"), "md5"),
        "weights_sha256": checksum_of(FILES.model("tiny") / "weights.safetensors"),
    }
    assert expected.items() <= version.tags.items()


def test_the_champion_is_loaded_by_its_alias_with_its_own_weights(left: StageRun) -> None:
    import mlflow
    import numpy as np

    from s3vae.model.saved import load_s3vae

    registry = Registry()
    for seed, accuracy in enumerate([0.8, 0.5]):
        train(left, seed, accuracy, 0.8)
        settled(CHOSEN, MARGIN)
        if seed == 0:
            champion = load_s3vae(FILES.model("tiny"), torch.device("cpu"))
    mlflow.set_tracking_uri(registry.store.uri)
    served = mlflow.pyfunc.load_model(f"models:/{NAME}@champion")
    clips = np.zeros((1, 4, 64, 64, 3), np.uint8)
    with torch.no_grad():
        expected = champion.encode(torch.zeros(1, 4, 3, 64, 64)).static.mean
    np.testing.assert_allclose(served.predict(clips)["static"], expected.numpy(), atol=1e-5)
    assert served.metadata.signature is not None


def test_what_was_never_judged_is_a_challenger_until_the_alias_is_moved(left: StageRun) -> None:
    train(left, 0, None, None)
    assert "move the alias by hand" in settled(CHOSEN, MARGIN).verdict.why
    registry = Registry()
    assert registry.champion(NAME) is None
    registry.move(NAME, "1")
    champion = registry.champion(NAME)
    assert champion is not None
    assert str(champion.version) == "1"


def test_moving_back_is_a_roll_back(left: StageRun) -> None:
    for seed, accuracy in enumerate([0.8, 0.9]):
        train(left, seed, accuracy, 0.8)
        settled(CHOSEN, MARGIN)
    registry = Registry()
    registry.move(NAME, "1")
    champion = registry.champion(NAME)
    assert champion is not None
    assert scores_of(champion)["accuracy"] == 0.8
    # what is there is still version 2: it was judged, and does not come back by itself
    assert "was judged before" in settled(CHOSEN, MARGIN).verdict.why
    assert aliases(Registry().versions(NAME)[1]) == ["champion"]


def test_a_champion_of_other_clips_is_scored_on_those_of_today(
    left: StageRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lock(clips: str) -> None:
        read = [{"path": "data/toy/clips.h5", "md5": clips}]
        write_json(Path("dvc.lock"), {"stages": {f"evaluate@{NAME}": {"deps": read}}})

    today = iter([{"accuracy": 0.5, "static_preserved": 0.8}, None])

    def scored(version: ModelVersion) -> Scores:
        scores = next(today)
        if scores is None:
            raise RuntimeError("other channels")
        return scores

    monkeypatch.setattr(promotion, "scored", scored)
    lock("old")
    train(left, 0, 0.9, 0.8)
    settled(CHOSEN, MARGIN)
    for seed, accuracy in ((1, 0.6), (2, 0.1)):
        lock(f"new {seed}")
        train(left, seed, accuracy, 0.8)
        why = settled(CHOSEN, MARGIN).verdict.why
        expected = "accuracy 60.00% against 50.00%" if seed == 1 else "never judged"
        assert expected in why
        assert aliases(Registry().versions(NAME)[0]) == ["champion"]


@pytest.mark.parametrize(("name", "number"), [(NAME, "9"), ("another", "1")])
def test_a_version_that_is_not_there_is_refused(left: StageRun, name: str, number: str) -> None:
    train(left, 0, 0.8, 0.8)
    settled(CHOSEN, MARGIN)
    with pytest.raises(RegistryError, match=f"{name} has no version {number}"):
        Registry().move(name, number)


def test_a_model_that_the_store_lacks_is_not_registered(left: StageRun) -> None:
    train(left, 0, 0.8, 0.8)
    with pytest.raises(RegistryError, match=r"no model of toy-tiny: python -m pipelines\.publish"):
        Registry().register(CHOSEN, Path())


def test_an_empty_registry_says_how_it_is_filled(store: MlflowClient) -> None:
    assert "prefect deployment run" in "\n".join(history(Registry()))
