"""What a machine does to a study: full disks, folders that can't be written, memory that the
kernel takes back, clocks that jump. It ends in an error or a failed record, and never in another
result.
"""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
import xarray as xr
import yaml

from deltann.dataset import predictions
from helpers.faults import filled, memory, mounted, mounted_again
from helpers.workspace import checkout, small_study, verify

STUDY = "results/small"
CELL = "mine/torch/torch/unconverted/source/pillow/{}/cpu"
NATIVE, O0 = CELL.format("none/runtime/runtime/native"), CELL.format("direct/tvm/rules/O0")
COMPILED = "compiled/mine/torch/onnx/torch_onnx/direct/tvm/rules/O0/cpu.so"
# What each stage's job makes and logs, by rules of which none waits for another.
STAGES = {
    "photographs export": ["photographs.csv*", "models/mine/torch/unconverted.pt2*"],
    "prepare convert aggregate": [
        "inputs/72-64-bilinear/pillow.nc",
        "models/mine/torch/torch_onnx.onnx*",
        "study.nc*",
    ],
    "compile infer tables tune": [
        f"{COMPILED}*",
        f"predictions/{NATIVE}.nc",
        "tables/*",
        "tuned/mine/torch/torch/unconverted/direct/tvm/O0/cpu.tar",
    ],
    "figures summary explorer explain": [
        "figures/latency.*",
        "summary.[jm]*",  # not the page, which is of another rule
        "explorer.html*",
        f"explain/{O0}.html",
    ],
    "summary_page": ["summary.html*", "summary_part.html"],
}


@pytest.fixture(scope="module")
def space(small, tmp_path_factory):
    """The small study, finished, on a file system of its own."""
    made = small[0].copy(tmp_path_factory.mktemp("faults") / "space", studies=True)
    shutil.move(made.path / STUDY, made.path / "whole")
    with mounted(made.path / STUDY, 16):
        shutil.copytree(made.path / "whole", made.path / STUDY, dirs_exist_ok=True)
        yield made


@pytest.fixture(scope="module")
def config(space):
    """Its config without a second try, and the same with the stage that tunes."""
    path = small_study(space, "small")
    content = yaml.safe_load(path.read_text())
    content["limits"]["retries"] = 0
    path.write_text(yaml.safe_dump(content))
    tuned = content | {"schedules": ["rules", "tuned"], "tuning": {"trials": 1}}
    path.with_name("tuned.yaml").write_text(yaml.safe_dump(tuned))
    return path


def restore(space) -> None:
    """The finished study again, with its dates."""
    for path in (space.path / STUDY).iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(space.path / "whole", space.path / STUDY, dirs_exist_ok=True)


def answers(path: Path) -> dict[str, bytes]:
    """The predictions of a study, without what was timed."""
    with xr.open_dataset(path / "study.nc") as dataset:
        names = ("cell", "status", "logits", "label", "probability")
        return {name: dataset[name].values.tobytes() for name in names}


def remove(study: Path, patterns: list[str]) -> tuple[str, ...]:
    """Delete files, and all logs; return a target of each pattern."""
    shutil.rmtree(study / "logs", ignore_errors=True)
    targets = []
    for pattern in patterns:
        found = sorted(study.glob(pattern)) or [study / pattern]
        targets.append(f"{STUDY}/{found[0].relative_to(study)}")
        for path in found:
            path.unlink(missing_ok=True)
    return tuple(targets)


@pytest.mark.parametrize("rules", STAGES)
def test_a_full_disk_stops_every_stage(space, config, rules):
    restore(space)
    study = space.path / STUDY
    targets = remove(study, STAGES[rules])
    if "tune" in rules:
        config = config.with_name("tuned.yaml")
    with filled(study):
        done = space.snakemake(config, "--allowed-rules", *rules.split(), targets=targets)
        made = [name for name in targets if (space.path / name).exists()]
    assert done.returncode != 0
    for rule in rules.split():
        assert f"Error in rule {rule}:" in done.stdout
    assert not made
    assert f"{STUDY}: no space left on the disk: free some and run again" in done.stdout


def test_a_full_disk_stops_the_building_and_the_fetching(tmp_path):
    """Of an environment, and of the photographs; nothing half made is taken for whole."""
    with mounted(tmp_path / "disk", 60) as disk:
        space = checkout(disk)
        environment, target = "results/environments/images.json", "results/images/foolbox-3.3.4.whl"
        config = space.path / "config/config.yaml"
        done = space.snakemake(config, targets=(environment,))
        assert done.returncode != 0 and "Error in rule environment:" in done.stdout
        log = disk / "results/logs/environments/images.log"
        # in the log, or by Snakemake where the log had no room
        assert "no space left" in (done.stdout + log.read_text()).lower()
        assert not (disk / environment).exists()
        subprocess.run(["mount", "-o", "remount,size=600m", str(disk)], check=True)
        space.run(config, targets=(environment,))
        python = disk / ".envs/images/bin/python"
        subprocess.run([python, "-c", "import h5netcdf, pandas, PIL"], check=True)

        with filled(disk, free=300_000):
            done = space.snakemake(config, targets=(target,))
        assert done.returncode != 0 and "Error in rule fetch_images:" in done.stdout
        assert ".: no space left on the disk: free some and run again" in done.stdout
        assert not (disk / target).exists()
        with filled(disk):  # not even Snakemake can write
            assert space.snakemake(config, targets=(target,)).returncode != 0
        space.run(config, targets=(target,))
        with zipfile.ZipFile(disk / target) as archive:
            assert archive.testzip() is None


