"""The explorer behind a server on this machine, for models that need PyTorch."""

import asyncio
import socket
from math import prod
from typing import Annotated, Any

import torch
from torch import Tensor

from s3vae.app.explorer.open import open_in_browser
from s3vae.app.model import VideoModel
from s3vae.export.agreement import reference
from s3vae.export.graphs import graphs, shape_of, sizes_of
from s3vae.progress import LOG

LOOPBACK = "127.0.0.1"
MOST_AT_ONCE = 4096
"""Clips, and frames, of one request."""


def serve(model: VideoModel, page: str) -> None:
    """Serve a page and its networks to this machine alone, until Ctrl-C."""
    import uvicorn

    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        free.listen()
        address = f"http://{LOOPBACK}:{free.getsockname()[1]}/"
        LOG.info("%s shows the explorer; Ctrl-C ends it", address)
        open_in_browser(address)
        config = uvicorn.Config(application(model, page), log_level="warning")
        asyncio.run(uvicorn.Server(config).serve([free]))


def application(model: VideoModel, page: str) -> Any:
    """Return the web application: the page, and one address per network.

    A request's body is the inputs of the network one after the other, as the bytes of arrays; so
    are the outputs. Only requests that name this machine as their host are answered.
    """
    from fastapi import FastAPI, Query, Request
    from fastapi.responses import HTMLResponse, PlainTextResponse, Response
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    app = FastAPI(openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])
    networks = {name.removesuffix(".onnx"): graph for name, graph in graphs(model.model).items()}
    sizes = sizes_of(model.model.architecture)
    Count = Annotated[int, Query(ge=1, le=MOST_AT_ONCE)]

    @app.get("/", response_class=HTMLResponse)
    def explorer() -> str:
        return page

    @app.post("/{name}")
    async def run(name: str, batch: Count, time: Count, request: Request) -> Response:
        if name not in networks:
            return PlainTextResponse(f"there is no network {name!r}", 404)
        graph = networks[name]
        shapes = {each: shape_of(each, sizes, batch, time) for each in graph.inputs}
        try:
            inputs = tensors_of(await request.body(), shapes)
        except ValueError as error:
            return PlainTextResponse(str(error), 400)
        with torch.no_grad():
            outputs = reference(graph, inputs)
        return Response(b"".join(each.numpy().tobytes() for each in outputs))

    return app


def tensors_of(body: bytes, shapes: dict[str, list[int]]) -> tuple[Tensor, ...]:
    """Return the tensors of a request. Raises ValueError if the body has another length."""
    kinds = {name: torch.uint8 if name == "video" else torch.float32 for name in shapes}
    lengths = {name: prod(shape) * kinds[name].itemsize for name, shape in shapes.items()}
    if len(body) != sum(lengths.values()):
        msg = f"the body has {len(body)} bytes, not {sum(lengths.values())}"
        raise ValueError(msg)
    content, tensors, start = bytearray(body), [], 0
    for name, shape in shapes.items():
        part = torch.frombuffer(content, dtype=kinds[name], offset=start, count=prod(shape))
        tensors.append(part.reshape(shape))
        start += lengths[name]
    return tuple(tensors)
