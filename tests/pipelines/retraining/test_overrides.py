"""Settings for a single run."""

from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipelines.params import PARAMS, ParamsError
from pipelines.retraining.overrides import BACKUP, overridden_params

TEXT = "# the comment\na: {b: 1, c: 2}  # another\nd: 3\n"
KILLED: list[AbstractContextManager[None]] = []
"""Blocks that are never left: one that is garbage-collected would end."""


@pytest.fixture(autouse=True)
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    PARAMS.write_text(TEXT)


def begin_and_be_killed(key: str, value: int) -> None:
    block = overridden_params({key: value})
    block.__enter__()
    KILLED.append(block)


def test_overrides_hold_in_the_block_and_the_file_is_restored_after_it() -> None:
    with overridden_params({"a.b": 5, "d": {"e": 1e-3}}):
        assert YAML(typ="safe").load(PARAMS) == {"a": {"b": 5, "c": 2}, "d": {"e": 0.001}}
        assert "# the comment" in PARAMS.read_text()
    assert PARAMS.read_text() == TEXT
    with pytest.raises(KeyError), overridden_params({"a.b": 5}):
        raise KeyError
    assert PARAMS.read_text() == TEXT
    assert list(Path().iterdir()) == [PARAMS]


def test_the_next_run_restores_the_file_after_a_kill(caplog: pytest.LogCaptureFixture) -> None:
    begin_and_be_killed("a.b", 5)
    with overridden_params({}):
        assert PARAMS.read_text() == TEXT
    assert not BACKUP.exists()
    begin_and_be_killed("a.b", 5)
    PARAMS.write_text(TEXT)  # as if killed before the file was changed
    with overridden_params({}):
        assert PARAMS.read_text() == TEXT
    assert caplog.text == ""


def test_edits_made_after_a_kill_are_preserved(caplog: pytest.LogCaptureFixture) -> None:
    begin_and_be_killed("a.b", 5)
    PARAMS.write_text("a: {b: 7}\n")
    with overridden_params({"a.b": 8}):
        assert YAML(typ="safe").load(PARAMS) == {"a": {"b": 8}}
    assert PARAMS.read_text() == "a: {b: 7}\n"
    assert "was edited during a run with overrides" in caplog.text
    assert not BACKUP.exists()


def test_without_overrides_the_file_is_not_touched() -> None:
    before = PARAMS.stat().st_mtime_ns
    with overridden_params({}):
        pass
    assert PARAMS.stat().st_mtime_ns == before


@pytest.mark.parametrize("key", ["x.y", "a.x.y", "d.e.f"])
def test_a_key_in_no_section_of_the_file_is_refused(key: str) -> None:
    with pytest.raises(ParamsError, match=f"has no {key}"), overridden_params({key: 1}):
        pass
    assert PARAMS.read_text() == TEXT
