"""A Keras file as people bring it: `.keras` or HDF5, of any size, with several outputs."""

import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from deltann import spot_check
from deltann.formats import keras_file, named_outputs
from deltann.formats.descriptions import only_input
from deltann.ours import ours

WHAT = "fixing the size and the output of a Keras model"
INSTEAD = (
    "where its code is, save it by model.export(folder), and give that folder with source:"
    " tensorflow"
)
# What TensorFlow puts around its messages: terminal codes, and where the operator is.
CODES = re.compile(r"\x1b\[[0-9;]*m|\{\{.*?\}\}")
UNKNOWN = re.compile(r"(?:Could not locate (?:class|function)|Unknown \w+:) '?([\w>.]+)")


def load(path: Path) -> Any:
    """The `keras.Model` of a file; no code in the file is run.

    Raises:
        ValueError: in one sentence: it isn't a Keras file, has only weights, has Python code or a
            class that isn't Keras's, or Keras can't load it.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras

    suffix, config = _read(path)
    for layer, item in _objects(config):
        if item.get("class_name") == "__lambda__" or isinstance(_function(item), list):
            raise ValueError(
                f"{str(path)!r} has Python code in the layer {layer!r} (a Lambda), which the study"
                f" never runs; expected layers of Keras without code: {INSTEAD}"
            )
    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        # Keras goes by the suffix, in small letters
        copy = shutil.copyfile(path, Path(folder, f"model{suffix}"))
        try:
            model = keras.saving.load_model(copy, compile=False, safe_mode=True)
        except Exception as error:  # of any class: Keras has one for each layer
            unknown = UNKNOWN.search(str(error))
            why = f"doesn't load: {_in_short(error)}"
            if unknown:
                why = f"has {unknown[1]!r}, which isn't of Keras"
            raise ValueError(
                f"{str(path)!r} {why}; expected a model of Keras's own layers that Keras"
                f" {keras.__version__} loads in safe mode: {INSTEAD}"
            ) from error
    if not model.built:
        raise ValueError(
            f"{str(path)!r} has a model that never saw an image, so without weights; expected one"
            " that was trained or built before it was saved"
        )
    return model


def _in_short(error: Exception) -> str:
    """What an error of Keras's or TensorFlow's says, on one line, without the arguments."""
    text = CODES.sub("", str(error)).split("Arguments received by")[0]
    return " ".join(text.split()).rstrip(".")[:300] or type(error).__name__


def _read(path: Path) -> tuple[str, Any]:
    """The suffix that Keras expects for what a file is, and the model's config."""
    import h5py

    expected = "expected a whole model: where its code is, save it by model.save('model.keras')"
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if "config.json" not in archive.namelist():
                raise ValueError(f"{str(path)!r} has no config.json; {expected}")
            return ".keras", json.loads(archive.read("config.json"))
    if not h5py.is_hdf5(path):
        raise ValueError(f"{str(path)!r} is neither a .keras file nor HDF5; {expected}")
    with h5py.File(path, "r") as file:
        config = file.attrs.get("model_config")
    if config is None:
        raise ValueError(f"{str(path)!r} has only weights, no model; {expected}")
    return ".h5", json.loads(config)


def _objects(item: Any, layer: str = "") -> Iterator[tuple[str, dict]]:
    """All mappings in a model's config, each with the name of the layer that it is in."""
    if isinstance(item, dict):
        inside = item.get("config")
        if isinstance(inside, dict) and isinstance(inside.get("name"), str):
            layer = inside["name"]
        yield layer, item
    inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    for one in inner:
        yield from _objects(one, layer)


def _function(item: dict) -> Any:
    """What a Lambda layer runs: a list with bytecode, as Keras 2 wrote it, or something else."""
    inside = item.get("config")
    if item.get("class_name") != "Lambda" or not isinstance(inside, dict):
        return None
    return inside.get("function")


