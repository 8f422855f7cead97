"""PyTorch files as users bring them run as in PyTorch, or are refused in one sentence."""

import argparse
import os

import pytest
import torch
from torch import nn

from deltann.errors import StudyError
from deltann.formats import exported_program, torch_kinds, torch_network, torch_weights
from deltann.models import user_model
from deltann.study import file_checks
from helpers.torch_networks import (
    CLASSES,
    SHAPE,
    SIZE,
    Branch,
    Bytes,
    BytesPair,
    Dict,
    Nested,
    Pair,
    Plain,
)

INPUT = {"size": SIZE, "layout": "NCHW", "interpolation": "bilinear", "convention": "raw"}
MINE = {"name": "mine", "source": "torch", "input": INPUT, "classes": CLASSES, "background": 0}


def images(number: int = 3) -> torch.Tensor:
    torch.manual_seed(4)
    return torch.rand(number, *SHAPE) * 4


def traced(path, network, kind=torch.float32):
    torch.jit.trace(network, torch.zeros(SHAPE, dtype=kind), strict=False).save(path)


def scripted(path, network):
    torch.jit.script(network).save(path)


def exported(path, network, kind=torch.float32, batch=1, **how):
    sample = torch.zeros(batch, *SHAPE[1:], dtype=kind)
    torch.export.save(torch.export.export(network, (sample,), **how), path)


ANY_BATCH = {"batch": 4, "dynamic_shapes": ({0: torch.export.Dim("batch")},)}
# what is saved, how, and which output has the classes
FILES = {
    "traced dict": (Dict, traced, {}, "logits"),
    "scripted tuple": (Pair, scripted, {}, 1),
    "scripted branch": (Branch, scripted, {}, "logits"),
    "traced half": (Plain, traced, {"kind": torch.float16}, None),
    "traced double": (Plain, traced, {"kind": torch.float64}, None),
    "exported dict": (Dict, exported, {}, "logits"),
    "exported tuple": (Pair, exported, {}, "1"),
    "exported nested": (Nested, exported, {}, "heads.1"),
    "exported half": (Plain, exported, {"kind": torch.float16}, None),
    "exported bytes": (Bytes, exported, {"kind": torch.uint8}, None),
    "exported bytes of a pair": (BytesPair, exported, {"kind": torch.uint8}, 1),
    "exported dynamic half": (Plain, exported, ANY_BATCH | {"kind": torch.float16}, None),
    "exported dynamic": (Plain, exported, ANY_BATCH, None),
    "exported dynamic tuple": (Pair, exported, ANY_BATCH, 1),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_answers_as_the_network_that_was_saved(tmp_path, case):
    make, save, how, name = FILES[case]
    kind = how.get("kind", torch.float32)
    network = make().eval()
    if kind.is_floating_point:
        network = network.to(kind)
    # the kind of the file counts, not its suffix
    save(path := tmp_path / "model.pt", network, **how)
    torch_kinds.check_model(path, SHAPE)
    described = MINE | ({} if name is None else {"output_name": name})
    outputs = [tmp_path / "a.pt2", tmp_path / "b.pt2"]
    for output in outputs:
        torch_network.save_file(path, SHAPE, described, output)
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    program = exported_program.load(outputs[0])
    assert exported_program.input_shape(program) == SHAPE
    assert exported_program.input_dtype(program) == str(kind).removeprefix("torch.")
    for image in images():
        image = image.to(kind)
        logits = network.logits(image)
        if make is Branch and logits.mean() > 0:
            logits = logits * 2
        given = program.module()(image)
        torch.testing.assert_close(given, logits, atol=1e-6, rtol=0)


def test_a_plain_exported_program_is_copied(tmp_path):
    exported(tmp_path / "model.pt2", Plain().eval())
    torch_network.save_file(tmp_path / "model.pt2", SHAPE, MINE, tmp_path / "a.pt2")
    assert (tmp_path / "a.pt2").read_bytes() == (tmp_path / "model.pt2").read_bytes()


@pytest.mark.parametrize("save", [traced, exported])
def test_an_output_with_axes_of_one_becomes_a_row(tmp_path, save):
    """As of a model that ends in a convolution: (1, N, 1, 1)."""
    network = torch.nn.Sequential(Plain(), torch.nn.Unflatten(1, (-1, 1, 1))).eval()
    save(path := tmp_path / "model.pt", network)
    torch_network.save_file(path, SHAPE, MINE, tmp_path / "model.pt2")
    loaded = exported_program.load(tmp_path / "model.pt2").module()
    image = torch.rand(SHAPE)
    assert network(image).shape == (1, 10, 1, 1)
    torch.testing.assert_close(loaded(image), network(image).flatten(1), atol=1e-6, rtol=0)


@pytest.mark.parametrize("save", [traced, exported])
def test_several_outputs_are_listed_unless_one_is_named(tmp_path, save):
    save(path := tmp_path / "model.pt", Dict().eval())
    listed = "'features' (1 × 8 × 16 × 16), 'logits' (1 × 10)"
    with pytest.raises(ValueError) as raised:
        torch_network.save_file(path, SHAPE, MINE, tmp_path / "out.pt2")
    assert str(raised.value) == (
        f"config key models.mine.output_name is missing, and the model has 2 outputs: {listed};"
        " expected the name of the one that has a value for each class"
    )
    with pytest.raises(ValueError) as raised:
        torch_network.save_file(path, SHAPE, MINE | {"output_name": "logit"}, tmp_path / "out.pt2")
    assert str(raised.value) == (
        "config key models.mine.output_name: the model has no output 'logit'; expected one of its"
        f" 2 outputs: {listed}; did you mean 'logits'?"
    )


def test_a_fixed_batch_and_another_size_say_what_to_do(tmp_path):
    exported(tmp_path / "batch.pt2", Plain().eval(), batch=4)
    with pytest.raises(ValueError) as raised:
        torch_network.save_file(tmp_path / "batch.pt2", SHAPE, MINE, tmp_path / "out.pt2")
    assert str(raised.value) == (
        "the model mine takes 4 × 3 × 32 × 32; declared: size 32, layout NCHW, so 1 × 3 × 32 × 32;"
        " export it with one image, or with a dynamic batch"
    )
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, CLASSES)).eval()
    torch.jit.script(flat).save(tmp_path / "flat.pt")
    with pytest.raises(ValueError, match="is its size as declared") as raised:
        torch_network.save_file(tmp_path / "flat.pt", SHAPE, MINE, tmp_path / "out.pt2")
    assert "mat1 and mat2 shapes cannot be multiplied" in str(raised.value)


