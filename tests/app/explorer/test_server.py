"""The explorer's server answers what its page asks, and nothing else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from s3vae.app.command import execute
from s3vae.app.explorer.server import application
from s3vae.app.model import VideoModel
from s3vae.app.package import Package, write_package
from s3vae.data.preparation import Preparation
from s3vae.model.architecture import Architecture
from s3vae.model.s3vae import S3VAE
from s3vae.tensors import to_unit

testclient = pytest.importorskip("fastapi.testclient")


@pytest.fixture
def served(tiny: Architecture) -> tuple[VideoModel, Any]:
    torch.manual_seed(0)
    sizes = replace(tiny, encoder="objects", decoder="sprites", channels=1, static=6, dynamic=7)
    model = VideoModel(S3VAE(sizes), Preparation(time=4))
    client = testclient.TestClient(application(model, "<p>page"), base_url="http://127.0.0.1")
    return model, client


def test_the_page_is_at_the_root(served: tuple[VideoModel, Any]) -> None:
    assert served[1].get("/").text == "<p>page"


def test_a_clip_is_encoded_and_decoded(served: tuple[VideoModel, Any]) -> None:
    model, client = served
    video = torch.zeros(1, 3, 64, 64, 1, dtype=torch.uint8)
    video[:, :, 8:20, 8:20] = 255
    video[:, :, 40:52, 40:50] = 255
    answer = client.post("/encode?batch=1&time=3", content=video.numpy().tobytes())
    codes = np.frombuffer(answer.content, np.float32)
    with torch.no_grad():
        posterior = model.model.encode(to_unit(video))
    wanted = [posterior.static.mean.flatten(), posterior.dynamic.mean.flatten()]
    assert np.allclose(codes, torch.cat(wanted).numpy(), atol=1e-5)
    frames = client.post("/decode?batch=1&time=3", content=answer.content).content
    assert len(frames) == 3 * 64 * 64


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("/other?batch=1&time=1", 404),
        ("/decode?batch=1&time=1", 400),
        ("/decode?batch=1&time=99999", 422),
        ("/decode?batch=100&time=100", 400),
        ("/decode?batch=0&time=1", 422),
    ],
)
def test_other_requests_are_refused(
    served: tuple[VideoModel, Any], address: str, code: int
) -> None:
    assert served[1].post(address, content=b"abc").status_code == code


def test_pages_of_others_are_refused(served: tuple[VideoModel, Any]) -> None:
    sizes = served[0].model.architecture
    body = bytes(4 * (sizes.static + sizes.dynamic))
    address = "/decode?batch=1&time=1"
    assert served[1].post(address, content=body).status_code == 200
    foreign = {"sec-fetch-site": "cross-site"}
    assert served[1].post(address, content=body, headers=foreign).status_code == 403


def test_other_hosts_are_refused(served: tuple[VideoModel, Any]) -> None:
    assert served[1].get("/", headers={"host": "example.com"}).status_code == 400


def test_such_a_model_is_not_written_as_a_page(
    served: tuple[VideoModel, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = served[0]
    write_package(tmp_path / "two", Package(model.model, model.preparation, {}), "", half=False)
    output = tmp_path / "page.html"
    assert execute(["explore", "--model", str(tmp_path / "two"), "-o", str(output)]) == 2
    assert "leave out -o" in capsys.readouterr().err
    assert not output.exists()