def outputs(model: Any) -> dict[str, Any]:
    """The symbolic outputs of a Keras model, by the key of a dict or the layer's name.

    Outputs of the same name, as of a layer that is called twice, have their place, from 0.
    """
    import keras

    if isinstance(model, keras.Sequential):
        return {model.layers[-1].name: model.outputs[0]}
    _, given = _structures(model)
    if isinstance(given, dict) and len(given) == len(model.outputs):
        return {str(key): item for key, item in given.items()}
    names = list(model.output_names)
    if len({*names}) < len(model.outputs):
        names = [str(place) for place in range(len(model.outputs))]
    return dict(zip(names, model.outputs, strict=True))


def _structures(model: Any) -> tuple[Any, Any]:
    """The input and output as the model takes and gives them: a tensor, a list or a dict."""
    import keras

    if isinstance(model, keras.Sequential):
        return model.inputs[0], model.outputs[0]
    return model.input, model.output


def save(path: Path, shape: tuple[int, ...], described: dict, output: Path) -> None:
    """Save a Keras file as a `.keras` file of one output, for images of one size.

    A `.keras` file in which nothing has to change is copied as it is.

    Args:
        path: the user's file.
        shape: that of the input by the config, with a batch of 1, for sides that are left open.
        described: the model's entry in the config.
        output: the file to write.

    Raises:
        ValueError: as `load`; or the model has several inputs, or no such output, or can't be
            built for this size.
        Fault: the written model answers an image in another way than the file.
    """
    model = load(path)
    only_input([item.name for item in model.inputs])
    found = outputs(model)
    name = named_outputs.choose(
        {key: [side or "any" for side in item.shape] for key, item in found.items()}, described
    )
    plain = not any(isinstance(item, dict | list | tuple) for item in _structures(model))
    fixed = None not in model.inputs[0].shape[1:]
    if zipfile.is_zipfile(path) and plain and fixed:
        output.write_bytes(path.read_bytes())
        return
    place = next(k for k, item in enumerate(model.outputs) if item is found[name])
    if not plain or not fixed:
        _check_size(model, shape, described)
        with ours(WHAT):
            changed = _one(model, place, shape)
        keras_file.save(changed, output)
    else:
        keras_file.save(model, output)
    with ours(WHAT):
        written = load(output)
    keras_file.compare(WHAT, _answer(model, place), written)


def _sides(model: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The input's sides without the batch: the file's, or of `shape` where it leaves one open."""
    given = model.inputs[0].shape
    if len(given) != len(shape):
        raise ValueError(
            f"the model takes {len(given)} axes, {tuple(given)}; expected a batch of images: 4"
        )
    return tuple(a or b for a, b in zip(given[1:], shape[1:], strict=True))


def _check_size(model: Any, shape: tuple[int, ...], described: dict) -> None:
    """Check that a model runs with images of the declared size."""
    sides = _sides(model, shape)
    try:
        _answer(model, 0)(spot_check.image((1, *sides), model.inputs[0].dtype))
    except Exception as error:  # of any class: it is a matter of the user's model
        raise ValueError(
            f"config key models.{described['name']}.input.size: the model takes any size, but"
            f" doesn't run with {' × '.join(map(str, sides))}: {_in_short(error)};"
            " expected a size that it was made for"
        ) from error


def _one(model: Any, place: int, shape: tuple[int, ...]) -> Any:
    """The model with a fixed input and only the output at this place."""
    import keras

    given = model.inputs[0]
    sides = _sides(model, shape)
    single = keras.Model(model.inputs[0], model.outputs[place], name=model.name)
    if tuple(given.shape[1:]) == sides:
        return single
    name = given.name.split(":")[0]
    fixed = keras.Input(batch_shape=(given.shape[0], *sides), dtype=given.dtype, name=name)
    copy = keras.models.clone_model(single, input_tensors=fixed)
    copy.set_weights(single.get_weights())
    return copy


def _answer(model: Any, place: int) -> Callable[[Any], Any]:
    """A function that gives one output of a Keras model for a batch."""
    import keras

    def answer(batch: Any) -> Any:
        given = keras.tree.pack_sequence_as(_structures(model)[0], [batch])
        return keras.tree.flatten(model(given))[place]

    return answer
