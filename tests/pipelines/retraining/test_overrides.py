"""Settings for one run."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipelines.params import PARAMS, ParamsError
from pipelines.retraining.overrides import KEPT, overridden, restore

TEXT = "# what is wanted\na: {b: 1, c: 2}  # so it is\nd: 3\n"
Overrides = dict[str, object]


@pytest.fixture(autouse=True)
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    PARAMS.write_text(TEXT)


def test_they_hold_in_the_block_and_the_file_is_as_it_was_afterwards() -> None:
    with overridden({"a.b": 5, "d": {"e": 1e-3}}):
        assert YAML(typ="safe").load(PARAMS) == {"a": {"b": 5, "c": 2}, "d": {"e": 0.001}}
        assert "# what is wanted" in PARAMS.read_text()
    assert PARAMS.read_text() == TEXT
    assert list(Path().iterdir()) == [PARAMS]


def test_they_end_with_an_error_too() -> None:
    with pytest.raises(KeyError), overridden({"a.b": 5}):
        raise KeyError
    assert PARAMS.read_text() == TEXT


def test_what_a_killed_run_left_is_put_back_by_the_next_one() -> None:
    block = overridden({"a.b": 5})
    block.__enter__()
    assert KEPT.exists()
    with overridden({}):
        assert PARAMS.read_text() == TEXT
    assert not KEPT.exists()


def test_what_was_edited_since_a_run_was_killed_stays(caplog: pytest.LogCaptureFixture) -> None:
    killed = overridden({"a.b": 5})
    killed.__enter__()
    PARAMS.write_text("a: {b: 7}\n")
    with overridden({"a.b": 8}):
        assert YAML(typ="safe").load(PARAMS) == {"a": {"b": 8}}
    assert PARAMS.read_text() == "a: {b: 7}\n"
    assert "was edited while the settings of one run stood in it" in caplog.text
    assert not KEPT.exists()


def test_a_run_that_was_killed_before_it_changed_the_file_leaves_no_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    killed = overridden({"a.b": 5})
    killed.__enter__()
    PARAMS.write_text(TEXT)
    restore()
    assert PARAMS.read_text() == TEXT
    assert caplog.text == ""
    assert not KEPT.exists()


def test_without_overrides_the_file_is_not_touched() -> None:
    before = PARAMS.stat().st_mtime_ns
    with overridden({}):
        pass
    restore()
    assert PARAMS.stat().st_mtime_ns == before


@pytest.mark.parametrize("place", ["x.y", "a.x.y", "d.e.f"])
def test_a_place_that_is_not_in_the_file_is_refused(place: str) -> None:
    with pytest.raises(ParamsError, match=f"has no {place}"), overridden({place: 1}):
        pass
    assert PARAMS.read_text() == TEXT