def test_with_space_again_the_study_is_the_same(space, small):
    restore(space)
    study = space.path / STUDY
    before = answers(study)
    remove(study, ["study.nc*", f"predictions/{NATIVE}.nc"])
    with filled(study):
        assert space.snakemake(small[1]).returncode != 0
    space.run(small[1])
    assert answers(study) == before
    assert verify(space).returncode == 0, verify(space).stdout


def test_a_full_temporary_folder_stops_the_jobs_with_tools(space, config, tmp_path, monkeypatch):
    restore(space)
    study = space.path / STUDY
    made = [f"{COMPILED}*", f"predictions/{NATIVE}.nc"]
    targets = remove(study, made)
    with mounted(tmp_path / "temporary", 1) as folder, filled(folder, free=65536):
        monkeypatch.setenv("TMPDIR", str(folder))
        rules = ("compile", "infer")
        done = space.snakemake(config, "--allowed-rules", *rules, targets=targets)
    for name in targets:
        path = space.path / name
        whole = space.path / "whole" / path.relative_to(study)
        if path.suffix == ".nc" and path.exists():  # the little space may be enough
            assert (predictions.read(path)["logits"] == predictions.read(whole)["logits"]).all()
        else:
            assert not path.exists()
            assert "no space left" in done.stdout.lower()


def test_a_folder_that_cannot_be_written_stops_the_run(space, config):
    """Read-only for root, too: a file system mounted so."""
    restore(space)
    study = space.path / STUDY
    targets = remove(study, ["figures/latency.*"])
    shutil.rmtree(study / "figures")
    with mounted(study / "figures", 1, "ro"):
        done = space.snakemake(config, "--allowed-rules", "figures", targets=targets)
    assert done.returncode != 0
    assert f"Read-only file system: '{targets[0][:-4]}" in done.stdout
    space.run(config, "--allowed-rules", "figures", targets=targets)
    name = "figures/latency.csv"
    assert (study / name).read_bytes() == (space.path / "whole" / name).read_bytes()


@pytest.mark.parametrize("folder", ["results", "."])
def test_a_study_in_a_folder_that_cannot_be_written_is_refused(space, config, folder):
    """Before any work is done."""
    place = str(space.path / folder)
    with mounted_again(place):
        done = space.snakemake(config, "--forceall")
    assert done.returncode != 0
    assert f"{Path(place)}" in done.stdout and "can't be written to" in done.stdout
    assert "Traceback" not in done.stdout and "Building DAG" not in done.stdout


def test_a_cell_that_the_kernel_kills_for_memory_has_failed(space, config, small):
    restore(space)
    study = space.path / STUDY
    before = answers(study)
    target, _ = remove(study, [f"predictions/{NATIVE}.nc", "study.nc*"])
    command = space.command(config, "--allowed-rules", "infer", targets=(target,))
    with memory(300) as group:
        entered = ["sh", "-c", f'echo $$ > "{group}"; exec "$@"', "sh", *command]
        subprocess.run(entered, cwd=space.path, capture_output=True)
    with xr.open_dataset(space.path / target) as dataset:
        assert dataset.status == "failed"
        assert (dataset.failed_stage, dataset.error_type) == ("infer", "SIGKILL")
        assert "logits" not in dataset
    retry = [".envs/analysis/bin/python", "scripts/retry_failed.py", STUDY]
    subprocess.run(retry, cwd=space.path, check=True)
    space.run(small[1])
    assert answers(study) == before


JUMPS = """
import random
import time
from pathlib import Path

Path(__file__).with_name("jumped").touch()
_real = time.time
time.time = lambda: _real() + random.choice((-1e8, 0, 1e8))
"""


def test_a_clock_that_jumps_changes_nothing(space, small, monkeypatch):
    """In every process of a run: three years to and fro at each look at the clock."""
    restore(space)
    study = space.path / STUDY
    before = answers(study)
    remove(study, ["study.nc*", "predictions/**/*.nc"])
    (space.path / "scripts/sitecustomize.py").write_text(JUMPS)
    monkeypatch.setenv("PYTHONPATH", str(space.path / "scripts"))
    space.run(small[1])
    monkeypatch.undo()
    (space.path / "scripts/sitecustomize.py").unlink()
    (space.path / "scripts/jumped").unlink()  # the clock did jump
    assert answers(study) == before
    with xr.open_dataset(study / "study.nc") as dataset:
        assert ((dataset.latency > 0) & (dataset.latency < 60)).all()
    assert verify(space).returncode == 0, verify(space).stdout


def test_files_of_the_future_are_not_made_again(space, small):
    restore(space)
    future = 4e9
    for path in [*(space.path / STUDY).rglob("*"), *(space.path / "small-photographs").iterdir()]:
        os.utime(path, (future, future))
    assert space.jobs(small[1]) == {}
