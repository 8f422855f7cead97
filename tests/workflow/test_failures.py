"""Converters that raise, segfault, hang and eat memory: results of the study, not its end."""

import json
import subprocess

import pandas as pd
import pytest
import xarray as xr

HEAD = '''"""A converter that misbehaves."""

SOURCE = "torch"
TARGET = "{target}"
ENVIRONMENT = "onnx"


def convert(source, target):
    """Misbehave."""
'''
BODIES = {
    "raises": ("onnx", "    raise RuntimeError('unsupported operator: <b>Swish')\n"),
    "segfaults": ("tensorflow", "    import ctypes\n\n    ctypes.string_at(0)\n"),
    "hangs": ("keras", "    import time\n\n    time.sleep(1000)\n"),
    "eats": (
        "tflite",
        "    import time\n\n    held = []\n    while True:\n"
        "        held.append(bytearray(b'1' * 10_000_000))\n        time.sleep(0.005)\n",
    ),
}
EXPECTED = {
    "onnx": "RuntimeError",
    "tensorflow": "SIGSEGV",
    "keras": "TimeLimit",
    "tflite": "MemoryLimit",
}


def install(space, bodies: dict[str, tuple[str, str]]) -> None:
    """Add converters to a workspace, each as one module, as any converter is added."""
    for name, (target, body) in bodies.items():
        path = space.path / f"scripts/deltann/converters/{name}.py"
        path.write_text(HEAD.format(target=target) + body)


@pytest.fixture(scope="module")
def failed(workspace, tmp_path_factory):
    """A study in which every conversion fails in a way of its own."""
    space = workspace.copy(tmp_path_factory.mktemp("failures") / "space")
    install(space, BODIES)
    routes = {"torch": []} | {target: [name] for name, (target, _) in BODIES.items()}
    limit = {"seconds": 300, "memory_mb": 8000}
    config = space.config(
        "failing",
        conversions={"torch": {target: [route] for target, route in routes.items()}},
        backends=["native", "O0"],
        devices={"cpu": {"target": {"kind": "llvm", "mcpu": "host"}, "native": True}},
        tvm_imports={target: [[]] for target in ("torch", "onnx", "tflite")}
        | {"tensorflow": [["tf2onnx"]], "keras": [["keras_onnx"]]},
        timing={"repeats": 1, "probe_tolerance": 0.15, "contention_tolerance": 0.05},
        limits={stage: limit for stage in ("export", "compile", "infer")}
        | {"convert": {"seconds": 6, "memory_mb": 600}, "retries": 1},
    )
    return space, config, space.run(config)


def test_the_study_finishes_and_says_why(failed):
    space, _, _ = failed
    with xr.open_dataset(space.path / "results/failing/study.nc") as dataset:
        assert dataset.sizes["cell"] == 10
        for index in range(10):
            cell = dataset.isel(cell=index)
            target = cell.target.item()
            if target == "torch":
                assert cell.status.item() == "ok"
                continue
            assert cell.status.item() == "failed"
            assert cell.failed_stage.item() == "convert"
            assert cell.error_type.item() == EXPECTED[target]
            assert cell.error_message.item()
    summary = (space.path / "results/failing/summary.md").read_text()
    page = (space.path / "results/failing/summary.html").read_text()
    for error in EXPECTED.values():
        assert error in summary and error in page
    assert "unsupported operator: <b>Swish" in summary
    assert "unsupported operator: &lt;b&gt;Swish" in page


def test_records_keep_message_and_traceback(failed):
    space, _, _ = failed
    path = space.path / "results/failing/models/efficientnet_lite0/torch/raises.onnx.json"
    record = json.loads(path.read_text())
    assert record["error"]["message"] == "unsupported operator: <b>Swish"
    assert "converters/raises.py" in record["error"]["traceback"]


def test_a_hang_is_tried_again_first(failed):
    _, _, output = failed
    assert "Trying to restart" in output
    assert output.count("Converting efficientnet_lite0 from torch by hangs") >= 2
    assert output.count("Converting efficientnet_lite0 from torch by raises") == 1


def test_figures_mark_what_failed(failed):
    space, _, _ = failed
    drawn = pd.read_csv(space.path / "results/failing/figures/conversions.csv")
    lost = drawn[drawn.status == "failed"]
    assert set(lost.target) == set(EXPECTED)
    assert set(lost.failed_stage) == {"convert"}
    for suffix in ("pdf", "png"):
        assert (space.path / f"results/failing/figures/conversions.{suffix}").stat().st_size > 1000


def test_nothing_is_left_to_do(failed):
    space, config, _ = failed
    assert space.jobs(config) == {}


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("typo", "    undefined_name\n", "NameError"),
        (
            "rewrite",
            "    from deltann.ours import ours\n\n"
            "    with ours('the rewrite'):\n        raise ValueError('broken')\n",
            "a fault of this project, not of a tool",
        ),
        (
            "full",
            "    with open('/dev/full', 'wb') as disk:\n        disk.write(b'1')\n",
            "No space",
        ),
    ],
)
def test_a_fault_of_ours_stops_the_job(failed, name, body, said):
    space, _, _ = failed
    install(space, {name: ("onnx", body)})
    config = space.config(
        f"ours-{name}",
        conversions={"torch": {"onnx": [[name]]}},
        backends=["native"],
        limits={
            stage: {"seconds": 300, "memory_mb": 8000}
            for stage in ("export", "convert", "compile", "infer")
        }
        | {"retries": 0},
    )
    done = space.snakemake(config)
    assert done.returncode != 0
    results = space.path / f"results/ours-{name}"
    assert not list((results / "models").rglob(f"{name}.onnx*"))
    assert not (results / "study.nc").exists()
    log = results / f"logs/convert/efficientnet_lite0/torch/{name}.onnx.log"
    assert said in log.read_text().splitlines()[-1]


def test_retry_failed(failed, tmp_path):
    space, config, _ = failed
    space = space.copy(tmp_path / "again", studies=True)
    command = [".envs/analysis/bin/python", "scripts/retry_failed.py", "results/failing"]
    done = subprocess.run(command, cwd=space.path, capture_output=True, text=True)
    assert done.returncode == 0
    assert "models/efficientnet_lite0/torch/raises.onnx.json" in done.stdout
    jobs = space.jobs(config)
    assert jobs["convert"] == 4 + 2  # and the two edges into TVM behind them
    assert jobs["infer"] == 8
    assert jobs["aggregate"] == jobs["summary"] == 1
    assert "export" not in jobs
