"""A trained model at work on videos: encode, decode, swap, generate, traverse, continue."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from numpy import ndarray

from s3vae.app.codes import Codes
from s3vae.app.recording import (
    PICTURES_PER_SECOND,
    Frame,
    Frames,
    Recording,
    Source,
    frame_rate,
    is_clip,
    open_recording,
    shown_name,
    with_best_box,
)
from s3vae.app.strangers import EncodedVideo, fitted
from s3vae.data.preparation import Preparation
from s3vae.model.adaptation import MOST_FRAMES, canonical_images
from s3vae.model.long_clips import decode_clip, encode_clip
from s3vae.model.s3vae import S3VAE
from s3vae.progress import LOG, Progress
from s3vae.runtime import generator_at

Clips = UInt8[ndarray, "clip time height width channel"]
Which = Literal["static", "dynamic"]
DRAWN_FOR_DIRECTIONS = 256
"""Codes drawn from the priors to find the directions in which codes vary most."""
STRANGE = 4.0
"""The ratio of errors above which a video is not of the kind that a model knows."""
REACH = 2.0
"""Standard deviations to which a traversal goes in both directions."""


class VideoModel:
    """A sequential VAE and how the clips that it knows were cut from videos.

    Videos are paths or bytes [time, height, width, channel] of any size and length. They are
    cropped and resized as the clips of training were; frames have the model's size.
    """

    def __init__(
        self,
        model: S3VAE,
        preparation: Preparation,
        part_names: Sequence[str | None] = (),
    ) -> None:
        self.model, self.preparation = model.eval(), preparation
        self.part_names = part_names
        """What changes with each part of the learned prior of z_f, where labels have shown it."""
        architecture = model.architecture
        self.size = architecture.height, architecture.width
        self.channels = architecture.channels

    def open(self, video: Source) -> Recording:
        """Return which part of a video the model takes. Raises ValueError or FileNotFoundError."""
        recording = open_recording(video, self.preparation, self.size, grey=self.channels == 1)
        if len(recording.times) > 1 or self.preparation.crop != "face" or is_clip(video, self.size):
            return recording
        return with_best_box(recording, lambda each: self.error(self.encode(each), each))

    def encode(self, video: Source | Recording, label: str = "") -> Codes:
        """Return the posterior means of z_f and z_t, in overlapping windows for long videos.

        With a label, progress is shown.
        """
        recording = video if isinstance(video, Recording) else self.open(video)
        count, window = len(recording.taken), self.preparation.time
        with Progress(label, count, "frames", visible=bool(label)) as progress:
            frames = map(torch.from_numpy, progress.counting(recording.frames()))
            static, dynamic = encode_clip(self.model, frames, count, window, window // 2)
        return Codes(static.numpy(), dynamic.numpy(), recording.times[recording.taken])

    def adapted(self, videos: Sequence[EncodedVideo], steps: int, label: str = "") -> "VideoModel":
        """Return a model that draws the appearances of videos, given their codes, as they are.

        By some steps of gradient descent for each on its first frames, or on the first one alone if
        z_t does not describe how they move, so that they lie over each other. Raises ValueError
        unless `adaptable`.
        """

        def fitted_to(most: Sequence[int]) -> VideoModel:
            model = fitted(self.model, videos, most, steps, label)
            return VideoModel(model, self.preparation, self.part_names)

        model = fitted_to([MOST_FRAMES] * len(videos))
        errors = [model.error(each.codes, each.recording, MOST_FRAMES) for each in videos]
        most = [1 if self.is_strange(error) else MOST_FRAMES for error in errors]
        pairs = zip(videos, most, strict=True)
        names = [each.name for each, count in pairs if count == 1 < len(each.codes.times)]
        if moving := ", ".join(names):
            LOG.warning("%s: all frames together are drawn badly: only the first is used", moving)
            model = fitted_to(most)
        return model

    @property
    def adaptable(self) -> bool:
        """Whether the decoder has canonical images, which `adapted` changes."""
        return canonical_images(self.model.decoder) is not None

    def is_strange(self, error: float) -> bool:
        """Return whether an error per pixel shows a video that the model was not trained for."""
        usual = self.preparation.error_per_pixel
        return usual is not None and error > STRANGE * usual

    def error(self, codes: Codes, recording: Recording, most: int | None = None) -> float:
        """Return the squared error per pixel of the first frames, of intensities in [0, 1]."""
        real = np.stack([*islice(recording.frames(), most or self.preparation.time)])
        return float(np.square(self.decode(codes.first(len(real))) / 255 - real / 255).mean())

    def frames(self, codes: Codes) -> Iterator[Frame]:
        """Decode frame by frame, with a few in memory. Raises ValueError for codes of others."""
        sizes = self.model.architecture
        static, dynamic = (
            torch.from_numpy(each.astype(np.float32)) for each in (codes.static, codes.dynamic)
        )
        if not len(dynamic):
            raise ValueError("there are no frames to decode: give at least one z_t")
        if static.shape != (sizes.static,) or dynamic.shape[1:] != (sizes.dynamic,):
            raise ValueError(
                f"codes of {list(static.shape)} and {list(dynamic.shape)} are not this model's, "
                f"which are [{sizes.static}] and [time, {sizes.dynamic}]"
            )
        if not (static.isfinite().all() and dynamic.isfinite().all()):
            raise ValueError("codes must be finite: some are NaN or infinite")
        for frame in decode_clip(self.model, static, dynamic):
            yield frame.numpy()

    def decode(self, codes: Codes) -> Frames:
        """Decode a frame for each z_t, so for each frame that the model read of a video.

        `codes.at(times)` gives others.
        """
        return np.stack([*self.frames(codes)])

    def swap(self, appearance: Source, motion: Source, adapt: int = 0) -> Frames:
        """Return the motion of one video with the appearance of another, a frame for each of it.

        `adapt` steps make the model draw an appearance that training never showed; 200 are enough.
        """
        lending, moving = self.open(appearance), self.open(motion)
        lent = self.encode(lending)
        shown = EncodedVideo(shown_name(lending.source), lending, lent)
        model = self.adapted([shown], adapt) if adapt else self
        swapped = replace(self.encode(moving), static=lent.static)
        return model.decode(swapped.at(moving.times))

    def generate(self, count: int, time: int | None = None, seed: int = 0) -> Clips:
        """Draw clips: appearances from the learned prior if the model has one, else N(0, I)."""
        return np.stack([self.decode(codes) for codes in self.drawn(count, time, seed)])

    @torch.no_grad()
    def drawn(self, count: int, time: int | None = None, seed: int = 0) -> list[Codes]:
        """Return the codes of the clips that `generate` draws."""
        generator = generator_at(self._device, seed)
        time = self.preparation.time if time is None else time
        if count < 1 or time < 1:
            msg = f"{count} clips of {time} frames cannot be drawn: name at least one of each"
            raise ValueError(msg)
        static = self.model.draw_learned_static(count, generator).cpu().numpy()
        dynamic = self.model.draw_dynamic(count, time, generator).cpu().numpy()
        times = np.arange(dynamic.shape[1]) / PICTURES_PER_SECOND
        return [Codes(*codes, times) for codes in zip(static, dynamic, strict=True)]

    def traverse(
        self, video: Source | Codes, code: Which = "static", directions: int = 3, steps: int = 5
    ) -> UInt8[ndarray, "direction step time height width channel"]:
        """Return a video whose z_f or z_t is moved along each of its principal directions.

        The video may be given by codes, of which each is one frame. The middle of an odd number of
        steps is the video itself; the first and the last are REACH standard deviations of drawn
        codes away.
        """
        if directions < 1 or steps < 1:
            raise ValueError(f"{directions} directions of {steps} steps: name at least one of each")
        if not isinstance(video, Codes):
            recording = self.open(video)
            video = self.encode(recording).at(recording.times)
        rows = []
        for direction in self.directions(code)[:directions]:
            moved = [
                replace(video, **{code: getattr(video, code) + step * direction})
                for step in np.linspace(-REACH, REACH, steps).tolist()
            ]
            rows.append(np.stack([self.decode(each) for each in moved]))
        return np.stack(rows)

    @torch.no_grad()
    def directions(self, code: Which) -> Float32[ndarray, "direction dim"]:
        """Return the principal directions of drawn codes, as long as one standard deviation."""
        if code not in get_args(Which):
            msg = f"there is no code {code!r}: choose static or dynamic"
            raise ValueError(msg)
        generator = generator_at(self._device, 0)
        if code == "static":
            drawn = self.model.draw_learned_static(DRAWN_FOR_DIRECTIONS, generator)
        else:
            time = self.preparation.time
            drawn = self.model.draw_dynamic(DRAWN_FOR_DIRECTIONS, time, generator).flatten(0, 1)
        points = drawn.cpu().numpy()
        _, lengths, directions = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
        scaled: ndarray = directions * (lengths / np.sqrt(len(points)))[:, None]
        return scaled.astype(np.float32)

    def continue_(self, video: Source, frames: int, seed: int = 0) -> Frames:
        """Return a video, then frames at its mean rate whose motion is drawn, given that before."""
        recording = self.open(video)
        seconds = frames / frame_rate(recording.times)
        return self.decode(self.extended(self.encode(recording), recording, seconds, seed))

    def extended(
        self,
        codes: Codes,
        recording: Recording,
        seconds: float,
        seed: int = 0,
        fps: float | None = None,
    ) -> Codes:
        """Return the codes of a video and of drawn motion for seconds after its last frame.

        At a rate, or at the times of the video's frames and on at their mean rate.
        """
        # the last frame of the video is later than the last one that the model takes
        missing = recording.times[-1] + seconds - codes.times[-1]
        longer = self.continued(codes, int(np.ceil(missing * frame_rate(codes.times))), seed)
        return longer.at(recording.at_rate(fps, seconds))

    @torch.no_grad()
    def continued(self, codes: Codes, frames: int, seed: int = 0) -> Codes:
        """Return codes followed by drawn ones, at the mean rate of those that are known."""
        if frames < 1:
            raise ValueError(f"{frames} frames cannot be drawn: name at least one")
        known = torch.from_numpy(codes.dynamic)[None].to(self._device)
        drawn = self.model.prior.continuation(known, frames, generator_at(self._device, seed))
        dynamic = np.concatenate([codes.dynamic, drawn[0].cpu().numpy()])
        later = codes.times[-1] + np.arange(1, frames + 1) / frame_rate(codes.times)
        return Codes(codes.static, dynamic, np.append(codes.times, later))

    @property
    def _device(self) -> torch.device:
        return next(self.model.parameters()).device
