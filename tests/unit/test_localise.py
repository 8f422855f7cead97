"""Faults that are planted in a model of numpy are located, and what differs is named."""

from collections.abc import Sequence

import numpy as np
import pytest

from deltann.edits import SetAttribute, SetParameter
from deltann.localise import localise as localise_module
from deltann.localise.finding import Family, Localisation, Outcome, Verdict
from deltann.localise.localise import localise
from deltann.localise.parameters import differ
from deltann.steps import Operator
from helpers import numpy_model
from helpers.numpy_model import NumpyTracer, changed, network, renamed, without

IMAGES = np.random.default_rng(7).standard_normal((2, *NumpyTracer.input_shape))


def located(source: Sequence[Operator], target: Sequence[Operator]) -> Localisation:
    return localise(NumpyTracer(source), NumpyTracer(renamed(target)), IMAGES)


def parameters(name: str) -> dict[str, np.ndarray]:
    return next(item for item in network() if item.name == name).parameters


def one_fault(target: Sequence[Operator]):
    found = located(network(), target)
    assert found.outcome == Outcome.FOUND
    (fault,) = found.faults
    assert fault.verdict == Verdict.LOCATED
    return fault


def test_a_clean_conversion_raises_no_alarm():
    found = located(network(), network())
    assert (found.outcome, found.faults, found.difference) == (Outcome.SAME, (), 0.0)
    assert found.matched == found.compared == 9


def test_images_may_have_their_channels_last():
    last = np.ascontiguousarray(IMAGES.transpose(0, 1, 3, 4, 2))
    target = NumpyTracer(changed(network(), "norm1", attributes={"epsilon": 1e-1}))
    one, other = (localise(NumpyTracer(network()), target, item) for item in (last, IMAGES))
    assert one.difference == other.difference > 0
    assert [item.ranked for item in one.faults] == [item.ranked for item in other.faults]


def test_a_folded_batch_norm_is_no_fault():
    norm, conv = parameters("norm1"), parameters("conv1")
    factor = norm["scale"] / np.sqrt(norm["variance"] + 1e-3)
    folded = {
        "weight": conv["weight"] * factor[:, None, None, None],
        "bias": (conv["bias"] - norm["mean"]) * factor + norm["shift"],
    }
    target = without(changed(network(), "conv1", parameters=folded), "norm1")
    assert located(network(), target).outcome == Outcome.SAME


def test_a_wrong_epsilon_is_named_with_both_values_and_its_repair():
    fault = one_fault(changed(network(), "norm1", attributes={"epsilon": 1e-1}))
    assert fault.ranked[0] == "norm1"
    (difference,) = fault.differences
    assert difference.what == "batch_norm's epsilon is 0.1, not 0.001"
    assert difference.family == Family.ATTRIBUTES
    assert difference.edits == (SetAttribute("norm1", "epsilon", 1e-3),)


@pytest.mark.parametrize("name", ["conv1", "conv2", "dense"])
def test_a_missing_bias_is_named_at_every_depth(name):
    kept = {"weight": parameters(name)["weight"]}
    fault = one_fault(changed(network(), name, parameters=kept))
    assert fault.ranked[0] == name
    (difference,) = fault.differences
    assert difference.what.endswith("bias is missing")
    (edit,) = difference.edits
    assert isinstance(edit, SetParameter)
    np.testing.assert_array_equal(edit.value, parameters(name)["bias"])


def test_an_activation_without_its_bound_is_named():
    bigger = parameters("conv2") | {"bias": parameters("conv2")["bias"] + 6}
    source = changed(network(), "conv2", parameters=bigger)
    target = changed(source, "relu2", attributes={"min": 0, "max": None})
    (fault,) = located(source, target).faults
    assert fault.ranked[0] == "relu2"
    assert fault.differences[0].family == Family.ACTIVATION
    assert fault.differences[0].what == "clip's max is none, not 6"


def test_another_activation_is_named():
    target = changed(network(), "relu1", kind="leaky_relu", attributes={"slope": 0.3})
    fault = one_fault(target)
    assert fault.ranked[0] == "relu1"
    assert fault.differences[0].what.startswith("leaky_relu (slope 0.3) stands in place of clip")


def test_a_missing_activation_is_named():
    fault = one_fault(without(network(), "relu1"))
    assert "is missing" in fault.differences[0].what
    assert fault.differences[0].source_operator == "relu1"


def test_a_dropped_residual_is_named():
    fault = one_fault(without(network(), "add"))
    assert fault.differences[0].family == Family.GRAPH
    assert fault.differences[0].source_operator == "add"


def test_a_missing_last_operator_is_named():
    """The target's output is the equal of a tensor inside of the source."""
    last = Operator("last", "Clip", "clip", ("scores",), ("logits",), {"min": 0, "max": None})
    source = [*changed(network(), "dense", outputs=("scores",)), last]
    found = located(source, network())
    (fault,) = found.faults
    assert found.outcome == Outcome.FOUND
    assert fault.ranked[0] == "dense"
    assert fault.differences[0].source_operator == "last"
    assert "is missing behind dense" in fault.differences[0].what


def test_two_faults_are_found_one_after_the_other():
    target = changed(network(), "norm1", attributes={"epsilon": 1e-1})
    target = changed(target, "dense", parameters={"weight": parameters("dense")["weight"]})
    found = located(network(), target)
    assert [fault.ranked[0] for fault in found.faults] == ["norm1", "dense"]
    assert found.outcome == Outcome.FOUND


def test_models_without_anything_in_common_get_no_located_fault_inside():
    """Every operator is another one: no single one is blamed for it."""
    found = located(network(), numpy_model.network(seed=1))
    assert found.matched == 1  # the input
    assert len(found.faults) != 1


SOURCE = np.random.default_rng(3).standard_normal((6, 6))


@pytest.mark.parametrize(
    "target, text",
    [
        (SOURCE.T, "is transposed"),
        (SOURCE * 2, "is multiplied by 2"),
        (SOURCE[[0, 2, 1, 3, 4, 5]], "has the output channels 1 and 2 swapped"),
        (SOURCE[:, [1, 2, 0, 3, 4, 5]], "has 3 of 6 input channels in another order"),
        (SOURCE.astype(np.float16).astype(float), "is rounded to float16"),
        (SOURCE * np.arange(1, 7)[:, None], "each output channel multiplied by another number"),
        (SOURCE + np.eye(6), "differs in 6 of 36 numbers"),
        (None, "is missing"),
    ],
)
def test_a_difference_of_parameters_in_words(target, text):
    words = differ(SOURCE, target)
    assert words is not None and text in words.text


def test_rounding_is_no_difference_of_parameters():
    assert differ(SOURCE, SOURCE * (1 + 1e-7)) is None


def test_a_difference_without_an_operator_at_fault_is_no_partial_answer():
    found = localise_module._ended([], "a part is left", 1.0, 0.1, (3, 4), Outcome.PARTLY)
    assert found.outcome == Outcome.ABSTAINED
    assert found.why == "no operator adds more than rounding by itself"
