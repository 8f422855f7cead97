"""Keras files as people bring them, as the study takes them; run in TensorFlow's environment.

`given_keras.py <folder>` prints by file: whether the answers are Keras's own, the input's shape,
and whether the file is a copy; or the sentence of a refusal.
"""

import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
from keras import layers

from deltann.formats import keras_given

SIZE = 32


class Custom(layers.Dense):
    """A class that the study doesn't know."""


def head(image, name: str):
    """Logits for an image."""
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, strides=2)(image))
    return layers.Dense(5, name=name)(pooled)


def models(canary: str) -> dict:
    """By file: the model, and what the config says of the output."""
    open_, fixed = keras.Input((None, None, 3)), keras.Input((SIZE, SIZE, 3))
    whole = keras.Model(fixed, head(fixed, "a"))
    two = keras.Model(fixed, [head(fixed, "a"), head(fixed, "b")])
    run = lambda x: (__import__("pathlib").Path(canary).touch(), x)[1]  # noqa: E731
    code = keras.Model(fixed, layers.Lambda(run, name="evil")(head(fixed, "a")))
    Path(canary).unlink()  # it ran where it was made
    sequential = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(4, 3)])
    sequential.add(layers.GlobalAveragePooling2D())
    small = layers.Conv2D(4, 48)(open_)
    custom = Custom(5, name="mine")(layers.GlobalAveragePooling2D()(fixed))
    return {
        "plain.keras": (whole, None),
        "whole.h5": (whole, None),
        "WHOLE.HDF5": (whole, None),
        "open.keras": (keras.Model(open_, head(open_, "a")), None),
        "open.h5": (keras.Model(open_, head(open_, "a")), None),
        "sequential.keras": (sequential, None),
        "two.keras": (two, "b"),
        "two.h5": (two, None),
        "dict.keras": (keras.Model(fixed, {"z": two.outputs[0], "y": two.outputs[1]}), "y"),
        "list.keras": (keras.Model([fixed], [two.outputs[1]]), None),
        "inputs.keras": (keras.Model([fixed, open_], head(fixed, "a")), None),
        "lambda.keras": (code, None),
        "lambda.h5": (code, None),
        "custom.keras": (keras.Model(fixed, custom), None),
        "custom.h5": (keras.Model(fixed, custom), None),
        "large.keras": (keras.Model(open_, layers.GlobalAveragePooling2D()(small)), None),
        "only.weights.h5": (whole, None),
    }


def take(path: Path, model: keras.Model, named: str | None) -> dict:
    """What the study makes of a file."""
    described = {"name": "mine"} | ({"output_name": named} if named else {})
    output = path.with_name("written.keras")
    try:
        keras_given.save(path, (1, SIZE, SIZE, 3), described, output)
    except ValueError as error:
        return {"refused": str(error)}
    written = keras.saving.load_model(output, compile=False, safe_mode=True)
    images = np.random.default_rng(0).standard_normal((3, SIZE, SIZE, 3), np.float32)
    own = model([images] if isinstance(model.inputs, list) and path.stem == "list" else images)
    own = own[named] if isinstance(own, dict) else own[-1] if isinstance(own, list) else own
    return {
        "same": np.allclose(own, written.predict_on_batch(images), atol=1e-5),
        "takes": list(written.input_shape[1:]),
        "copied": output.read_bytes() == path.read_bytes(),
    }


def main(folder: Path) -> None:
    """Make, take and print them."""
    found = {}
    for name, (model, named) in models(str(folder / "canary")).items():
        path = folder / name
        if name.endswith(".weights.h5"):
            model.save_weights(path)
        else:
            lower = path.with_name(name.lower())
            model.save(lower)
            lower.rename(path)
        found[name] = take(path, model, named)
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
