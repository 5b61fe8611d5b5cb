"""Renew the libraries in the explorer's page: `python -m pipelines.tools.vendor`.

npm fetches the versions that `libraries.json` names; the files are packed and their checksums
written down. A new licence is copied to LICENCES.txt by hand.
"""

import json
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from s3vae.app.explorer.page import LIBRARIES, VENDOR, packed_bytes
from s3vae.files import checksum_of
from s3vae.progress import LOG


def renew() -> None:
    """Fetch every library and write its files and checksums."""
    libraries: dict[str, Any] = json.loads(LIBRARIES.read_text())
    for package, facts in libraries.items():
        with tempfile.TemporaryDirectory() as folder:
            name = f"{package}@{facts['version']}"
            command = ["npm", "pack", name, "--silent", "--pack-destination", folder]
            subprocess.run(command, check=True)
            (archive,) = Path(folder).iterdir()
            with tarfile.open(archive) as content:
                content.extractall(folder, filter="data")
            facts["sha256"] = {}
            for member in facts["files"]:
                source = Path(folder) / "package" / member
                packed = VENDOR / f"{source.name}.gz"
                packed.write_bytes(packed_bytes(source.read_bytes()))
                facts["sha256"][source.name] = checksum_of(packed)
        LOG.info("%s %s", package, facts["version"])
    LIBRARIES.write_text(json.dumps(libraries, indent=2) + "\n")


if __name__ == "__main__":
    renew()
