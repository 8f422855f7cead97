"""What this project reads in small model files of one framework, made on the spot.

Run in an environment: `described_models.py torch <folder>`, `described_models.py keras <folder>`,
which also makes a TFLite file, or `described_models.py tflite <folder>` after it. It prints the
descriptions as JSON, by the file's name.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from deltann.formats import descriptions

SIZE, CLASSES = 32, 10
# What the TFLite file's metadata say of pixels from 0 to 255.
MEAN, STD = [127.5, 127.5, 127.5], [64.0, 64.0, 64.0]


def from_torch(folder: Path) -> dict[str, str]:
    """An ExportedProgram of any batch that gives a dict; a TorchScript that takes two sizes."""
    import torch

    class Pair(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution = torch.nn.Conv2d(1, CLASSES, 3)

        def forward(self, batch):
            features = self.convolution(batch)
            return {"logits": features.mean((2, 3)), "features": features}

    any_batch = ({0: torch.export.Dim("batch")},)
    sample = torch.zeros(2, 1, SIZE, SIZE)
    program = torch.export.export(Pair(), (sample,), dynamic_shapes=any_batch)
    torch.export.save(program, folder / "program.pt2")
    fixed = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.Flatten())
    fixed.append(torch.nn.Linear(2 * (SIZE - 2) ** 2, CLASSES)).half()
    torch.jit.script(fixed).save(folder / "script.pt")
    return {"program.pt2": "torch", "script.pt": "torch"}


def from_keras(folder: Path) -> dict[str, str]:
    """A Keras file of any size that rescales pixels; the same as SavedModel and as TFLite."""
    import os

    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras
    import tensorflow as tf

    from deltann.formats import folder_tar

    image = keras.Input((None, None, 3), name="image")
    scaled = keras.layers.Rescaling(1 / 127.5, -1, name="to_one")(image)
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(8, 3)(scaled))
    model = keras.Model(image, keras.layers.Dense(CLASSES, name="classes")(pooled))
    model.save(folder / "model.keras")
    model.export(folder / "saved", verbose=False)
    folder_tar.tar_folder(folder / "saved", folder / "saved.tar")
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved"))
    (folder / "plain.tflite").write_bytes(converter.convert())
    return {"model.keras": "keras", "saved": "tensorflow", "saved.tar": "tensorflow"}


def from_tflite(folder: Path) -> dict[str, str]:
    """The TFLite file that Keras's run made."""
    return {"plain.tflite": "tflite"}


def with_metadata() -> bytes:
    """The part of a TFLite file that leads to its metadata, which have a normalisation."""
    inner = _Builder()
    numbers = [inner.floats(values) for values in (MEAN, STD)]
    options = inner.table({0: numbers[0], 1: numbers[1]})
    unit = inner.table({1: options}, kind=1)
    tensor = inner.table({4: inner.vector([unit])})
    subgraph = inner.table({2: inner.vector([tensor])})
    metadata = inner.finish(inner.table({3: inner.vector([subgraph])}))
    outer = _Builder()
    data = outer.table({0: outer.builder.CreateByteVector(metadata)})
    buffers = outer.vector([outer.table({}), data])
    entry = outer.table({0: outer.builder.CreateString("TFLITE_METADATA")}, number=1)
    return outer.finish(outer.table({4: buffers, 6: outer.vector([entry])}))


class _Builder:
    """Tables and vectors of a flatbuffer."""

    def __init__(self):
        import flatbuffers

        self.builder = flatbuffers.Builder()

    def floats(self, values: list[float]) -> int:
        self.builder.StartVector(4, len(values), 4)
        for value in reversed(values):
            self.builder.PrependFloat32(value)
        return self.builder.EndVector()

    def vector(self, items: list[int]) -> int:
        self.builder.StartVector(4, len(items), 4)
        for item in reversed(items):
            self.builder.PrependUOffsetTRelative(item)
        return self.builder.EndVector()

    def table(self, fields: dict[int, int], kind: int = 0, number: int = 0) -> int:
        """A table of offsets; `kind` is a byte at its begin, `number` an integer behind a name."""
        self.builder.StartObject(8)
        for place, offset in fields.items():
            self.builder.PrependUOffsetTRelativeSlot(place, offset, 0)
        if kind:
            self.builder.PrependUint8Slot(0, kind, 0)
        if number:
            self.builder.PrependUint32Slot(1, number, 0)
        return self.builder.EndObject()

    def finish(self, root: int) -> bytes:
        self.builder.Finish(root)
        return bytes(self.builder.Output())


if __name__ == "__main__":
    made = {"torch": from_torch, "keras": from_keras, "tflite": from_tflite}[sys.argv[1]]
    place = Path(sys.argv[2])
    found = {
        name: asdict(descriptions.get(source).describe(place / name))
        for name, source in made(place).items()
    }
    if sys.argv[1] == "tflite":
        from deltann.formats.descriptions import tflite

        found["metadata"] = tflite.normalisation(with_metadata())
        found["none"] = tflite.normalisation((place / "plain.tflite").read_bytes())
    print(json.dumps(found))
