"""A DVC remote that speaks S3, configured as in docs/scale.md."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

SECONDS = 60
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that speaks S3, with an empty bucket `store`."""
    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address = "http://{}:{}".format(*server.get_host_and_port())
        client = boto3.client("s3", endpoint_url=address, region_name="us-east-1")
        client.create_bucket(Bucket="store")
        yield address
    finally:
        server.stop()


CONFIG = """
[core]
    no_scm = true
    remote = team
[cache]
    dir = {cache}
['remote "team"']
    url = s3://store/s3vae
    endpointurl = {address}
"""


def dvc(folder: Path, command: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "dvc", *command.split()],
        cwd=folder,
        check=True,
        timeout=SECONDS,
        capture_output=True,
        env=os.environ | {"DVC_SITE_CACHE_DIR": str(folder.parent / "site")},
    )


def test_data_pushed_to_a_bucket_can_be_pulled(bucket: str, tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for folder in (mine, theirs):
        (folder / ".dvc").mkdir(parents=True)
        config = CONFIG.format(cache=tmp_path / f"cache-of-{folder.name}", address=bucket)
        (folder / ".dvc" / "config").write_text(config)
    (mine / "weights").write_bytes(b"learnt")
    dvc(mine, "add weights")
    dvc(mine, "push")
    (theirs / "weights.dvc").write_bytes((mine / "weights.dvc").read_bytes())
    dvc(theirs, "pull")
    assert (theirs / "weights").read_bytes() == b"learnt"
