"""RAVDESS, from a server on this machine that has a small record of the same shape."""

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

from s3vae.data.clips import ClipFile, write_clips
from s3vae.data.download import DownloadError, fetch
from s3vae.data.ravdess import (
    EMOTIONS,
    RAVDESS,
    LockError,
    WholeVideo,
    archive,
    take_of,
    unpacked,
)

ACTORS = (1, 24)
API = "/api/records/1188976"


def video(path: Path, grey: int) -> bytes:
    """A film of eight frames of one grey."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, (96, 64))
    for _ in range(8):
        writer.write(np.full((64, 96, 3), grey, np.uint8))
    writer.release()
    return path.read_bytes()


def packed(members: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return whole.getvalue()


@dataclass
class Record:
    """What the server has, and what goes wrong on the way to a path, in this order."""

    archives: dict[str, bytes]
    faults: dict[str, list[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str) -> tuple[int, bytes, int]:
        self.asked.append(path)
        if path == API:
            body = json.dumps(self.one_hot()).encode()
        else:
            assert path.startswith("/records/1188976/files/")
            assert path.endswith("?download=1")
            body = self.archives[path.rpartition("/")[2].removesuffix("?download=1")]
        fault = self.faults[path].pop(0) if self.faults.get(path) else None
        if fault == "503":
            return 503, b"", 0
        sent = {"truncated": body[:-100], "wrong": b"x" + body[1:], None: body}[fault]
        return 200, sent, len(body)

    def told(self) -> dict[str, object]:
        """As Zenodo's API tells of a record."""
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
    """Of each actor two emotions, two sentences, two repetitions, and what is not to be read."""
    folder = tmp_path_factory.mktemp("films")
    made = {}
    for actor in ACTORS:
        members = {"../../escaped/02-01-01-01-01-01-01.txt": b"no film"}
        for emotion in (1, 5):
            for sentence in (1, 2):
                for repetition in (1, 2):
                    name = f"02-01-{emotion:02}-01-{sentence:02}-{repetition:02}-{actor:02}.mp4"
                    film = video(folder / name, 10 * emotion + 5 * sentence + repetition)
                    members[f"Actor_{actor:02}/{name}"] = film
                    members[f"Actor_{actor:02}/01{name[2:]}"] = film  # with sound
        made[archive(actor)] = packed(members)
    return made


@pytest.fixture
def record(
    archives: dict[str, bytes], serve: Callable[[Callable[[str], tuple[int, bytes, int]]], str]
) -> Record:
    state = Record(dict(archives))
    state.url = serve(state.answer)
    return state


def settings(record: Record, tmp_path: Path) -> RAVDESS:
    return RAVDESS(
        actors=ACTORS,
        cut=WholeVideo(time=4),
        crop="centre",
        lock=str(tmp_path / "data" / "ravdess.lock.json"),
        site=record.url,
    )


def download(asked: RAVDESS, raw: Path) -> None:
    for file in asked.files:
        fetch(file, raw, None, attempts=4, first_delay=0.001)


def test_clips_come_from_the_record_whatever_goes_wrong_once(
    record: Record, tmp_path: Path
) -> None:
    asked = settings(record, tmp_path)
    first, second = (f"/records/1188976/files/{archive(actor)}?download=1" for actor in ACTORS)
    record.faults = {first: ["503", "truncated", "503"], second: ["truncated"]}
    download(asked, tmp_path / "raw")
    assert record.asked == [API, *[first] * 4, *[second] * 2]
    write_clips(tmp_path / "clips.h5", asked.clips(tmp_path / "raw"))
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
    # of each emotion: first sentence (train, val), second sentence (train, test)
    assert [clips.split(name).tolist() for name in ("train", "val", "test")] == [
        [0, 2, 4, 6, 8, 10, 12, 14],
        [1, 5, 9, 13],
        [3, 7, 11, 15],
    ]


