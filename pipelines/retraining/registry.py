"""Models by name in MLflow's registry, as commands.

`python -m pipelines.retraining.registry` lists all versions of all models,
`... champion NAME VERSION` moves the alias, `... verify NAME` scores the champion again.
"""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime

from pipelines.cli import plain_errors
from pipelines.retraining.gate import COMPARED
from pipelines.retraining.versions import VERDICT, Registry, scores_of


def history(registry: Registry) -> Iterator[str]:
    """Yield a line for every version of every model, the newest first."""
    names = registry.names()
    if not names:
        yield "No model is registered yet: prefect deployment run 'retrain/nightly' registers them."
    for model in names:
        yield model
        for version in registry.versions(model):
            created = datetime.fromtimestamp(version.creation_timestamp / 1000, UTC)
            scores = scores_of(version)
            known = [f"{n} {score:.4f}" for n in COMPARED if (score := scores[n]) is not None]
            columns = [
                f"{version.version:>4}",
                f"{created:%Y-%m-%d %H:%M}",
                f"{','.join(version.aliases) or '-':10}",
                "  ".join(known) or "not judged",
                version.tags.get("git.commit", "")[:8],
                version.tags.get(VERDICT, ""),
            ]
            yield "  ".join(columns)


def main() -> None:
    """List the versions, move the alias, or verify a champion."""
    plain_errors()
    parser = argparse.ArgumentParser("python -m pipelines.retraining.registry", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    move = commands.add_parser("champion", help="move the alias to a version")
    move.add_argument("name")
    move.add_argument("version")
    verify = commands.add_parser("verify", help="load a champion and compute its scores again")
    verify.add_argument("name")
    arguments = parser.parse_args()
    if arguments.command == "verify":
        from pipelines.retraining.verify import verified_scores  # imports torch

        print("\n".join(verified_scores(arguments.name)))
        return
    registry = Registry()
    if arguments.command == "champion":
        registry.move(arguments.name, arguments.version)
    print("\n".join(history(registry)))


if __name__ == "__main__":
    main()
