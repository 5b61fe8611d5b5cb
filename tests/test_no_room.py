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
count = {size} // 49152
frames = np.random.default_rng(0).integers(0, 256, (count, 4, 64, 64, 3), np.uint8)
clips = ClipSet(name="toy", source="drawn", licence="MIT", parameters={{}},
    shape=frames.shape, frames=frames, factors=(), labels={{}},
    identity=np.arange(count), split=np.arange(count) % 3)
write_clips(path, clips)
""",
    "key.safetensors": """
import torch
from s3vae.engine.checkpoint import Checkpoint
module = torch.nn.Linear({size} // 400, 100)
Checkpoint(path.parent, "key").save(1, module, [], [])
""",
    "model.bin": """
from s3vae.files import replacing
with replacing(path) as aside:
    aside.write_bytes(bytes({size}))
""",
}
LIMIT = """
import resource, signal
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))
path = Path({path!r})
"""


def write(name: str, path: Path, size: int, room: int) -> subprocess.CompletedProcess[str]:
    """Write a file in a new process whose files are limited to `room` bytes."""
    program = LIMIT.format(room=room, path=str(path)) + WRITES[name].format(size=size)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", WRITES)
def test_with_limited_file_size_the_old_file_stays_and_the_error_names_it(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    written = write(name, path, size=200_000, room=1 << 30)
    assert written.returncode == 0, written.stderr
    good = path.read_bytes()
    failed = write(name, path, size=4_000_000, room=1_000_000)
    assert failed.returncode != 0  # HDF5 itself ends by a signal when it cannot close its file
    assert f"NoRoomError: {path} could not be written and is unchanged" in failed.stderr
    assert "Free some space, then start again" in failed.stderr
    assert path.read_bytes() == good
    assert list(tmp_path.iterdir()) == [path]


SMALL_DISK = ("unshare", "--user", "--map-root-user", "--mount")
"""Runs a command that can mount disks, invisible to other processes."""
MOUNT = 'mount -t tmpfs -o size=2m none "$1"'
TWICE = f"""
{MOUNT} || exit 1
"$3" -c "$4" && sha256sum "$2" && "$3" -c "$5"
echo "failed: $?" && sha256sum "$2" && ls -A "$1"
"""


def may_mount(folder: Path) -> bool:
    if shutil.which(SMALL_DISK[0]) is None:
        return False
    tried = [*SMALL_DISK, "sh", "-c", MOUNT, "sh", folder]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("name", WRITES)
def test_on_a_full_disk_the_old_file_stays_and_the_error_names_it(
    name: str, tmp_path: Path
) -> None:
    if not may_mount(tmp_path):
        pytest.skip("no small disk may be mounted here: needs user namespaces of Linux")
    path = tmp_path / name
    programs = [
        f"from pathlib import Path\npath = Path({str(path)!r})\n" + WRITES[name].format(size=size)
        for size in (200_000, 4_000_000)
    ]
    done = subprocess.run(
        [*SMALL_DISK, "sh", "-c", TWICE, "sh", tmp_path, path, sys.executable, *programs],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    good, failed, still, *files = done.stdout.splitlines()
    assert failed != "failed: 0"
    assert f"NoRoomError: {path} could not be written and is unchanged" in done.stderr
    assert still == good
    assert files == [name]
