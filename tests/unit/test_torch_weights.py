"""Weights in state dicts and checkpoints, with and without prefixes."""

import pytest
import torch
from torch import nn

from deltann.formats import torch_kinds, torch_weights
from helpers.torch_networks import CLASSES, Plain


def prefixed(prefix):
    return {f"{prefix}{name}": value for name, value in Plain().state_dict().items()}


CHECKPOINTS = {
    "state dict": lambda: Plain().state_dict(),
    "net": lambda: {"net": Plain().state_dict(), "epoch": 3, "acc": 0.5},
    "module.": lambda: prefixed("module."),
    "both": lambda: {"state_dict": prefixed("model.module."), "best": torch.tensor(1.0)},
    "half": lambda: Plain().half().state_dict(),
    "optimizer": lambda: {"model": Plain().state_dict(), "optimizer": optimizer()},
    "old": lambda: {"run": {"ema": prefixed("_orig_mod.")}},
}


def optimizer() -> dict:
    made = torch.optim.Adam(Plain().parameters())
    for parameter in made.param_groups[0]["params"]:
        parameter.grad = torch.ones_like(parameter)
    made.step()
    return made.state_dict()


@pytest.mark.parametrize("case", CHECKPOINTS)
def test_weights_are_found_in_a_checkpoint(tmp_path, case):
    torch.save(CHECKPOINTS[case](), path := tmp_path / "net.pth")
    torch_kinds.check_weights(path)
    network = Plain()
    nn.init.zeros_(network.last.weight)
    torch_weights.load(network, path)
    for name, value in Plain().state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], value, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            lambda: {"net": prefixed("module.") | {"module.more": torch.ones(1)}},
            "1 aren't the network's, as 'more'; expected the weights of the network that the code",
        ),
        (lambda: {"last.bias": torch.ones(CLASSES)}, "3 of the network's weights are missing, as"),
        (
            lambda: Plain().state_dict() | {"last.bias": torch.ones(7)},
            "'last.bias' is 7, the network's is 10",
        ),
        (
            lambda: {"model": Plain().state_dict(), "ema": Plain().state_dict()},
            "'model' and 'ema' both have weights for the network; expected one",
        ),
        (lambda: {"epoch": 3}, "it has no weights; expected a state dict, or a checkpoint"),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path, content, said):
    torch.save(content(), path := tmp_path / "net.pth")
    with pytest.raises(ValueError) as raised:
        torch_weights.load(Plain(), path)
    assert str(raised.value).startswith(repr(str(path))) and said in str(raised.value)
