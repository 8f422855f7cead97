"""What an example needs of another environment: in a process there, by `Session`."""

import os
import subprocess
from typing import Any

from deltann import interpreter


class Served:
    """Runs a script, and prepares ONNX files, by what a session can carry."""

    def run(self, folder: str, script: str) -> dict[str, Any]:
        """Run a script in a folder, as a user would with this environment activated.

        Returns:
            `status`, and what it wrote: `output` and `errors`.
        """
        programs = interpreter.PYTHON.parent
        variables = interpreter.clean(os.environ)
        done = subprocess.run(
            interpreter.isolated(script),
            cwd=folder,
            env=variables | {"PATH": f"{programs}{os.pathsep}{variables['PATH']}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        return {"status": done.returncode, "output": done.stdout, "errors": done.stderr}

    def number(self, model_file: str) -> None:
        """Give an ONNX file's tensors names that any tool takes, and that sort as its inputs."""
        import onnx

        from deltann.formats.onnx_names import number_tensors, rename_reads
        from deltann.formats.onnx_spot_check import unchanged

        model = onnx.load(model_file)
        with unchanged(model):
            number_tensors(model.graph)
            for number, item in enumerate(model.graph.input):
                name = f"input_{number:03}"
                for node in model.graph.node:
                    rename_reads(node, item.name, name)
                item.name = name
        onnx.save(model, model_file)
