"""Clips from codes: the frame decoder that an architecture names, at every frame of a clip."""

from torch import Tensor, nn

from s3vae.model.architecture import Architecture
from s3vae.model.decoders.broadcast import BroadcastDecoder
from s3vae.model.decoders.warp import WarpDecoder
from s3vae.model.encoder import FrameDecoder
from s3vae.model.two_objects.networks import SpriteDecoder
from s3vae.tensors import DynamicCode, StaticCode, Video


def frame_decoder(architecture: Architecture) -> nn.Module:
    """p(x_t | z_f, z_t), by the decoder that is asked for."""
    others = {"broadcast": BroadcastDecoder, "sprites": SpriteDecoder, "warped": WarpDecoder}
    return others.get(architecture.decoder, FrameDecoder)(architecture)


def decode_clips(decoder: nn.Module, static: StaticCode, dynamic: DynamicCode) -> Video:
    """The mean of p(x_1:T | z_f, z_1:T): one static code for all dynamic codes of a clip."""
    if isinstance(decoder, SpriteDecoder | WarpDecoder):  # draws once what stays
        clips: Tensor = decoder(static, dynamic)
        return clips
    batch, time = dynamic.shape[:2]
    repeated = static[:, None].expand(batch, time, -1)
    frames: Tensor = decoder(repeated.flatten(0, 1), dynamic.flatten(0, 1))
    return frames.reshape(batch, time, *frames.shape[1:])
