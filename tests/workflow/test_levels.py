"""What each level does, read from the module that it leaves; and that none changes an answer."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

from helpers.small_torch import SIZE, Branched, pixels

CLASSES = 12
LEVELS = ("O0", "O1", "O2", "O3", "O4")
CALL = re.compile(
    r"(\w+) = R\.call_tir\(cls\.(\w+), \((.*?),?\), out_ty=R\.Tensor\(\((.*?)\), dtype"
)


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(Branched(16, CLASSES), nn.Tanh()).eval()


class Call(NamedTuple):
    """One call of a kernel in `main`: its result's name and shape, and what it reads."""

    result: str
    kernel: str
    reads: tuple[str, ...]
    shape: tuple[int, ...]


class Module(NamedTuple):
    """A module after its graph passes: its TVMScript, and the calls of `main` in their order."""

    text: str
    calls: list[Call]

    @property
    def kernels(self) -> set[str]:
        return {call.kernel for call in self.calls}

    def convolutions(self) -> list[Call]:
        return [call for call in self.calls if "conv2d" in call.kernel]

    def of_constants(self) -> list[Call]:
        """Those that compute what no input changes."""
        return [
            call for call in self.calls if all(name.startswith("metadata") for name in call.reads)
        ]


def read(path: Path) -> Module:
    text = path.read_text()
    calls = [
        Call(result, kernel, tuple(re.findall(r"[\w.\"\[\]]+", reads)), numbers(shape))
        for result, kernel, reads, shape in CALL.findall(text)
    ]
    assert len(calls) == text.count("R.call_tir(")
    return Module(text, calls)


def numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", text)))


@pytest.fixture(scope="module")
def study(workspace, tmp_path_factory):
    """The model at all levels: the modules by level, the dataset, and the model's own logits."""
    space = workspace.copy(tmp_path_factory.mktemp("levels") / "space")
    (space.path / "photographs/labels.csv").unlink()  # they are ImageNet's
    program = torch.export.export(network(), (torch.zeros(1, 3, SIZE, SIZE),))
    torch.export.save(program, space.path / "branched.pt2")
    form = {"size": SIZE, "layout": "NCHW", "channels": "RGB", "mean": [0.5] * 3, "std": [0.5] * 3}
    model = {"name": "branched", "source": "torch", "file": "branched.pt2", "input": form}
    config = space.config(
        "levels",
        models=[model | {"classes": CLASSES}],
        conversions={"torch": {"torch": [[]]}},
        backends=["native", *LEVELS],
        tvm_imports={"torch": [[]]},
        # vectors of four, wherever the test runs
        devices={"cpu": {"target": {"kind": "llvm", "mcpu": "x86-64-v2"}, "native": True}},
    )
    space.run(config)
    folder = space.path / "results/levels"
    stem = folder / "compiled/branched/torch/torch/unconverted/direct/tvm/rules"
    modules = {level: read(stem / level / "cpu.so.tvmscript") for level in LEVELS}
    dataset = xr.load_dataset(folder / "study.nc")
    batches = [pixels(space.path / "photographs" / name)[None] for name in dataset.image.values]
    with torch.no_grad():
        answers = [network()(torch.from_numpy(batch)) for batch in batches]
    return modules, dataset, torch.cat(answers).numpy()


def test_o0_runs_each_operator_by_itself(study):
    module = study[0]["O0"]
    assert not any("fused" in name for name in module.kernels)
    assert len(module.convolutions()) == 3
    assert module.of_constants()  # packs weights, and takes roots of variances, at each inference
    assert sum("relu" in call.kernel for call in module.calls) == 3


def test_o1_fuses_operators_into_kernels(study):
    before, module = study[0]["O0"], study[0]["O1"]
    assert any("fused" in name for name in module.kernels)
    assert len(module.calls) < len(before.calls)
    assert not any(call.kernel.startswith("relu") for call in module.calls)
    assert module.of_constants()


def test_o2_computes_what_no_input_changes(study):
    before, module = study[0]["O1"], study[0]["O2"]
    assert module.of_constants() == []
    assert len(module.calls) < len(before.calls)
    assert len(module.convolutions()) == 3
    # batch norms are there: each of the kernels behind a convolution divides
    assert sum("divide" in name for name in module.kernels) >= 2


def test_o3_folds_batch_norms_combines_convolutions_and_keeps_tensors_packed(study):
    before, module = study[0]["O2"], study[0]["O3"]
    assert len(module.calls) < len(before.calls)
    assert len(module.convolutions()) == 2
    (combined,) = [call for call in module.convolutions() if 48 in lanes(call)]
    assert combined.shape[2:4] == (SIZE // 2, SIZE // 2)
    # no batch norm's division, but that of the mean
    assert not any("divide" in call.kernel for call in module.convolutions())
    # from the convolution to the next, channels stay in the vectors' order
    first, second = module.convolutions()
    assert first.result in second.reads and len(first.shape) == 5 and first.shape[-1] == 4
    packs = [sum("pack" in c.kernel.split("packed_")[0] for c in m.calls) for m in (before, module)]
    assert packs[1] < packs[0]


def lanes(call: Call) -> set[int]:
    """How many channels a packed tensor may have: blocks times vectors."""
    return {call.shape[1] * call.shape[-1]} if len(call.shape) == 5 else set()


def test_o4_approximates(study):
    before, module = study[0]["O3"], study[0]["O4"]
    assert "T.tanh(" in before.text and "T.tanh(" not in module.text
    assert len(module.calls) == len(before.calls)


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_answers_as_the_model_does(study, level):
    _, dataset, expected = study
    assert np.ptp(expected, axis=0).max() > 0.1  # the images are told apart
    cell = dataset.isel(cell=(dataset.backend == level).values).squeeze("cell")
    assert cell.status == "ok", cell.error_message.item()
    assert (cell.label.values[:, 0] == expected.argmax(1)).all()
    np.testing.assert_allclose(cell.logits, expected, atol=1e-4 if level == "O4" else 1e-5)


def test_fast_math_is_a_difference_that_is_shown(study):
    """All else is the same at O3 and O4."""
    _, dataset, _ = study
    exact, fast = (dataset.logits.values[(dataset.backend == name).values] for name in LEVELS[3:])
    assert 0 < abs(exact - fast).max() < 1e-4
