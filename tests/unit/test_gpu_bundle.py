"""benchmarks/gpu: its parts arrive whole or are refused, and its tables say what was measured."""

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from deltann import metrics
from helpers.workspace import ROOT

FOLDER = ROOT / "benchmarks" / "gpu"
PART_BYTES = 150_000
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def bundle(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("bundle")


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("tables")


def written(folder: Path, bundle, contents: dict[str, bytes]) -> Path:
    """A bundle of small parts."""
    files = {}
    for number, (name, content) in enumerate(contents.items()):
        files[name] = folder / f"file-{number}"
        files[name].write_bytes(content)
    output = folder / "bundle"
    output.mkdir()
    bundle.write(output, files, PART_BYTES)
    return output


def weights(count: int, seed: int = 0) -> bytes:
    """Numbers that can't be compressed, as a model's weights."""
    return np.random.default_rng(seed).bytes(count)


def unpacked(bundle, folder: Path, output: Path) -> dict[str, bytes]:
    manifest = bundle.read(folder)
    bundle.unpack(folder, manifest, manifest["files"], output)
    return {name: (output / name).read_bytes() for name in manifest["files"]}


def test_files_come_back_and_shared_weights_are_stored_once(bundle, tmp_path) -> None:
    shared = weights(400_000)
    contents = {
        "models/a.so": b"code" * 9 + shared + b"end",
        "models/b.so": b"other code" + shared,  # elsewhere in the file
        "empty": b"",
        "zeros": bytes(3_000_000),
    }
    folder = written(tmp_path, bundle, contents)

    assert unpacked(bundle, folder, tmp_path / "out") == contents
    sizes = [path.stat().st_size for path in folder.glob("part-*")]
    assert len(sizes) > 3 and max(sizes) <= PART_BYTES
    assert 400_000 < sum(sizes) < 550_000


def test_a_flipped_byte_and_a_missing_part_are_refused(bundle, tmp_path) -> None:
    folder = written(tmp_path, bundle, {"a": weights(350_000)})
    second = folder / "part-001"
    content = bytearray(second.read_bytes())
    content[777] ^= 1
    second.write_bytes(content)
    with pytest.raises(bundle.Damaged, match=r"part-001: checksum mismatch.*copy it here again"):
        unpacked(bundle, folder, tmp_path / "out")
    second.unlink()
    with pytest.raises(bundle.Damaged, match="part-001 is missing; copy it here"):
        unpacked(bundle, folder, tmp_path / "out")
    (folder / bundle.MANIFEST).unlink()
    with pytest.raises(bundle.Damaged, match=r"manifest\.json is missing"):
        bundle.read(folder)


def test_a_damaged_file_is_put_together_again(bundle, tmp_path) -> None:
    contents = {"a": weights(50_000)}
    folder, output = written(tmp_path, bundle, contents), tmp_path / "out"
    unpacked(bundle, folder, output)
    (output / "a").write_bytes(b"half")
    assert unpacked(bundle, folder, output) == contents


def test_a_model_whose_parts_were_not_copied_is_left_out(bundle, tmp_path, capsys) -> None:
    contents = {
        "common/race.py": b"race",
        f"site/{HERE}/tvm.py": b"tvm",
        "models/one/O0.so": weights(120_000, 1),
        "models/two/O0.so": weights(300_000, 2),
        "dry/one/O0.so": weights(300_000, 3),
    }
    folder = written(tmp_path, bundle, contents)
    sorted(folder.glob("part-*"))[-1].unlink()  # of the dry mode
    manifest = bundle.read(folder)
    lost = bundle.missing_parts(folder, manifest, ["dry/one/O0.so"])
    assert lost and not bundle.missing_parts(folder, manifest, ["models/one/O0.so"])

    options = argparse.Namespace(bundle=folder, output=tmp_path / "gpu", dry=False)
    bundle.main(options)
    options = argparse.Namespace(bundle=folder, output=tmp_path / "dry", dry=True)
    bundle.main(options)

    assert capsys.readouterr().out == f"one is left out: {lost[0]} weren't copied\n"
    assert (tmp_path / "gpu/models/one/O0.so").read_bytes() == contents["models/one/O0.so"]
    assert not (tmp_path / "gpu/dry").exists()
    assert (tmp_path / "dry/models/two/O0.so").is_file()
    assert not (tmp_path / "dry/models/one").exists()


def test_another_python_is_named(bundle, tmp_path) -> None:
    folder = written(tmp_path, bundle, {"common/a": b"a", "site/3.1/tvm.py": b"tvm"})
    options = argparse.Namespace(bundle=folder, output=tmp_path / "out", dry=False)
    with pytest.raises(bundle.Damaged, match=rf"this is Python {HERE}, .* are for 3\.1;"):
        bundle.main(options)


def test_a_python_without_pytorch_is_refused(tmp_path) -> None:
    bare = tmp_path / "a python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')  # without its packages
    bare.chmod(0o755)
    done = subprocess.run(
        ["sh", FOLDER / "run.sh"],
        env=os.environ | {"PYTHON": str(bare)},
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "expected torch: PYTHON=/path/to/python sh run.sh" in done.stderr


class Turns:
    """A contestant that takes turns, and then fails."""

    def __init__(self, turns: int, failure: Exception):
        self.turns, self.failure = turns, failure

    def turn(self, number: int, deadline: float) -> list[float]:
        self.turns -= 1
        if self.turns < 0:
            raise self.failure
        return [0.1] * number


def test_one_that_crashes_is_a_row_and_the_clock_takes_no_rounds(monkeypatch) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    race = importlib.import_module("race")
    field = {
        "crashes": Turns(1, race.Failed("SIGSEGV: no message")),
        "runs": Turns(4, race.TimedOut("no answer within 9 s")),
    }
    found = {name: {"seconds": []} for name in field} | {"never": {"failed": "no GPU"}}
    field["never"] = None
    race.time_rounds(field, found, deadline=time.monotonic() + 100)
    # of four turns the first is no round; a turn lasts 0.2 s
    assert found["runs"]["seconds"] == [[0.1, 0.1]] * 3
    assert found["crashes"] == {"failed": "while it was timed: SIGSEGV: no message"}
    assert found["never"] == {"failed": "no GPU"}


def test_the_message_of_one_that_crashed_is_its_exceptions_first_line(
    monkeypatch, tmp_path
) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    race = importlib.import_module("race")
    raising = "raise ValueError('no such kernel\\n\\n2 errors')"
    for code, message in (
        (raising, "ValueError: no such kernel"),
        ("import os; os.abort()", "SIGABRT: no message"),
    ):
        one = race.Contestant([sys.executable, "-c", code], dict(os.environ), tmp_path / "one.npy")
        with pytest.raises(race.Failed) as failure:
            one.answer(time.monotonic() + 20)
        assert str(failure.value) == message


def test_answers_are_compared_as_the_study_does(tables) -> None:
    draw = np.random.default_rng(0)
    expected = draw.normal(size=(7, 10)).astype(np.float32)
    logits = expected + draw.normal(scale=0.01, size=expected.shape).astype(np.float32)
    logits[2, expected[2].argmin()] = 99  # another label
    found = tables.compare(logits, expected)
    relative = metrics.logit_difference(expected, logits).relative
    assert found["difference"] == pytest.approx(relative.max(), rel=1e-5)
    changed = metrics.top1_differs(expected.argmax(1), logits.argmax(1)).sum()
    assert (found["images"], found["labels_changed"]) == (7, changed)
    with pytest.raises(ValueError, match="isn't finite"):
        tables.compare(logits * np.float32(np.nan), expected)
    with pytest.raises(ValueError, match=r"logits are \(7, 9\); expected \(7, 10\)"):
        tables.compare(logits[:, 1:], expected)


def test_a_ratio_is_that_of_paired_rounds(tables) -> None:
    """An interval by ranks, of the published table: 20 values, the 6th and the 15th."""
    before = [[1.0], [2.0]] * 10  # a machine that is twice as slow now and then
    after = [[share * seconds[0]] for share, seconds in zip(range(1, 21), before, strict=True)]
    assert tables.ratio(before, after) == (10.5, 6, 15)
    assert tables.ratio(before[:6], after) == (3.5, 1, 6)
    middle, low, high = tables.ratio(before[:5], after)
    assert middle == 3 and np.isnan([low, high]).all()


def test_a_table_has_a_row_for_each_contestant(tables) -> None:
    answers = {"images": 20, "labels_changed": 1, "difference": 0.02}
    ran = {"answers": answers, "loading_seconds": 3.2, "operators": None}
    results = {
        "dry": True,
        "machine": dict.fromkeys(("processor", "threads", "system", "python"), "x")
        | {"gpu": "H100, 580", "cuda": "13", "cudnn": 9},
        "models": {
            "net": {
                tables.REFERENCE: ran
                | {"seconds": [[0.002]] * 6, "answers": answers | {"difference": 0}},
                "TVM O4": ran
                | {"seconds": [[0.001]] * 6, "gpu_code": "12 kernels", "same_as": "TVM O2"},
                "PyTorch, TF32": ran
                | {"seconds": [], "operators": {"tf32": 9}, "versions": {"torch": "2"}},
                "ONNX Runtime": {"failed": "ModuleNotFoundError: onnxruntime"},
            }
        },
        "not_run": ["resnet101"],
    }
    text = tables.markdown(json.loads(json.dumps(results)))
    assert text.startswith(tables.DRY) and "GPU: H100, 580" in text
    assert "| TVM O4 | 1 of 20 | 2 % | 1.00 | 0.50 | 0.50 to 0.50 | 3 |" in text
    assert "| ONNX Runtime | failed |" in text
    assert "- ONNX Runtime failed: ModuleNotFoundError: onnxruntime" in text
    assert "largest logit): TVM O4; PyTorch, TF32." in text and "- 0 or 6 rounds." in text
    assert "- TVM O4: code for GPUs: 12 kernels." in text and "that of TVM O2 to the byte" in text
    assert "- PyTorch, TF32: convolutions and matrix products computed 9 in tf32." in text
    assert "cuDNN 9; torch 2." in text
    assert "Not run, the time was up: resnet101." in text
