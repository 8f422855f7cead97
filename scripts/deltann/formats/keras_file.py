"""A `.keras` file without the dates and memory addresses that Keras writes into it."""

import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deltann import spot_check
from deltann.ours import ours


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

    def answers(model: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda image: keras.ops.convert_to_numpy(model(image))

    spot_check.compare_models(what, answers(before), answers(after), image)


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
