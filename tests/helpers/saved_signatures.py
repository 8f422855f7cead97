"""A SavedModel with several signatures and outputs, and one with a single of each.

Run in TensorFlow's environment: `saved_signatures.py <folder>` prints as JSON what becomes of them
for some entries of a config, or the message of the refusal. With `once` behind the folder, it does
so for one entry and the files that are there.
"""

import json
import os
import sys
from pathlib import Path
from unittest import mock

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

from deltann.errors import StudyError
from deltann.formats import folder_tar, one_signature
from deltann.provenance import files

SHAPE = (1, 8, 6, 3)
IMAGE = np.random.default_rng(0).random(SHAPE, np.float32)


class Model(tf.Module):
    """Scores of any image, with texts, doubled, and for a batch of eight."""

    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(tf.random.Generator.from_seed(0).normal((3, 5)))
        pairs = tf.lookup.KeyValueTensorInitializer(tf.range(5, dtype=tf.int64), list("abcde"))
        self.names = tf.lookup.StaticHashTable(pairs, "?")

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.float32, "image")])
    def score(self, image):
        scores = tf.reduce_mean(image, (1, 2)) @ self.kernel
        return {"scores": scores, "names": self.names.lookup(tf.argmax(scores, 1))}

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.float32, "image")])
    def twice(self, image):
        scores = self.score(image)["scores"]
        return {"scores": scores, "twice": 2 * scores}

    @tf.function(input_signature=[tf.TensorSpec((8, 8, 6, 3), tf.float32, "image")])
    def batch(self, image):
        return {"scores": self.score(image)["scores"]}

    @tf.function(input_signature=[tf.TensorSpec((None, *SHAPE[1:]), tf.float32, "image")])
    def alone(self, image):
        return {"scores": self.score(image)["scores"]}


def kept(folder: Path, expected: np.ndarray, **named: str) -> dict:
    """What the model with one signature and output is, or why there is none."""
    output = folder / "kept.tar"
    try:
        one_signature.save(folder / "saved", SHAPE, {"name": "mine"} | named, output)
    except (ValueError, StudyError) as error:
        return {"refused": str(error)}
    made = folder_tar.untar_folder(output, folder / "-".join(named.values()))
    loaded = tf.saved_model.load(str(made))
    function = loaded.signatures["serving_default"]
    (taken,) = function.structured_input_signature[1].values()
    answers = function(image=tf.constant(IMAGE))
    return {
        "signatures": list(loaded.signatures),
        "outputs": list(answers),
        "shape": list(taken.shape),
        "answer": next(iter(answers.values())).numpy().tolist(),
        "expected": expected.tolist(),
        "digest": files.checksum(output),
    }


def main(folder: Path) -> dict:
    """What becomes of each entry."""
    model = Model()
    by_name = {name: getattr(model, name) for name in ("score", "twice", "batch")}
    tf.saved_model.save(model, folder / "saved", signatures=by_name)
    tf.saved_model.save(model, folder / "single", signatures=model.alone)
    scores = model.score(tf.constant(IMAGE))["scores"].numpy()
    found = {
        "score": kept(folder, scores, signature="score"),
        "twice": kept(folder, 2 * scores, signature="twice", output_name="twice"),
        "texts": kept(folder, scores, signature="score", output_name="names"),
        "batch": kept(folder, scores, signature="batch"),
    }
    right = one_signature._keep

    def other(model, function, given, *more):
        right(model, function, "scores", *more)

    with mock.patch.object(one_signature, "_keep", other):
        found["wrong"] = kept(folder, scores, signature="twice", output_name="twice")
    one_signature.save(folder / "single", SHAPE, {"name": "mine"}, folder / "single-kept.tar")
    folder_tar.tar_folder(folder / "single", folder / "single.tar")
    same = files.checksum(folder / "single.tar") == files.checksum(folder / "single-kept.tar")
    return found | {"alone": {"same": same}}


if __name__ == "__main__":
    place = Path(sys.argv[1])
    if sys.argv[2:] == ["once"]:
        print(json.dumps(kept(place, IMAGE, signature="score")))
    else:
        print(json.dumps(main(place)))