PICKLES = {
    "module": Plain,
    "torch's own": lambda: nn.Linear(2, 2),
    "beside others": lambda: {"net": Plain().state_dict(), "options": argparse.Namespace(lr=1)},
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("case", PICKLES)
def test_a_pickle_is_refused_before_any_job(tmp_path, case, zipped):
    path = tmp_path / "model.pt"
    torch.save(PICKLES[case](), path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(StudyError) as raised:
        user_model.check_file(MINE | {"file": str(path)})
    name = {"module": "helpers.torch_networks.Plain", "torch's own": "Linear"}.get(
        case, "argparse.Namespace"
    )
    message = str(raised.value)
    assert message.startswith(
        f"config key models.mine.file: {str(path)!r}: it is a pickle of Python"
    )
    assert name in message and "torch.export.save(torch.export.export(model.eval()" in message
    with pytest.raises(StudyError, match=r"weights.torch: .* torch.save\(model.state_dict\(\)"):
        check_weights(path)


class Evil:
    """Its pickle makes a folder when it is opened."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_pickle_is_not_opened(tmp_path):
    torch.save({"last.bias": Evil(tmp_path / "pwned")}, path := tmp_path / "net.pth")
    with pytest.raises(StudyError, match=r"weights.torch: .*net.pth': it is a pickle .*mkdir\)"):
        check_weights(path)
    with pytest.raises(ValueError, match=r"net.pth': it is a pickle of Python objects .*mkdir\)"):
        torch_weights.load(Plain(), path)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_weights_without_code_are_refused_before_any_job(tmp_path, zipped):
    path = tmp_path / "model.pt"
    torch.save({"net": Plain().state_dict()}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(StudyError) as raised:
        user_model.check_file(MINE | {"file": str(path)})
    assert "it has only weights; expected, in place of file, code:" in str(raised.value)
    check_weights(path)
    scripted(path, Plain())
    with pytest.raises(StudyError, match=r"it is a whole model \(TorchScript\)"):
        check_weights(path)
    path.write_bytes(b"no model")
    with pytest.raises(StudyError, match="expected a file by torch.export.save, torch.jit.save"):
        user_model.check_file(MINE | {"file": str(path)})


def check_weights(path):
    """Check a file of weights as a run does before any job."""
    model = {"name": "mobilenet_v2", "weights": {"torch": str(path)}, "sources": ["torch"]}
    config = {"models": [model], "conversions": {"torch": {}}, "weights": "pretrained"}
    file_checks.check_models(config)
