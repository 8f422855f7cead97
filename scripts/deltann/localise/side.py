"""One of two models that are compared: its operators, and its tensors on a few images."""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from deltann.localise.remote import RemoteTracer
from deltann.steps import Operator

# Tensors are fetched so many bytes at a time; the first time so many tensors.
CHUNK_BYTES, FIRST_CHUNK = 64 * 2**20, 8
MOST = 512


class Side:
    """A traced model with its tensors, which are kept on disk.

    Args:
        tracer: of the model, entered.
        images: float32 (image, 1, channels, height, width) or channels last, as the model takes.
        folder: for the tensors.

    Attributes:
        operators: in running order.
        input, output: names of tensors.
        producer: the number of the operator that writes a tensor.
        readers: numbers of the operators that read a tensor, in running order.
        replaced: by tensor, what stands in its place: (image, …) each.
    """

    def __init__(self, tracer: RemoteTracer, images: np.ndarray, folder: Path):
        self.tracer, self.images = tracer, images
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.operators: list[Operator] = tracer.operators()
        self.input, self.output = tracer.input, tracer.output
        self.layout = tracer.layout
        self.producer = {
            name: number
            for number, operator in enumerate(self.operators)
            for name in operator.outputs
        }
        self.readers: dict[str, list[int]] = {}
        for number, operator in enumerate(self.operators):
            for name in dict.fromkeys(operator.inputs):
                self.readers.setdefault(name, []).append(number)
        self.replaced: dict[str, np.ndarray] = {}
        self._types: dict[str, np.dtype] = {}
        self._kept: dict[str, Path] = {}

    @property
    def moved_folder(self) -> Path:
        """A folder for the tensors of a run that is slightly different."""
        return self._folder / "moved"

    @property
    def tensors(self) -> list[str]:
        """The input and everything that operators write, in running order."""
        written = [name for operator in self.operators for name in operator.outputs]
        return [self.input, *written]

    def values(self, name: str) -> np.ndarray:
        """A tensor on all images: (image, *shape), mapped from disk, so that memory stays small."""
        if name not in self._kept:
            self.capture([name])
        return np.load(self._kept[name], mmap_mode="r", allow_pickle=False)

    def knows(self, name: str) -> bool:
        """Whether a tensor has numbers: strings and empty tensors have none."""
        return name in self._kept

    def capture(self, names: Collection[str]) -> None:
        """Run the images, with the replacements so far, and keep these tensors."""
        left, size = list(dict.fromkeys(names)), FIRST_CHUNK
        while left:
            chunk, left = left[:size], left[size:]
            found = self.run(chunk)
            largest = 1
            for name, tensor in found.items():
                largest = max(largest, tensor.nbytes)
                self._keep(name, tensor)
            size = int(np.clip(CHUNK_BYTES // largest, 1, MOST))

    def run(
        self, wanted: Collection[str], replaced: Mapping[str, np.ndarray] | None = None
    ) -> dict[str, np.ndarray]:
        """Tensors on all images, (image, *shape) each, with the replacements so far and these.

        Raises:
            ToolFailed: the model doesn't run so.
        """
        given = self.replaced | dict(replaced or {})
        rows: dict[str, list[np.ndarray]] = {name: [] for name in wanted}
        for number, image in enumerate(self.images):
            here = {name: self._typed(name, values[number]) for name, values in given.items()}
            for name, tensor in self.tracer.run(image, list(wanted), here).items():
                rows[name].append(np.asarray(tensor))
        return {name: np.stack(tensors) for name, tensors in rows.items()}

    def replace(self, name: str, values: np.ndarray) -> None:
        """Let a tensor be these values from now on; what is behind it is captured again."""
        self.replaced[name] = values
        self._keep(name, values)
        self.capture([item for item in self.tensors if item in self.behind(name)])

    def behind(self, name: str) -> set[str]:
        """The tensors that depend on a tensor, without itself."""
        found: set[str] = set()
        for operator in self.operators:
            if any(read == name or read in found for read in operator.inputs):
                found.update(operator.outputs)
        return found - {name}

    def _typed(self, name: str, values: np.ndarray) -> np.ndarray:
        """Values in the file's own type of real numbers: they are kept as float32."""
        dtype = self._types.get(name, values.dtype)
        return values.astype(dtype) if dtype.kind == values.dtype.kind == "f" else values

    def _keep(self, name: str, tensor: np.ndarray) -> None:
        if tensor.dtype.kind not in "fiub":
            return
        self._types.setdefault(name, tensor.dtype)  # the first ones are the model's own
        path = self._kept.setdefault(name, self._folder / f"{len(self._kept)}.npy")
        path.unlink(missing_ok=True)  # who still reads the old numbers keeps them
        np.save(path, tensor.astype(np.float32), allow_pickle=False)
