"""RAVDESS, from a local server with a small record of the same structure."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

from s3vae.data.clips import SPLITS, ClipFile
from s3vae.data.download import DownloadError, fetch
from s3vae.data.ravdess import EMOTIONS, RAVDESS, LockError, WholeVideo, archive, take_of, unpack

ACTORS = (1, 24)
API = "/api/records/1188976"
PATHS = [f"/records/1188976/files/{archive(actor)}?download=1" for actor in ACTORS]


def video(path: Path, grey: int) -> bytes:
    """Encode a video of eight frames of one grey."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, (96, 64))
    for _ in range(8):
        writer.write(np.full((64, 96, 3), grey, np.uint8))
    writer.release()
    return path.read_bytes()


def pack(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return packed.getvalue()


@dataclass
class Record:
    """A record of archives, and the faults of the next answers for each path."""

    archives: dict[str, bytes]
    faults: dict[str, list[str]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str) -> tuple[int, bytes, int]:
        self.requests.append(path)
        if path == API:
            body = json.dumps(self.description()).encode()
        else:
            assert path in PATHS
            body = self.archives[path.rpartition("/")[2].removesuffix("?download=1")]
        fault = self.faults[path].pop(0) if self.faults.get(path) else None
        if fault == "503":
            return 503, b"", 0
        sent = {"truncated": body[:-100], "wrong": b"x" + body[1:], None: body}[fault]
        return 200, sent, len(body)

    def description(self) -> dict[str, object]:
        """Describe the record as Zenodo's API does."""
        files = [
            {
                "key": name,
                "size": len(content),
                "checksum": f"md5:{hashlib.md5(content, usedforsecurity=False).hexdigest()}",
                "links": {"self": f"{self.url}{API}/files/{name}/content"},
            }
            for name, content in self.archives.items()
        ]
        return {"id": 1188976, "doi": "10.5281/zenodo.1188976", "files": files}


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Pack two emotions, sentences and repetitions of each actor, with files to be ignored."""
    folder = tmp_path_factory.mktemp("videos")
    made = {}
    for actor in ACTORS:
        members = {"../../escaped/02-01-01-01-01-01-01.txt": b"text"}
        for emotion in (1, 5):
            for sentence in (1, 2):
                for repetition in (1, 2):
                    name = f"02-01-{emotion:02}-01-{sentence:02}-{repetition:02}-{actor:02}.mp4"
                    content = video(folder / name, 10 * emotion + 5 * sentence + repetition)
                    members[f"Actor_{actor:02}/{name}"] = content
                    members[f"Actor_{actor:02}/01{name[2:]}"] = content  # with sound
        made[archive(actor)] = pack(members)
    return made


@pytest.fixture
def record(
    archives: dict[str, bytes], serve: Callable[[Callable[[str], tuple[int, bytes, int]]], str]
) -> Record:
    state = Record(dict(archives))
    state.url = serve(state.answer)
    return state


@pytest.fixture
def settings(record: Record, tmp_path: Path) -> RAVDESS:
    return RAVDESS(
        actors=ACTORS,
        cut=WholeVideo(time=4),
        crop="centre",
        lock=str(tmp_path / "data" / "ravdess.lock.json"),
        site=record.url,
    )


def test_the_stage_acquire_builds_the_clips_despite_transient_faults(
    record: Record, settings: RAVDESS, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")  # no server
    monkeypatch.delenv("S3VAE_MIRROR", raising=False)
    monkeypatch.setattr("s3vae.data.download.FIRST_DELAY", 0.001)
    from pipelines.stages.acquire import acquire

    record.faults = {API: ["503"], PATHS[0]: ["503"], PATHS[1]: ["truncated"]}
    acquire("ravdess", settings, tmp_path / "clips.h5", tmp_path / "raw")
    assert sorted(record.requests) == sorted([API, API, *PATHS, *PATHS])
    clips = ClipFile(tmp_path / "clips.h5")
    assert clips.shape == (16, 4, 64, 64, 3)
    assert [(f.name, f.kind, f.values) for f in clips.factors] == [
        ("actor", "static", ("01", "24")),
        ("emotion", "dynamic", EMOTIONS),
    ]
    assert clips.labels("actor").tolist() == [0] * 8 + [1] * 8
    assert clips.labels("emotion").tolist() == ([0] * 4 + [4] * 4) * 2
    grey = [clips.frames([number])[0, 0, 0, 0, 0] for number in range(8)]
    assert np.abs(np.array(grey) - (16, 17, 21, 22, 56, 57, 61, 62)).max() <= 5
    # for each emotion: first sentence (train, val), second sentence (train, test)
    assert [clips.split(name).tolist() for name in SPLITS] == [
        [0, 2, 4, 6, 8, 10, 12, 14],
        [1, 5, 9, 13],
        [3, 7, 11, 15],
    ]


def test_an_archive_that_does_not_have_the_md5_of_first_use_is_refused(
    record: Record, settings: RAVDESS, tmp_path: Path
) -> None:
    locked = settings.files
    record.archives[archive(1)] += b"another upload"
    assert settings.files == locked
    assert record.requests == [API]
    with pytest.raises(DownloadError, match=f"md5 {locked[0].checksum}"):
        fetch(locked[0], tmp_path / "raw", None)
    assert not (tmp_path / "raw" / locked[0].path).exists()


@pytest.mark.parametrize("content", ["{", "{}", '{"md5": {}}', '{"md5": {"a": 1}}', "[]"])
def test_a_lock_that_lacks_a_checksum_is_refused(settings: RAVDESS, content: str) -> None:
    Path(settings.lock).parent.mkdir()
    Path(settings.lock).write_text(content)
    with pytest.raises(LockError, match=r"ravdess\.lock\.json does not hold .* restore it"):
        _ = settings.files


def test_without_lock_and_record_the_error_names_the_remedy(
    record: Record, settings: RAVDESS
) -> None:
    record.faults = {API: ["wrong"]}
    with pytest.raises(LockError, match=r"unavailable .* commit the file"):
        _ = settings.files
    assert not Path(settings.lock).parent.exists()


@pytest.mark.parametrize(
    ("name", "is_read"),
    [
        ("02-01-06-01-02-01-12.mp4", True),
        ("01-01-06-01-02-01-12.mp4", False),
        ("02-02-06-01-02-01-12.mp4", False),
        ("02-01-06-01-02-01-12.mp4.exe", False),
        ("readme.txt", False),
    ],
)
def test_only_silent_videos_of_speech_are_read(name: str, is_read: bool) -> None:
    assert (take_of(name) is not None) == is_read


def test_members_cannot_leave_their_folder(tmp_path: Path) -> None:
    path = tmp_path / "raw" / "a.zip"
    path.parent.mkdir()
    names = ("../../02-01-06-01-02-01-12.mp4", "/02-01-06-01-02-02-12.mp4", "../evil.sh")
    path.write_bytes(pack(dict.fromkeys(names, b"video")))
    inside = [tmp_path / "raw" / "a" / f"02-01-06-01-02-0{k}-12.mp4" for k in (1, 2)]
    assert list(unpack(path)) == inside
    assert sorted(p for p in tmp_path.rglob("*") if p.is_file()) == [*inside, path]


def test_a_replaced_archive_is_unpacked_again(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    for repetition in (1, 2):
        name = f"02-01-06-01-02-0{repetition}-12.mp4"
        path.write_bytes(pack({name: b"video"}))
        assert list(unpack(path)) == [tmp_path / "a" / name]
