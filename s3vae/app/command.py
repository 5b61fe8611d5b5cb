"""The command `s3vae`: what it understands. What it does is imported when it is needed."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from s3vae import __version__

REFUSED, INTERRUPTED, UNREAD, TERMINATED = 2, 130, 141, 143
"""Exit codes: for a wrong input, and after Ctrl-C, the end of a pipe's reader, or SIGTERM."""
LARGEST_SIDE, MOST_NUMBER = 4096, 36_000
"""Limits of options, beyond which memory ends before patience."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; the name of the chosen one is stored as `run`."""
    root = argparse.ArgumentParser(
        prog="s3vae", description="Separate and recombine the appearance and the motion of videos."
    )
    root.add_argument("--version", action="version", version=f"s3vae {__version__}")
    commands = root.add_subparsers(dest="run", required=True, metavar="COMMAND")

    swap = _command(commands, "swap", "the motion of one video with the appearance of another")
    swap.add_argument("appearance", type=Path, metavar="APPEARANCE", help="a video or a picture")
    swap.add_argument("motion", type=Path, metavar="MOTION", help="a video")
    swap.add_argument(
        "--paste", action="store_true", help="lay the result into the frames of MOTION"
    )
    _adapt_option(swap, "APPEARANCE")
    _film_options(swap)

    encode = _command(commands, "encode", "z_f and z_t of videos as arrays of NumPy")
    encode.add_argument("videos", type=Path, nargs="+", metavar="VIDEO")
    encode.add_argument(
        "--fps", type=_number, help="codes per second; default: of the frames that the model reads"
    )

    _add_model_commands(commands)
    _add_drawing_commands(commands)
    return root


def _add_drawing_commands(commands: Any) -> None:
    """Add the commands that draw codes or move them."""
    generate = _command(commands, "generate", "clips of which both codes are drawn")
    generate.add_argument("-n", "--number", type=_whole, default=16, help="(default: 16)")
    generate.add_argument("--seconds", type=_number, default=2.0, help="(default: 2)")
    _film_options(generate, rate="12")

    traverse = _command(commands, "traverse", "a video with a code moved along its main directions")
    traverse.add_argument("video", type=Path, metavar="VIDEO")
    traverse.add_argument("--code", choices=["static", "dynamic"], default="static")
    _adapt_option(traverse, "VIDEO")
    _film_options(traverse)

    go_on = _command(
        commands, "continue", "a video as the model decodes it, then frames whose motion is drawn"
    )
    go_on.add_argument("video", type=Path, metavar="VIDEO")
    go_on.add_argument("--seconds", type=_number, default=4.0, help="(default: 4)")
    _adapt_option(go_on, "VIDEO")
    _film_options(go_on)


def _add_model_commands(commands: Any) -> None:
    """Add the commands that read or share a model and take no video."""
    commands.add_parser("models", help="list the models that come with this package")
    inspect = commands.add_parser("inspect", help="print what is known about a model")
    inspect.add_argument("model", metavar="MODEL")
    export = commands.add_parser("export", help="write a model as files for onnxruntime")
    export.add_argument("model", metavar="MODEL")
    export.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    export.add_argument("--force", action="store_true", help="replace FOLDER if it exists")
    explore = commands.add_parser("explore", help="make a page to try a model in, and open it")
    explore.add_argument("--model", metavar="MODEL", help="default: one that fits the videos")
    explore.add_argument(
        "--video",
        dest="videos",
        type=Path,
        nargs="+",
        default=[],
        metavar="VIDEO",
        help="videos that the page holds; default: a few drawn clips",
    )
    _adapt_option(explore, "each VIDEO")
    explore.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="default: a page in a temporary folder"
    )
    explore.add_argument("--force", action="store_true", help="replace FILE if it exists")
    push = commands.add_parser("push", help="upload a model to the Hugging Face hub")
    push.add_argument("model", metavar="MODEL")
    push.add_argument("name", metavar="OWNER/MODEL")


def _command(commands: Any, name: str, help: str) -> argparse.ArgumentParser:
    """Add a command that runs a model and writes a file."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help)
    command.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    command.add_argument("--force", action="store_true", help="replace FILE if it exists")
    command.add_argument(
        "--model",
        metavar="MODEL",
        help="a name that `s3vae models` prints, a folder, models:/NAME@champion of MLflow, or "
        "OWNER/MODEL of the Hugging Face hub; default: one that fits the videos, or sprites "
        "if there are none",
    )
    command.add_argument("--device", choices=["cpu", "cuda"], help="default: cuda if it is there")
    seed = partial(_whole, least=0, most=2**31)
    command.add_argument("--seed", type=seed, default=0, help="of what is drawn (default: 0)")
    command.add_argument(
        "--crop",
        choices=["none", "centre", "face"],
        help="the part of a frame that the model takes; default: as in training",
    )
    return command


def _film_options(command: argparse.ArgumentParser, rate: str = "the video's") -> None:
    command.add_argument(
        "--size",
        type=partial(_whole, most=LARGEST_SIDE),
        metavar="PIXELS",
        help="shorter side of a clip in the film; default: 256, or 128 of one of several",
    )
    command.add_argument(
        "--fps", type=_number, help=f"frames per second of the film; default: {rate}"
    )


def _adapt_option(command: argparse.ArgumentParser, to: str) -> None:
    command.add_argument(
        "--adapt",
        type=partial(_whole, least=0),
        metavar="STEPS",
        help=f"steps of gradient descent that adapt the model to the appearance of {to} (default: "
        "200 if training never showed its like and the decoder can be adapted, else 0)",
    )


def _whole(text: str, least: int = 1, most: int = 10**6) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        msg = f"{text!r} is no whole number from {least} to {most}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _number(text: str) -> float:
    try:
        number = float(Fraction(text))
    except (ValueError, ZeroDivisionError):
        number = 0
    if not 0 < number <= MOST_NUMBER:
        msg = f"{text!r} is no number above 0 and up to {MOST_NUMBER}"
        raise argparse.ArgumentTypeError(msg)
    return number


def execute(words: list[str]) -> int:
    """Run a command; return its exit code. A wrong input is reported in one line."""
    chosen = vars(parser().parse_args(words))
    try:
        from s3vae.app import commands

        run: Callable[..., None] = getattr(commands, chosen.pop("run") + "_")
        run(**chosen)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of what is printed has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except KeyboardInterrupt:
        print("s3vae: interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError, ImportError) as error:
        print(f"s3vae: {' '.join(str(error).split())}", file=sys.stderr)
        return REFUSED
    return 0


def main() -> int:
    """Run the command of this process."""
    logging.basicConfig(format="s3vae: %(message)s")
    logging.getLogger("s3vae").setLevel(logging.INFO)
    # as after an error, so that temporary folders are removed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    return execute(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
