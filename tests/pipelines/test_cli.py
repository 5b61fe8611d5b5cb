"""The end of a stage that refuses its input."""

import sys
from pathlib import Path

import pytest

from pipelines.cli import plain_errors
from pipelines.params import ParamsError, read_pipeline


def printed(error: BaseException, capsys: pytest.CaptureFixture[str]) -> str:
    sys.excepthook(type(error), error, error.__traceback__)
    return capsys.readouterr().err


def test_a_refusal_is_its_message_and_a_fault_of_the_code_its_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    plain_errors()
    with pytest.raises(ParamsError) as refused:
        read_pipeline(tmp_path)
    assert printed(refused.value, capsys) == f"ParamsError: {refused.value}\n"
    with pytest.raises(TypeError) as fault:
        read_pipeline(3)  # type: ignore[arg-type]
    assert printed(fault.value, capsys).startswith("Traceback")
