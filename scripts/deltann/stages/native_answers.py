"""What an exported model answers in its own runtime: finite numbers, logits or probabilities."""

import importlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from deltann.dataset.prediction_schema import LOGITS, PROBABILITIES
from deltann.images.normalise import layout, normalise
from deltann.images.preprocessing import Preprocessing

# Probabilities add up to 1 within so much, and what each may have lost by quantization.
SUM_TOLERANCE = 0.05


def describe(source: str, path: Path, preprocessing: Preprocessing, declared: str | None) -> dict:
    """Run an exported model on made images, and say what its outputs are.

    Args:
        source: the framework, which is also the name of its runner.
        path: the exported file.
        preprocessing: the model's.
        declared: `logits` or `probabilities` if the config says so.

    Returns:
        `output`, `logits` or `probabilities`: what is declared, else what the values are; and
        `output_warning`, empty unless the values contradict the declaration.

    Raises:
        ValueError: an answer isn't finite, or the model takes or gives other shapes than declared.
    """
    # in a new process: a runner sets threads, which works only before a framework computes
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        answers, step = pool.submit(run, source, path, preprocessing).result()
    check_finite(answers)
    return outputs(answers, declared, step)


def outputs(answers: dict[str, np.ndarray], declared: str | None, step: float = 0.0) -> dict:
    """What the outputs are, and whether the values contradict the declaration: see `describe`.

    Args:
        answers: outputs by the image's description.
        declared: `logits`, `probabilities` or None.
        step: the difference of two neighbouring values of a quantized output, 0 for others.
    """
    seen = kind(answers, step)
    found = {"output": declared or seen, "output_warning": ""}
    if declared and declared != seen:
        found["output_warning"] = contradiction(declared, answers, step)
        print(f"WARNING: {found['output_warning']}", flush=True)
    return found


def made_images(height: int, width: int) -> dict[str, np.ndarray]:
    """Images by what they show, uint8 (height, width, 3), always the same."""
    random, shape = np.random.default_rng(0), (height, width, 3)
    blocks = random.integers(0, 256, (-(-height // 8), -(-width // 8), 3), np.uint8)
    return {
        "a black image": np.zeros(shape, np.uint8),
        "a white image": np.full(shape, 255, np.uint8),
        "an image of noise": random.integers(0, 256, shape, np.uint8),
        "an image of coloured blocks": blocks.repeat(8, 0).repeat(8, 1)[:height, :width],
    }


def run(
    source: str, path: Path, preprocessing: Preprocessing
) -> tuple[dict[str, np.ndarray], float]:
    """The model's outputs for each of `made_images`, (background and classes,), and their `step`.

    Raises:
        ValueError: the model takes or gives other shapes than declared.
    """
    runner = importlib.import_module(f"deltann.runners.{source}")
    answers = {}
    with runner.Runner(path, threads=1) as loaded:
        order = layout(loaded.input_shape, preprocessing)
        for name, pixels in made_images(*preprocessing.crop).items():
            output = np.asarray(loaded.infer(normalise(pixels, preprocessing, order)))
            preprocessing.check_output(output.shape)
            answers[name] = output[0].copy()
        return answers, loaded.output_type.scale or 0.0


def check_finite(answers: dict[str, np.ndarray]) -> None:
    """Check that every output is a finite number.

    Args:
        answers: outputs by the image's description.

    Raises:
        ValueError: saying for how many images they aren't, and which output is the first.
    """
    bad = {name: output for name, output in answers.items() if not np.isfinite(output).all()}
    if not bad:
        return
    name, output = next(iter(bad.items()))
    first = int(np.flatnonzero(~np.isfinite(output))[0])
    what = "NaN" if np.isnan(output[first]) else "infinity"
    raise ValueError(
        f"in its own runtime the model answers {what} for {len(bad)} of {len(answers)} test images;"
        f" the first bad output is number {first} of {len(output)}, for {name}. Expected finite"
        " numbers: look for NaN or infinity in the weights, and for mean and std that don't fit"
    )


def kind(answers: dict[str, np.ndarray], step: float = 0.0) -> str:
    """`probabilities` if the outputs for every image aren't negative and add up to 1."""
    seen = all(_is_distribution(output, step) for output in answers.values())
    return PROBABILITIES if seen else LOGITS


def contradiction(declared: str, answers: dict[str, np.ndarray], step: float = 0.0) -> str:
    """A sentence that says how the outputs contradict what is declared."""
    if declared == LOGITS:
        return (
            "output: logits is declared, but for each test image the outputs aren't negative and"
            " add up to 1, as probabilities do; if they are, declare output: probabilities"
        )
    name, output = next(item for item in answers.items() if not _is_distribution(item[1], step))
    return (
        f"output: probabilities is declared, but for {name} the outputs range from"
        f" {output.min():.3g} to {output.max():.3g} and add up to {output.sum():.3g}; if they are"
        " logits, declare output: logits"
    )


def _is_distribution(output: np.ndarray, step: float) -> bool:
    """Whether outputs can be probabilities, each rounded to a multiple of `step`.

    1,001 probabilities in eight bits may add up to 0.5: most of them are stored as 0.
    """
    total = float(output.sum(dtype=np.float64))
    tolerance = SUM_TOLERANCE + len(output) * step / 2
    in_range = output.min() >= 0 and output.max() <= 1 + SUM_TOLERANCE
    return bool(in_range) and abs(total - 1) <= tolerance
