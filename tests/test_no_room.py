"""A disk that fills up while a file is being written: the old file stays, and the error says so.

The space really runs out: by the system's limit on the size of files, and on a small disk where
one can be mounted.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WRITES = {
    "clips.h5": """
import numpy as np
from s3vae.data.clips import ClipSet, write_clips
count = 80
frames = np.random.default_rng(0).integers(0, 256, (count, 4, 64, 64, 3), np.uint8)
clips = ClipSet(name="toy", source="drawn", licence="MIT", parameters={},
    shape=frames.shape, frames=frames, factors=(), labels={},
    identity=np.arange(count), split=np.arange(count) % 3)
write_clips(path, clips)
""",
    "key.safetensors": """
import torch
from s3vae.engine.checkpoint import Checkpoint
module = torch.nn.Linear(10_000, 100)
Checkpoint(path.parent, "key").save(1, module, [], [])
""",
    "model.bin": """
from s3vae.files import replacing
with replacing(path) as aside:
    aside.write_bytes(bytes(4_000_000))
""",
}
LIMIT = """
import resource, signal
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
path = Path({path!r})
"""


@pytest.mark.parametrize("name", WRITES)
def test_with_limited_file_size_the_old_file_stays_and_the_error_names_it(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text("old")
    program = LIMIT.format(path=str(path)) + WRITES[name]
    failed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert failed.returncode != 0  # HDF5 itself ends by a signal when it cannot close its file
    assert f"NoRoomError: {path} could not be written and is unchanged" in failed.stderr
    assert "Free some space, then start again" in failed.stderr
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


SMALL_DISK = ("unshare", "--user", "--map-root-user", "--mount")
"""Runs a command that can mount disks, invisible to other processes."""
MOUNT = 'mount -t tmpfs -o size=2m none "$1"'
TRIED = f"""
{MOUNT} || exit 1
echo old > "$2" && "$3" -c "$4"
echo "failed: $?" && cat "$2" && ls -A "$1"
"""


def may_mount(folder: Path) -> bool:
    if shutil.which(SMALL_DISK[0]) is None:
        return False
    tried = [*SMALL_DISK, "sh", "-c", MOUNT, "sh", folder]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("name", ["clips.h5", "model.bin"])
def test_on_a_full_disk_the_old_file_stays_and_the_error_names_it(
    name: str, tmp_path: Path
) -> None:
    if not may_mount(tmp_path):
        pytest.skip("no small disk may be mounted here: needs user namespaces of Linux")
    path = tmp_path / name
    program = f"from pathlib import Path\npath = Path({str(path)!r})\n" + WRITES[name]
    done = subprocess.run(
        [*SMALL_DISK, "sh", "-c", TRIED, "sh", tmp_path, path, sys.executable, program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    failed, *left = done.stdout.splitlines()
    assert failed != "failed: 0"
    assert f"NoRoomError: {path} could not be written and is unchanged" in done.stderr
    assert left == ["old", name]
