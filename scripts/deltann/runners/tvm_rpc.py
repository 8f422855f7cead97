"""TVM's virtual machine on another machine, where a TVM RPC server runs.

The server runs what it is sent, and its key only tells one kind of device from another: both are
for a network of one's own, or a tunnel. Nothing that comes from the server is executed or unpickled
here: answers are tensors, numbers and texts.
"""

import contextlib
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from deltann.errors import Unreachable
from deltann.provenance import files
from deltann.tvm.load import load_tvm
from deltann.tvm.target_kinds import CPU, CUDA

ENVIRONMENT = "tvm"
SUFFIX = ".so"
SETTINGS: dict[str, tuple] = {}
TARGET_KINDS = (CPU, CUDA)
# How long a server may take to answer. One that serves another session doesn't answer at all.
CONNECT_SECONDS = 30.0


class Runner:
    """Upload, load and run a compiled library.

    Attributes:
        input_shape: of the model's one input.
        machine: the server's processor as LLVM calls it, its address, and its threads.
    """

    def __init__(self, model_file: Path, threads: int, rpc: dict, gpu: bool = False):
        self.model_file, self.threads, self.rpc, self.gpu = model_file, threads, rpc, gpu
        self.where = f"device {rpc['device']!r} at {rpc['host']}:{rpc['port']}"
        self.name = f"deltann-{uuid.uuid4().hex}.so"

    def __enter__(self) -> "Runner":
        self.tvm = load_tvm()
        self.session = self._connect()
        with self._watched():
            self._load()
        # a compiled library doesn't tell its input's shape; the record beside it does
        record = files.read_json(Path(f"{self.model_file}.json"))
        self.input_shape = tuple(record["details"]["input_shape"])
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is None:  # a server drops a session's files when it ends, however it ends
            with self._watched():
                self.session.remove(self.name)
        del self.vm, self.session

    def infer(self, batch: np.ndarray) -> np.ndarray:
        """Logits (1, classes) float32 of a float32 batch in the file's own layout."""
        return self.timed(batch)[0]

    def timed(self, batch: np.ndarray) -> tuple[np.ndarray, float]:
        """Logits, and the seconds that the run took by the server's own clock.

        Without the transfers to and from the device, and after one run that isn't timed, as
        TVM's timer does it.
        """
        with self._watched():
            self.vm.set_input("main", self.tvm.runtime.tensor(batch, self.device))
            seconds = self.timer("main").results[0]
            answer = self.vm.get_outputs("main")
            tensor = answer if isinstance(answer, self.tvm.runtime.Tensor) else answer[0]
            return tensor.numpy(), seconds

    def _connect(self):
        """The session; the connection is made in a thread, since TVM's has no time limit.

        Raises:
            Unreachable: no server, one with another key, or one that serves somebody else.
        """
        found: list = []

        def connect() -> None:
            address = self.rpc["host"], self.rpc["port"]
            try:
                found.append(
                    self.tvm.rpc.connect(*address, self.rpc["key"], int(self.rpc["seconds"]) + 1)
                )
            except RuntimeError as error:
                found.append(error)

        thread = threading.Thread(target=connect, daemon=True)
        thread.start()
        thread.join(CONNECT_SECONDS)
        if found and not isinstance(found[0], RuntimeError):
            return found[0]
        cause = str(found[0]) if found else f"no answer in {CONNECT_SECONDS:g} s"
        raise Unreachable(
            f"{self.where}: {cause}; expected a TVM RPC server with the key {self.rpc['key']!r} "
            "that serves nobody else"
        )

    def _load(self) -> None:
        from tvm import relax

        threads = self._set_threads()
        self.device = self.session.cuda() if self.gpu else self.session.cpu()
        if not self.device.exist:
            raise ValueError(f"{self.where}: no CUDA GPU; expected one")
        self.session.upload(str(self.model_file), self.name)
        try:
            library = self.session.load_module(self.name)
        except RuntimeError as error:
            target = files.read_json(Path(f"{self.model_file}.json"))["details"]["target"]
            raise ValueError(
                f"{self.where}: it can't load what was compiled for {target}; expected such a "
                f"processor: {error}"
            ) from error
        self.vm = relax.VirtualMachine(library, self.device)
        self.timer = self.vm.module.time_evaluator(
            "invoke_stateful", self.device, number=1, repeat=1
        )
        address = f"{self.rpc['host']}:{self.rpc['port']}"
        self.machine = {
            "processor": self._processor(),
            "system": f"TVM RPC server {address}",
            "threads": threads,
        }
        if self.gpu:
            self.machine["gpu"] = self.device.device_name

    def _set_threads(self) -> int:
        """Lower the server's threads to the device's; return how many it has."""
        count = self.session.get_function("runtime.NumThreads")
        if self.threads > count():
            raise ValueError(
                f"{self.where}: its server runs {count()} threads; expected {self.threads}: start "
                f"it with TVM_NUM_THREADS={self.threads} in its environment"
            )
        if self.threads:
            every_core_alike = 1
            self.session.get_function("runtime.config_threadpool")(every_core_alike, self.threads)
        return count()

    def _processor(self) -> str:
        """The server's processor, or `unknown` where its TVM has no compiler that could tell."""
        try:
            return str(self.session.get_function("target.llvm_get_system_cpu")())
        except (AttributeError, RuntimeError):
            return "unknown"

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Tell a run that failed from a connection that broke.

        Raises:
            Unreachable: an error, and the server doesn't answer another question.
        """
        try:
            yield
        except RuntimeError as error:
            try:
                self.session.get_function("runtime.NumThreads")()
            except RuntimeError:
                raise Unreachable(
                    f"{self.where}: the connection ended: {error}; expected a server that runs "
                    "the whole cell: it, or the process that served, may have crashed"
                ) from error
            raise


def versions() -> dict[str, str]:
    """The version of this side's runtime."""
    return {"tvm": load_tvm().__version__}