def test_the_stage_acquire_makes_the_clips_over_a_bad_line(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")  # nobody's server
    monkeypatch.delenv("S3VAE_MIRROR", raising=False)
    from pipelines.stages.acquire import acquire

    paths = [f"/records/1188976/files/{archive(actor)}?download=1" for actor in ACTORS]
    record.faults = {paths[0]: ["503"], paths[1]: ["truncated"]}
    acquire("ravdess", settings(record, tmp_path), tmp_path / "clips.h5", tmp_path / "raw")
    assert sorted(record.asked) == sorted([API, *paths, *paths])
    assert ClipFile(tmp_path / "clips.h5").shape == (16, 4, 64, 64, 3)


def test_a_wrong_md5_is_refused_and_nothing_of_it_is_kept(record: Record, tmp_path: Path) -> None:
    asked = settings(record, tmp_path)
    file = asked.files[0]
    record.faults = {f"/records/1188976/files/{archive(1)}?download=1": ["wrong"]}
    with pytest.raises(DownloadError, match=f"md5 {file.checksum}"):
        fetch(file, tmp_path / "raw", None, attempts=4, first_delay=0.001)
    assert not (tmp_path / "raw" / file.path).exists()
    assert fetch(file, tmp_path / "raw", None).read_bytes() == record.archives[archive(1)]


def test_checksums_are_locked_at_first_use(record: Record, tmp_path: Path) -> None:
    asked = settings(record, tmp_path)
    locked = asked.files
    record.archives[archive(1)] += b"another upload"
    assert asked.files == locked
    assert record.asked == [API]
    with pytest.raises(DownloadError, match=locked[0].checksum):
        fetch(locked[0], tmp_path / "raw", None, attempts=1)


@pytest.mark.parametrize("content", ["{", "{}", '{"md5": {}}', '{"md5": {"a": 1}}', "[]"])
def test_a_lock_that_lacks_a_checksum_is_refused(
    record: Record, tmp_path: Path, content: str
) -> None:
    asked = settings(record, tmp_path)
    Path(asked.lock).parent.mkdir()
    Path(asked.lock).write_text(content)
    with pytest.raises(LockError, match=r"ravdess\.lock\.json does not hold .* restore it"):
        _ = asked.files


def test_without_lock_and_record_it_says_what_to_do(record: Record, tmp_path: Path) -> None:
    record.faults = {API: ["wrong"]}
    with pytest.raises(LockError, match=r"not to be had .* commit that file"):
        _ = settings(record, tmp_path).files
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("name", "speaks"),
    [
        ("02-01-06-01-02-01-12.mp4", True),
        ("01-01-06-01-02-01-12.mp4", False),
        ("02-02-06-01-02-01-12.mp4", False),
        ("02-01-06-01-02-01-12.mp4.exe", False),
        ("readme.txt", False),
    ],
)
def test_only_silent_videos_of_speech_are_read(name: str, speaks: bool) -> None:
    assert (take_of(name) is not None) == speaks


def test_members_cannot_leave_their_folder(tmp_path: Path) -> None:
    path = tmp_path / "raw" / "a.zip"
    path.parent.mkdir()
    names = ("../../02-01-06-01-02-01-12.mp4", "/02-01-06-01-02-02-12.mp4", "../evil.sh")
    path.write_bytes(packed(dict.fromkeys(names, b"film")))
    inside = [tmp_path / "raw" / "a" / f"02-01-06-01-02-0{k}-12.mp4" for k in (1, 2)]
    assert list(unpacked(path)) == inside
    assert sorted(p for p in tmp_path.rglob("*") if p.is_file()) == [*inside, path]


def test_another_archive_of_the_same_name_is_unpacked_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    for repetition in (1, 2):
        name = f"02-01-06-01-02-0{repetition}-12.mp4"
        path.write_bytes(packed({name: b"film"}))
        assert list(unpacked(path)) == [tmp_path / "a" / name]
