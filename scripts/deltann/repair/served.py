"""What repair does in another environment, by `Session`: convert, rewrite, run, compile."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

# How often a model is asked again about the same image, see `spot_check.sensitivity`.
CALLS = 2


class Served:
    """Methods for a session; each imports what its own environment has."""

    def convert(self, arguments: dict[str, Any]) -> dict:
        """See `deltann.stages.convert.work`."""
        from deltann.stages import convert

        return convert.work(**arguments)

    def prepass(self, name: str, model_file: str, output: str) -> bool:
        """See `prepasses.run`."""
        from deltann.repair import prepasses

        return prepasses.run(name, Path(model_file), Path(output))

    def rewrite(self, names: list[str], model_file: str, output: str) -> int:
        """Rewrite an ONNX file by `onnx_rewrites`; how many nodes were changed."""
        from deltann.repair import onnx_rewrites

        return onnx_rewrites.rewrite(names, Path(model_file), Path(output))

    def infer(
        self,
        runner: str,
        model_file: str,
        preprocessing: dict,
        pixels: "np.ndarray",
        threads: int,
        movement: bool = False,
    ) -> dict:
        """Load a model file in its framework's own runtime and run images.

        Args:
            runner: a framework.
            model_file: of that framework.
            preprocessing: the fields of `Preprocessing`.
            pixels: uint8 (image, y, x, channel).
            threads: of the runtime.
            movement: whether to find out how far rounding moves the first image's answer.

        Returns:
            `logits`, float32 (image, class), without the background; the `layout` of the input;
            and the `movement`, 0 if it wasn't asked for.
        """
        import numpy as np

        from deltann import runners, spot_check
        from deltann.images.normalise import layout, normalise
        from deltann.images.preprocessing import Preprocessing

        convention = Preprocessing(**preprocessing)
        with runners.get(runner).Runner(Path(model_file), threads) as loaded:
            order = layout(loaded.input_shape, convention)
            given = [normalise(image, convention, order) for image in pixels]
            answers = [loaded.infer(image) for image in given]
            convention.check_output(answers[0].shape)
            asked = (loaded.infer, given[0], answers[0])
            moved = spot_check.sensitivity(*asked, calls=CALLS) if movement else 0.0
        logits = np.concatenate(answers)[:, convention.background :].astype(np.float32)
        return {"logits": logits, "layout": order, "movement": moved}

    def compiled(
        self, compilation: dict, preprocessing: dict, pixels: "np.ndarray", threads: int
    ) -> "np.ndarray":
        """Compile a model file by TVM, load the library, run images: logits as by `infer`.

        Args:
            compilation: arguments of `deltann.stages.compile.compile_file`, without what it
                writes.
            preprocessing, pixels, threads: see `infer`.
        """
        import os
        import tempfile

        from deltann.provenance import files
        from deltann.runners import COMPILED
        from deltann.stages import compile

        os.environ["TVM_NUM_THREADS"] = str(threads)  # read once, when TVM starts its pool
        with tempfile.TemporaryDirectory(prefix="deltann-") as folder:
            library = Path(folder, "model.so")
            paths = {"output": str(library), "graph": str(Path(folder, "graph.txt"))}
            details = compile.compile_file(**(compilation | paths))
            files.write_json(Path(f"{library}.json"), {"details": details})
            given = self.infer(COMPILED, str(library), preprocessing, pixels, threads)
        return given["logits"]
