"""p(x_t | z_f, z_t): one decoder per file, chosen by the architecture."""

from torch import Tensor, nn

from s3vae.model.architecture import Architecture
from s3vae.model.decoders.broadcast import BroadcastDecoder
from s3vae.model.decoders.convolutional import ConvolutionalDecoder
from s3vae.model.decoders.layered import LayeredDecoder
from s3vae.model.decoders.warp import WarpDecoder
from s3vae.model.two_objects.networks import SpriteDecoder
from s3vae.tensors import DynamicCode, StaticCode, Video

OTHERS = {
    "broadcast": BroadcastDecoder,
    "layered": LayeredDecoder,
    "sprites": SpriteDecoder,
    "warped": WarpDecoder,
}


def frame_decoder(architecture: Architecture) -> nn.Module:
    """Return the decoder that the architecture names, with new weights."""
    return OTHERS.get(architecture.decoder, ConvolutionalDecoder)(architecture)


def decode_clips(decoder: nn.Module, static: StaticCode, dynamic: DynamicCode) -> Video:
    """Return the mean of p(x_1:T | z_f, z_1:T): a clip shares one static code over time."""
    if isinstance(
        decoder, LayeredDecoder | SpriteDecoder | WarpDecoder
    ):  # draw once what does not change
        clips: Tensor = decoder(static, dynamic)
        return clips
    batch, time = dynamic.shape[:2]
    repeated = static[:, None].expand(batch, time, -1)
    frames: Tensor = decoder(repeated.flatten(0, 1), dynamic.flatten(0, 1))
    return frames.reshape(batch, time, *frames.shape[1:])
