"""TVM's virtual machine on another machine, behind a TVM RPC server.

The server executes any code that it is sent, and its key is no password: run it in a private
network or behind a tunnel. This side executes and unpickles nothing that comes from the server; it
reads tensors, numbers and texts.
"""

import contextlib
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from deltann.errors import Unreachable
from deltann.formats.tensor_types import TensorType, decode, encode
from deltann.provenance import files
from deltann.tvm.load import load_tvm
from deltann.tvm.target_kinds import CPU, CUDA

ENVIRONMENT = "tvm"
SUFFIX = ".so"
SETTINGS: dict[str, tuple] = {}
TARGET_KINDS = (CPU, CUDA)
# How long a server may take to answer. While it serves another session it doesn't answer.
CONNECT_SECONDS = 30.0


class Runner:
    """Upload, load and run a compiled library.

    Attributes:
        input_shape, input_type: of the model's one input.
        output_type: of the model's output.
        machine: the server's processor as LLVM calls it, its address, and its threads.
        operators: None, since the library computes in what its record says.
    """

    operators: dict[str, int] | None = None

    def __init__(self, model_file: Path, threads: int, rpc: dict, gpu: bool = False):
        self.model_file, self.threads, self.rpc, self.gpu = model_file, threads, rpc, gpu
        self.address = f"device {rpc['device']!r} at {rpc['host']}:{rpc['port']}"
        self.name = f"deltann-{uuid.uuid4().hex}.so"

    def __enter__(self) -> "Runner":
        self.tvm = load_tvm()
        self.session = self._connect()
        with self._watched():
            self._load()
        # a compiled library doesn't know its input and output; its record does
        details = files.read_json(Path(f"{self.model_file}.json"))["details"]
        self.input_shape = tuple(details["input_shape"])
        self.input_type = TensorType(**details["input_type"])
        self.output_type = TensorType(**details["output_type"])
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is None:  # after an error the server removes the session's files itself
            with self._watched():
                self.session.remove(self.name)
        del self.vm, self.session

    def infer(self, batch: np.ndarray) -> np.ndarray:
        """See `runners.Runner`."""
        with self._watched():
            self._give(batch)
            self.vm.invoke_stateful("main")
            return self._answer()

    def timed(self, batch: np.ndarray) -> tuple[np.ndarray, float]:
        """Logits, and the seconds of the run by the server's clock, without transfers.

        TVM's timer first runs the model once untimed.
        """
        with self._watched():
            self._give(batch)
            seconds = self.timer("main").results[0]
            return self._answer(), seconds

    def _give(self, batch: np.ndarray) -> None:
        given = encode(batch, self.input_type)
        self.vm.set_input("main", self.tvm.runtime.tensor(given, self.device))

    def _answer(self) -> np.ndarray:
        answer = self.vm.get_outputs("main")
        tensor = answer if isinstance(answer, self.tvm.runtime.Tensor) else answer[0]
        return decode(tensor.numpy(), self.output_type)

    def kernel_times(self, batch: np.ndarray) -> dict | None:
        """None: an instrument would call this side over the network, for each kernel."""
        return None

    def _connect(self) -> Any:
        """Connect, in a thread since TVM's connection has no time limit.

        Raises:
            Unreachable: no server, one with another key, or one that serves another session.
        """
        results: list = []

        def connect() -> None:
            address = self.rpc["host"], self.rpc["port"]
            try:
                results.append(
                    self.tvm.rpc.connect(*address, self.rpc["key"], int(self.rpc["seconds"]) + 1)
                )
            except RuntimeError as error:
                results.append(error)

        thread = threading.Thread(target=connect, daemon=True)
        thread.start()
        thread.join(CONNECT_SECONDS)
        if results and not isinstance(results[0], RuntimeError):
            return results[0]
        cause = str(results[0]) if results else f"no answer in {CONNECT_SECONDS:g} s"
        raise Unreachable(
            f"{self.address}: {cause}; expected a TVM RPC server with the key {self.rpc['key']!r} "
            "that serves no other session"
        )

    def _load(self) -> None:
        from tvm import relax

        threads = self._set_threads()
        self.device = self.session.cuda() if self.gpu else self.session.cpu()
        if not self.device.exist:
            raise ValueError(f"{self.address}: no CUDA GPU; expected one")
        self.session.upload(str(self.model_file), self.name)
        try:
            library = self.session.load_module(self.name)
        except RuntimeError as error:
            target = files.read_json(Path(f"{self.model_file}.json"))["details"]["target"]
            raise ValueError(
                f"{self.address}: can't load a library compiled for {target}; expected such a "
                f"processor: {error}"
            ) from error
        self.vm = relax.VirtualMachine(library, self.device)
        self.timer = self.vm.module.time_evaluator(
            "invoke_stateful", self.device, number=1, repeat=1
        )
        host = f"{self.rpc['host']}:{self.rpc['port']}"
        self.machine = {
            "processor": self._processor(),
            "system": f"TVM RPC server {host}",
            "threads": threads,
        }
        if self.gpu:
            self.machine["gpu"] = self.device.device_name

    def _set_threads(self) -> int:
        """Lower the server's threads to the device's; return the number of threads."""
        count = self.session.get_function("runtime.NumThreads")
        if self.threads > count():
            raise ValueError(
                f"{self.address}: the server has {count()} threads; expected {self.threads}: start "
                f"it with TVM_NUM_THREADS={self.threads} in its environment"
            )
        if self.threads:
            every_core_alike = 1
            self.session.get_function("runtime.config_threadpool")(every_core_alike, self.threads)
        return count()

    def _processor(self) -> str:
        """The server's processor, or `unknown` if its TVM has no compiler to ask."""
        try:
            return str(self.session.get_function("target.llvm_get_system_cpu")())
        except (AttributeError, RuntimeError):
            return "unknown"

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Tell a failed run from a broken connection.

        Raises:
            Unreachable: after an error the server doesn't answer any more.
        """
        try:
            yield
        except RuntimeError as error:
            try:
                self.session.get_function("runtime.NumThreads")()
            except RuntimeError:
                raise Unreachable(
                    f"{self.address}: the connection ended: {error}; expected a server that "
                    "stays up for the whole cell; it or its worker process may have crashed"
                ) from error
            raise


def versions() -> dict[str, str]:
    """The version of this side's runtime."""
    return {"tvm": load_tvm().__version__}
