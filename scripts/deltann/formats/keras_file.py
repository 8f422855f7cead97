"""A `.keras` file without the dates and memory addresses that Keras writes into it."""

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

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
        keras.saving.load_model(saved, compile=False, safe_mode=True)
        with ours("removing dates and addresses from a .keras file"):
            strip(saved, output)


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
