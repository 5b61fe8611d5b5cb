"""The explorer behind a server on this machine, for models that need PyTorch."""

import asyncio
import importlib.util
import socket
from contextlib import suppress
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
"""Frames of all clips of one request."""
PACKAGES = ("fastapi", "uvicorn")


def require_packages() -> None:
    """Raise ImportError, which names the remedy, unless the packages of the server are there."""
    if any(importlib.util.find_spec(name) is None for name in PACKAGES):
        raise ImportError("this model needs a server: pip install 's3vae[pipeline]'")


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
        with suppress(KeyboardInterrupt):
            asyncio.run(uvicorn.Server(config).serve([free]))


def application(model: VideoModel, page: str) -> Any:
    """Return the web application: the page, and one address per network.

    A request's body is the inputs of the network one after the other, as the bytes of arrays; so
    are the outputs. Only requests that name this machine as their host, and come from its own page,
    are answered.
    """
    from fastapi import FastAPI, Query, Request
    from fastapi.concurrency import run_in_threadpool
    from fastapi.responses import HTMLResponse, PlainTextResponse, Response
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    app = FastAPI(openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])
    networks = graphs(model.model)
    sizes = sizes_of(model.model.architecture)
    Count = Annotated[int, Query(ge=1, le=MOST_AT_ONCE)]

    @app.get("/", response_class=HTMLResponse)
    def explorer() -> str:
        return page

    @app.post("/{name}")
    async def run(name: str, batch: Count, time: Count, request: Request) -> Response:
        if name not in networks:
            return PlainTextResponse(f"there is no network {name!r}", 404)
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return PlainTextResponse("only the page of this server may ask", 403)
        graph = networks[name]
        shapes = {each: shape_of(each, sizes, batch, time) for each in graph.inputs}
        announced = int(request.headers.get("content-length", 0))
        if batch * time > MOST_AT_ONCE or announced != bytes_of(shapes):
            return PlainTextResponse("the body does not have the stated size", 400)
        inputs = tensors_of(await request.body(), shapes)
        outputs = await run_in_threadpool(reference, graph, inputs)
        return Response(b"".join(each.numpy().tobytes() for each in outputs))

    return app


def type_of(name: str) -> torch.dtype:
    """Return the type of the elements of an input."""
    return torch.uint8 if name == "video" else torch.float32


def bytes_of(shapes: dict[str, list[int]]) -> int:
    """Return the length of a body with these inputs."""
    return sum(prod(shape) * type_of(name).itemsize for name, shape in shapes.items())


def tensors_of(body: bytes, shapes: dict[str, list[int]]) -> tuple[Tensor, ...]:
    """Return the inputs in a body."""
    content, tensors, start = bytearray(body), [], 0
    for name, shape in shapes.items():
        part = torch.frombuffer(content, dtype=type_of(name), offset=start, count=prod(shape))
        tensors.append(part.reshape(shape))
        start += bytes_of({name: shape})
    return tuple(tensors)
