"""The model that a method and the examples make together."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from s3vae.data.clips import ClipFile
    from s3vae.signals.store import FlowSignal


@pytest.mark.parametrize("starts", [False, True])
def test_the_prior_begins_in_as_many_codes_as_there_are_clusters_if_asked_to(
    starts: bool, clips: "ClipFile", flow: "FlowSignal"
) -> None:
    from s3vae.model.architecture import architecture
    from s3vae.signals.clusters import ClusterSettings
    from s3vae.training.examples import examples
    from s3vae.training.method import Method
    from s3vae.training.objective import Objective
    from s3vae.training.objectives import objective_of
    from s3vae.training.presets import Exchange, losses
    from s3vae.training.settings import TrainingSettings

    clustering = ClusterSettings(candidates=(3,), restarts=2)
    exchange = Exchange(clustering=clustering, starts=starts)
    method = Method(
        architecture("fast"), losses("ours", exchange=exchange), TrainingSettings(steps=1)
    )
    given = examples(clips, flow, exchange)
    objective = objective_of(method, given)
    assert isinstance(objective, Objective)
    prior = objective.model.prior
    assert (prior.starts is not None) is starts
    assert prior.shares.tolist() == (given.cluster_shares.tolist() if starts else [1])
