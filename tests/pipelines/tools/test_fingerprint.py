"""`make fingerprint`: the same settings give the same lines, other settings others."""

from pathlib import Path

from pipelines.tools.fingerprint import fingerprints

PIPELINE = "pipeline: {datasets: {}, models: {}, code: ''}"
CONFIG = """
flow: {{method: {{kind: farneback}}}}
judge: {{network: {{width: 4}}, training: {{steps: 50}}}}
methods:
  ours: &ours
    architecture: {{preset: fast, encoder_width: 4, decoder_width: 4}}
    losses:
      preset: ours
      weights: {{reconstruction: {weight}}}
      exchange: {{clustering: {{candidates: [3], restarts: 1}}}}
    training: {{steps: 50}}
  again: *ours
  generator:
    architecture: {{preset: fast, decoder_width: 4}}
    adversarial: {{width: 4}}
    training: {{steps: 50}}
  faces:
    architecture: {{preset: fast, encoder_width: 4, decoder_width: 4}}
    losses: {{preset: released, signal: distances}}
    training: {{steps: 50}}
"""


def lines(folder: Path, weight: float) -> dict[str, str]:
    (folder / "configs").mkdir(exist_ok=True)
    (folder / "params.yaml").write_text(PIPELINE)
    (folder / "configs" / "drawn.yaml").write_text(CONFIG.format(weight=weight))
    return dict(fingerprints(folder))


def test_fingerprints_show_which_methods_a_change_reaches(tmp_path: Path) -> None:
    before, after = lines(tmp_path, 3.0), lines(tmp_path, 4.0)
    names = ["drawn judge", "drawn ours", "drawn again", "drawn generator", "drawn faces"]
    assert list(before) == names
    assert before["drawn ours"] == before["drawn again"] != after["drawn ours"]
    assert len(set(before.values())) == 4
    for untouched in ("drawn judge", "drawn generator", "drawn faces"):
        assert before[untouched] == after[untouched]
