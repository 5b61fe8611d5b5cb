"""One training in several processes on this machine, without the command torchrun."""

import os
import sys
import uuid

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from s3vae.processes import cores


def start_trainers(module: str) -> None:
    """Run this module with this process's arguments in `S3VAE_TRAINERS` processes, then exit.

    Return at once if there is one trainer, or if torchrun has started this process. The exit code
    is that of the first process that fails, 128 + n after signal n.
    """
    trainers = int(os.environ.get("S3VAE_TRAINERS", "1"))
    if trainers == 1 or "RANK" in os.environ:
        return
    os.environ.setdefault("OMP_NUM_THREADS", str(max(cores() // trainers, 1)))
    settings = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=trainers,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
    )
    try:
        elastic_launch(settings, sys.executable)("-m", module, *sys.argv[1:])
    except ChildFailedError as error:
        code = error.get_first_failure()[1].exitcode
        sys.exit(128 - code if code < 0 else code)
    except SignalException as error:
        sys.exit(128 + error.sigval)
    sys.exit()
