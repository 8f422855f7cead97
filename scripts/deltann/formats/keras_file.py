"""A `.keras` file without the dates and memory addresses that Keras writes into it."""

import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from deltann import spot_check
from deltann.ours import Fault, ours
from deltann.tolerance import TOLERANCE


def save(model: Any, output: Path) -> None:
    """Save a Keras model that loads in safe mode; always the same bytes.

    Args:
        model: `keras.Model`.
        output: the `.keras` file to write.

    Raises:
        ValueError, TypeError: Keras's, if it can't load the file in safe mode.
    """
    import keras

    with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
        saved = Path(folder, "model.keras")
        model.save(saved)
        loaded = keras.saving.load_model(saved, compile=False, safe_mode=True)
        what = "removing dates and addresses from a .keras file"
        with ours(what):
            strip(saved, output)
            copy = shutil.copyfile(output, Path(folder, "stripped.keras"))
            stripped = keras.saving.load_model(copy, compile=False, safe_mode=True)
        compare(what, loaded, stripped)


def compare(what: str, before: Callable[[Any], Any], after: Any) -> None:
    """Check that a rewrite left a Keras model's answer to one image as it was.

    Args:
        what: the rewrite, for the message.
        before: a `keras.Model`, or a function that gives its answer to a batch.
        after: `keras.Model`.

    Raises:
        Fault: the answers differ, or the model doesn't run any more.
    """
    import keras

    taken = after.inputs[0]
    image = spot_check.image((1, *taken.shape[1:]), taken.dtype)

    def answer(image: Any) -> Any:
        return keras.ops.convert_to_numpy(before(image))

    try:
        expected = answer(image)
    except Exception as error:  # of any class: it is a matter of the model before
        spot_check.not_checked(what, error)
        return
    try:
        given = keras.ops.convert_to_numpy(after(image))
    except Exception as error:
        raise Fault(
            what, f"broke the model, which ran before: {type(error).__name__}: {error}"
        ) from error
    rounding = partial(spot_check.sensitivity, answer, image, expected)
    spot_check.compare(what, expected, given, TOLERANCE, rounding)


def strip(keras_file: Path, output: Path) -> None:
    """Copy a `.keras` file without dates and memory addresses."""
    identities: dict[int, int] = {}

    def renumber(item: dict) -> dict:
        if "shared_object_id" in item:
            address = item["shared_object_id"]
            item["shared_object_id"] = identities.setdefault(address, len(identities))
        item.pop("date_saved", None)
        return item

    with zipfile.ZipFile(keras_file) as before, zipfile.ZipFile(output, "w") as after:
        for name in sorted(before.namelist()):
            content = before.read(name)
            if name.endswith(".json"):
                content = json.dumps(json.loads(content, object_hook=renumber)).encode()
            after.writestr(zipfile.ZipInfo(name), content)
