"""Swap the motions of two clips with exported files alone, without PyTorch.

python swap_with_onnxruntime.py FOLDER first.npy second.npy swap.gif

Clips are bytes [time, height, width, channel]. The GIF shows them above their swaps.
"""

import sys

import numpy as np
import onnxruntime
from PIL import Image


def main(folder: str, first: str, second: str, gif: str) -> None:
    """Encode two clips, exchange their motions, decode, and write the GIF."""
    encode = onnxruntime.InferenceSession(f"{folder}/encode.onnx")
    decode = onnxruntime.InferenceSession(f"{folder}/decode.onnx")
    clips = [np.load(path) for path in (first, second)]
    time = min(len(clip) for clip in clips)
    video = np.stack([clip[:time] for clip in clips])
    static, dynamic = encode.run(None, {"video": video})
    (swapped,) = decode.run(None, {"static": static, "dynamic": dynamic[[1, 0]]})
    rows = [np.concatenate(list(row), axis=2) for row in (video, swapped)]
    pictures = [Image.fromarray(frame.squeeze()) for frame in np.concatenate(rows, axis=1)]
    pictures[0].save(gif, save_all=True, append_images=pictures[1:], duration=100, loop=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
