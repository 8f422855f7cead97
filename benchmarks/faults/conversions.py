"""Convert the models by the project's converters: all that one environment can do.

Run in that environment: `conversions.py CORPUS ENVIRONMENT MODEL... --only CONVERSION...`. A tool
that fails leaves `<conversion>.failed` with its message.
"""

import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from deltann import converters, runners  # noqa: E402  the folder above first


@dataclass(frozen=True)
class Conversion:
    """One way from a model to a file of another format.

    Attributes:
        source: the conversion that it starts from; `unconverted` is the `.pt2` file.
        converter: a module of `deltann.converters`.
        settings: of the converter.
    """

    source: str
    converter: str
    settings: dict[str, int | str | bool] = field(default_factory=dict)

    @property
    def framework(self) -> str:
        """Of the file that it writes."""
        return converters.get(self.converter).TARGET


SCRIPT = {"exporter": "torchscript"}
CONVERSIONS = {
    "dynamo18": Conversion("unconverted", "torch_onnx", {"opset": 18}),
    "dynamo20": Conversion("unconverted", "torch_onnx", {"opset": 20}),
    "kept17": Conversion(
        "unconverted", "torch_onnx", {**SCRIPT, "opset": 17, "batch_norms": "kept"}
    ),
    "script13": Conversion("unconverted", "torch_onnx", {**SCRIPT, "opset": 13}),
    "script10": Conversion("unconverted", "torch_onnx", {**SCRIPT, "opset": 10}),
    "kept10": Conversion(
        "unconverted", "torch_onnx", {**SCRIPT, "opset": 10, "batch_norms": "kept"}
    ),
    "onnx2torch": Conversion("script10", "onnx2torch"),
    "onnx2torch_kept": Conversion("kept10", "onnx2torch"),
    "onnx2torch13": Conversion("script13", "onnx2torch"),
    "onnx2tf": Conversion("dynamo18", "onnx2tf"),
    "onnx2tf_script": Conversion("script13", "onnx2tf", {"simplify": False}),
    "onnx2keras": Conversion("script10", "onnx2keras"),
    "onnx2keras_kept": Conversion("kept10", "onnx2keras"),
    "tflite": Conversion("onnx2tf", "tflite_converter"),
    "tflite_script": Conversion("onnx2tf_script", "tflite_converter"),
    "keras_tflite": Conversion("onnx2keras", "keras_tflite"),
    "litert": Conversion("unconverted", "litert_torch"),
}
# In which order, so that what a conversion starts from is there.
ENVIRONMENTS = ("torch", "onnx2torch", "onnx2tf", "tensorflow", "litert_torch")


def file_of(corpus: Path, model: str, conversion: str) -> Path:
    """Where a model's file is, or would be."""
    if conversion == "unconverted":
        return corpus / "models" / f"{model}.pt2"
    suffix = runners.get(CONVERSIONS[conversion].framework).SUFFIX
    return corpus / "clean" / model / f"{conversion}{suffix}"


def route(conversion: str) -> list[str]:
    """The conversions from the model to a file, the model first."""
    if conversion == "unconverted":
        return [conversion]
    return [*route(CONVERSIONS[conversion].source), conversion]


def main(corpus: Path, environment: str, models: list[str], wanted: list[str]) -> None:
    """Convert what isn't there yet."""
    for model in models:
        for name in wanted:
            conversion = CONVERSIONS[name]
            output, source = (file_of(corpus, model, item) for item in (name, conversion.source))
            module = converters.get(conversion.converter)
            failed = output.with_name(f"{name}.failed")
            if module.ENVIRONMENT != environment or output.exists() or failed.exists():
                continue
            if not source.exists():
                continue
            output.parent.mkdir(parents=True, exist_ok=True)
            failed.write_text("the tool ended the process", encoding="utf-8")
            try:
                module.convert(source, output, **conversion.settings)
                failed.unlink()
                print(f"{model} {name}", flush=True)
            except Exception as error:  # of the foreign tool: the conversion is left out
                output.unlink(missing_ok=True)
                failed.write_text(traceback.format_exc(), encoding="utf-8")
                print(f"{model} {name}: {type(error).__name__}: {error}"[:300], flush=True)


if __name__ == "__main__":
    end = sys.argv.index("--only")
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:end], sys.argv[end + 1 :])
