"""The repository's files, and dry runs with them."""

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from helpers.configs import CODE
from helpers.workspace import ROOT, SNAKEMAKE


class Space:
    """A folder with the repository's files, in which dry runs may go on in a pool's threads."""

    def __init__(self, path: Path, pool: ThreadPoolExecutor | None = None):
        self.path, self.pool = path, pool
        path.mkdir(exist_ok=True)
        for name in CODE:
            if (ROOT / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / name, path / name, ignore=ignored)
            else:
                shutil.copy2(ROOT / name, path / name)

    def folder(self, name: str, *images: str) -> Path:
        path = self.path / name
        path.mkdir()
        for image in images:
            Image.new("RGB", (8, 8)).save(path / image, "PNG")
        return path

    def dry_run(self, name: str, config: object, *arguments: str) -> subprocess.CompletedProcess:
        path = self.path / f"config-{name}.json"
        path.write_text(config if isinstance(config, str) else json.dumps(config))
        command = [SNAKEMAKE, "--dry-run", "--cores", "1", "--printshellcmds"]
        return subprocess.run(
            [*command, "--configfile", path.name, *arguments],
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
