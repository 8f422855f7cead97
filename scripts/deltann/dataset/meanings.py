"""What the variables of a study's dataset mean, and their units.

A meaning is a text and a unit as the CF conventions have it: empty for text, `1` for a count or a
number without a unit. The dataset's attributes `long_name` and `units` come from here, and so do
the columns of tables that show a variable.
"""

from deltann.dataset import compilation, kernel_times, lowering
from deltann.dataset.prediction_schema import OUTPUT_TEXTS

Meaning = tuple[str, str]

CELL: dict[str, Meaning] = {
    "model": ("model", ""),
    "source": ("framework that the model comes from", ""),
    "target": ("framework that the model is converted to", ""),
    "route": ("converters on the way there, joined by '+'; 'unconverted' if there are none", ""),
    "preprocessing": ("whose convention prepared the images: 'source', 'target' or its name", ""),
    "resizer": ("library that resized the images", ""),
    "importer": ("how the file reaches TVM; 'none' if TVM doesn't run it", ""),
    "compiler": ("version of TVM by its name in the config; 'runtime' if none compiled it", ""),
    "schedule": ("where TVM's kernels come from; 'runtime' if TVM didn't compile it", ""),
    "backend": ("level of TVM, 'native', or the name of a runtime's settings", ""),
    "device": ("device that ran it", ""),
}
FAILURE: dict[str, Meaning] = {
    "status": ("'ok' or 'failed'", ""),
    "failed_stage": ("stage that failed", ""),
    "error_type": ("type of the error", ""),
}
# How the machine disturbed the timing of a cell: attributes of its prediction file.
DISTURBANCE: dict[str, Meaning] = {
    "probe_drift": ("time of a fixed probe after the timing over before", "1"),
    "contention": ("share of the processor time asked for that other processes had", "1"),
    "pass_spread": ("time of the median timed pass over that of the fastest", "1"),
}
EMULATED: Meaning = (
    "whether the device is emulated: 1 if it is, and the cell has no times, else 0",
    "1",
)
DISTURBED: Meaning = ("whether the machine disturbed the timing: 1 if it did, else 0", "1")
# Variables along `cell` alone.
OF_CELLS: dict[str, Meaning] = {
    "cell": ("the names of the cell, joined by '/'", ""),
    "cell_name": ("short name of the cell: only what tells the study's cells apart", ""),
    **CELL,
    **FAILURE,
    "error_message": ("message of the error", ""),
    "inputs": ("geometry and resizer of the prepared images", ""),
    "inputs_digest": ("checksum of the prepared images", ""),
    "provenance": ("where the answers come from: versions, machine, environment, files; JSON", ""),
    "checksum": ("checksum of the content of the cell's prediction file", ""),
    **dict(
        zip(
            OUTPUT_TEXTS,
            (
                ("what the variable logits has: 'logits' or 'probabilities'", ""),
                ("how the model's outputs contradict the config", ""),
            ),
            strict=True,
        )
    ),
    **compilation.MEANINGS,
    **lowering.MEANINGS,
    **kernel_times.MEANINGS,
    **DISTURBANCE,
    "disturbed": DISTURBED,
    "emulated": EMULATED,
}
# Variables with other dimensions.
OF_IMAGES: dict[str, Meaning] = {
    "image": ("name of the image", ""),
    "class_name": ("name of the class, with its number if another one has the name too", ""),
    "logits": ("output of the model for a class", "1"),
    "label": ("class by the rank of its logit, the largest first; classes count from 0", "1"),
    "probability": (
        "probability of the class of that rank, by softmax unless the model has it",
        "1",
    ),
    "latency": ("time of one inference of one image, if the device isn't emulated", "s"),
    "true_label": ("true class of the image; classes count from 0", "1"),
}
VARIABLES = OF_CELLS | OF_IMAGES
