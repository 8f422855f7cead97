"""A real workspace for the end-to-end tests: a copy of the repository where studies run."""

import os
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import psutil
import xarray as xr
import yaml

from helpers import planted

ROOT = Path(__file__).resolve().parents[2]
SNAKEMAKE = ROOT / ".venv" / "bin" / "snakemake"
PHOTOGRAPHS = 4
STUDIES = "results/*/config.json"  # in each study's folder
# What studies of tests have in place of the default study's: every framework, in float32.
GRID = {
    "conversions": {
        "torch": {
            "torch": [[]],
            "onnx": [["torch_onnx"]],
            "tensorflow": [["torch_onnx", "onnx2tf"]],
            "keras": [["torch_onnx", "onnx2keras"]],
            "tflite": [["torch_onnx", "onnx2tf", "tflite_converter"]],
        },
        "keras": {"keras": [[]]},
    },
    "preprocessing": ["source"],
    "backends": ["native", "O0", "O2", "O4"],
    "runtimes": {},
    "devices": {
        "cpu": {"target": {"kind": "llvm", "mcpu": "host"}, "native": True},
        "cpu-baseline": {"target": {"kind": "llvm", "mcpu": "x86-64-v2"}, "native": False},
    },
}
# The changes of a small study: two frameworks, and a level of each.
SMALL = {
    "conversions": {"torch": {"torch": [[]], "onnx": [["torch_onnx"]]}},
    "backends": ["native", "O2"],
    "devices": {"cpu": {"target": {"kind": "llvm", "mcpu": "host"}, "native": True, "threads": 2}},
    "timing": {"repeats": 2, "probe_tolerance": 0.15, "contention_tolerance": 0.05},
}


class Workspace:
    """A folder with the repository's files, its environments, and studies of its own."""

    def __init__(self, path: Path):
        self.path = path
        self.variables: dict[str, str] = {}  # beside those of this process

    def config(self, name: str, **changes: object) -> Path:
        """Write `GRID` with changes as a study of this name, the rest as in the default one."""
        content = yaml.safe_load((ROOT / "config" / "config.yaml").read_text()) | GRID
        content |= {"study": name, "images": {"folder": "photographs"}} | changes
        path = self.path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    def command(self, config: Path, *options: str, targets: tuple[str, ...] = ()) -> list[str]:
        """A Snakemake command line."""
        start = [str(SNAKEMAKE), "--configfile", str(config), "--cores", "all"]
        return [*start, *options, "--", *targets]

    def snakemake(
        self, config: Path, *options: str, targets: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess:
        """Run Snakemake to its end; the output is text, both streams in one."""
        return subprocess.run(
            self.command(config, *options, targets=targets),
            cwd=self.path,
            env=os.environ | self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, config: Path, *options: str, targets: tuple[str, ...] = ()) -> str:
        """Run Snakemake, expecting success; return its output."""
        done = self.snakemake(config, *options, targets=targets)
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    def jobs(self, config: Path, targets: tuple[str, ...] = ()) -> dict[str, int]:
        """How many jobs of each rule Snakemake would run now."""
        output = self.run(config, "--dry-run", targets=targets)
        if "Job stats:" not in output:
            assert "Nothing to be done" in output, output[-3000:]
            return {}
        table = output.split("Job stats:")[1].split("total")[0].splitlines()[3:]
        counts = {row.split()[0]: int(row.split()[1]) for row in table if row.strip()}
        counts.pop("all", None)
        return counts

    def listed(self, config: Path) -> str:
        """What Snakemake's dry run prints, with the shell commands."""
        return self.run(config, "--dry-run", "--printshellcmds")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that occurs in a file."""
        path = self.path / name
        text = path.read_text()
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new))

    def copy(self, path: Path, studies: bool = False) -> "Workspace":
        """A second workspace that shares the environments, without or with what studies made."""
        path.mkdir()
        left_out = set() if studies else {file.parent for file in self.path.glob(STUDIES)}

        def ignored(folder: str, names: list[str]) -> list[str]:
            return [name for name in names if Path(folder, name) in left_out]

        for item in self.path.iterdir():
            if item.name == ".envs":
                (path / ".envs").symlink_to(item.resolve())
            elif item.is_dir():
                shutil.copytree(item, path / item.name, symlinks=True, ignore=ignored)
            else:
                shutil.copy2(item, path / item.name)
        return Workspace(path)


def kill_family(process: subprocess.Popen) -> None:
    """Kill a process and all its descendants with SIGKILL."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    os.kill(process.pid, signal.SIGKILL)
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()


def start(space: Workspace, config: Path) -> subprocess.Popen:
    """Start Snakemake; what it says is dropped."""
    return subprocess.Popen(
        space.command(config),
        cwd=space.path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for(process: subprocess.Popen, words: str, seconds: float = 300) -> None:
    """Wait until a descendant's command line contains these words."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, f"the run ended before {words!r} was seen"
        for member in psutil.Process(process.pid).children(recursive=True):
            try:
                if words in " ".join(member.cmdline()):
                    return
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        time.sleep(0.02)
    raise AssertionError(f"{words!r} was not seen within {seconds} s")


def equal(one: xr.Dataset, other: xr.Dataset) -> None:
    """The same cells with bit-identical predictions."""
    for variable in ("logits", "label", "probability", "true_label"):
        assert one[variable].values.tobytes() == other[variable].values.tobytes(), variable
    for name in ("model", "source", "target", "backend", "device", "status"):
        assert list(one[name].values) == list(other[name].values)


def checkout(path: Path) -> Workspace:
    """Copy what git tracks or would track, as it is in the working tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, path / name)
    return Workspace(path)


def built(path: Path) -> Workspace:
    """A checkout with its environments and photographs."""
    space = checkout(path)
    names = sorted(path.stem for path in (ROOT / "envs").glob("*.txt"))
    built = [name for name in names if name not in ("driver", "test")]
    wheel = "results/images/foolbox-3.3.4.whl"
    packaged = yaml.safe_load((ROOT / "config/config.yaml").read_text())["images"]
    config = space.config("packaged", images=packaged)
    manifests = tuple(f"results/environments/{name}.json" for name in built)
    shell = Workspace(space.path)
    shell.variables = planted.variables(path / planted.FOLDER)
    shell.run(config, targets=(*manifests, wheel))
    assert planted.found(path / planted.FOLDER) == []
    shutil.rmtree(path / planted.FOLDER)
    folder = space.path / "photographs"
    folder.mkdir()
    with zipfile.ZipFile(space.path / wheel) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        rows = ["image,label"]
        for name in names[:PHOTOGRAPHS]:
            (folder / Path(name).name).write_bytes(archive.read(name))
            rows.append(f"{Path(name).name},{Path(name).stem.split('_')[2]}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return space


def small_study(space: Workspace, name: str, **changes: object) -> Path:
    """Write the config of a study of a small PyTorch model, and the model; return its path."""
    import torch

    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, stride=2), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(4)
    )
    network = torch.nn.Sequential(network, torch.nn.Flatten(), torch.nn.Linear(8 * 16, 10)).eval()
    program = torch.export.export(network, (torch.zeros(1, 3, 64, 64),))
    torch.export.save(program, space.path / "small.pt2")
    mine = yaml.safe_load((ROOT / "config/my-model.yaml").read_text())
    described = mine["models"][0] | {"source": "torch", "file": "small.pt2"}
    routes = {"torch": [[]], "onnx": [["torch_onnx"]]}
    folder = space.path / "small-photographs"  # without their ImageNet labels
    if not folder.exists():
        shutil.copytree(space.path / "photographs", folder, ignore=lambda *_: ["labels.csv"])
    return space.config(
        name,
        models=[described],
        conversions={"torch": routes},
        backends=["native", "O0"],
        tvm_imports={"torch": [[]], "onnx": [[]]},
        devices=mine["devices"],
        images={"folder": folder.name},
        timing={"repeats": 1, "probe_tolerance": 0.15, "contention_tolerance": 0.05},
        **changes,
    )


def verify(space: Workspace, study: str = "results/small") -> subprocess.CompletedProcess:
    """Check a study as `make verify` does."""
    command = [".envs/analysis/bin/python", "scripts/verify.py", study]
    return subprocess.run(command, cwd=space.path, capture_output=True, text=True)


def is_an_input(space: Workspace, config: Path, study: str, name: str) -> None:
    """Change a file of the model in `my-model/`, and back: Snakemake and `verify` notice."""
    path, targets = space.path / "my-model" / name, (f"results/{study}/study.nc",)
    assert space.jobs(config, targets) == {}
    data = path.read_bytes()
    path.write_bytes(data + b"\n# more\n")
    assert space.jobs(config, targets).keys() >= {"export", "infer"}
    said = verify(space, f"results/{study}").stdout
    path.write_bytes(data)
    assert f"it was made from another my-model/{name}. Run again" in said
    assert f"another my-model/{name}" not in verify(space, f"results/{study}").stdout
