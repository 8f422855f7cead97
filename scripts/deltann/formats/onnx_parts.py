"""Parts of an ONNX model, run alone: any of its tensors read, and any given instead of computed."""

from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltann.formats.onnx_graph import drop_initialized_inputs
from deltann.formats.onnx_names import read_by
from deltann.formats.onnx_spot_check import unchanged
from deltann.ours import ours

if TYPE_CHECKING:
    import numpy as np

# Constants of more numbers are inputs of the parts, which share them so: a session would copy its
# initializers. The others stay in the graph, where the inference of shapes may need them.
SMALL = 256
# So many parts stay loaded. One without its weights takes about a megabyte.
LOADED = 12
# What ONNX Runtime takes from numpy.
_SHARED_TYPES = "fiub"


def load(model_file: Path) -> Any:
    """An `onnx.ModelProto` with its weights, without local functions and valued inputs."""
    import onnx
    from onnx.inliner import inline_local_functions

    model = onnx.load(model_file)
    if model.functions:
        model = inline_local_functions(model)
    if model.ir_version < 4:
        with unchanged(model):
            drop_initialized_inputs(model)
    return model


def input_of(graph: Any) -> Any:
    """The first input of an `onnx.GraphProto` that has no value in the file."""
    valued = {item.name for item in graph.initializer}
    return next(item for item in graph.input if item.name not in valued)


class Parts:
    """Runs parts of a model with ONNX Runtime, without graph optimizations.

    Args:
        model: `onnx.ModelProto`; it isn't changed.
        like: those of another model, whose references may be in the place of constants here.

    Attributes:
        model: a copy without what no part needs, with references in the place of large constants.
        constants: the values of its initializers by name.
        input: the name of its input.
    """

    def __init__(self, model: Any, like: "Parts | None" = None) -> None:
        self._like = like
        self.input = input_of(model.graph).name
        self.constants: dict[str, np.ndarray] = {}
        self._shared: dict[str, Any] = {}
        self._sessions: OrderedDict[tuple, Any] = OrderedDict()
        with ours("taking the constants out of an ONNX graph"):
            self.model = _without_constants(model)
            for tensor in _constants(model.graph):
                self.model.graph.initializer.append(self._take(tensor))
            self._makers = {
                name: number
                for number, node in enumerate(self.model.graph.node)
                for name in node.output
                if name
            }

    def _take(self, tensor: Any) -> Any:
        """Keep a constant; if it is large, a reference is to be in its place."""
        from onnx import TensorProto, numpy_helper
        from onnxruntime import OrtValue

        name = tensor.name
        if self._like and tensor.data_location == TensorProto.EXTERNAL:
            self.constants[name] = self._like.constants[name]
            self._shared[name] = self._like._shared[name]
            return tensor
        values = numpy_helper.to_array(tensor)
        self.constants[name] = values
        if values.size <= SMALL or values.dtype.kind not in _SHARED_TYPES:
            return tensor
        self._shared[name] = OrtValue.ortvalue_from_numpy(values)
        stub = TensorProto(name=name, data_type=tensor.data_type, dims=tensor.dims)
        stub.data_location = TensorProto.EXTERNAL
        for key, value in (("location", "."), ("offset", "0"), ("length", str(values.nbytes))):
            entry = stub.external_data.add()
            entry.key, entry.value = key, value
        return stub

    def references(self) -> dict[str, Any]:
        """By name, what stands in the place of a large constant in `model`."""
        return {
            item.name: item for item in self.model.graph.initializer if item.name in self._shared
        }

    def run(
        self, feeds: "Mapping[str, np.ndarray]", wanted: Collection[str]
    ) -> "dict[str, np.ndarray]":
        """Compute tensors from others.

        Args:
            feeds: tensors that are given: the model's input, or any other.
            wanted: names of tensors. Those that are given or constant are given back.

        Raises:
            ValueError: the model has no such tensor.
            Exception: ONNX Runtime's own.
        """
        unknown = set(wanted) - {*feeds, *self.constants, *self._makers}
        if unknown:
            raise ValueError(f"the model has no tensors {sorted(unknown)}")
        known = {**self.constants, **feeds}
        names = sorted({*wanted} - known.keys())
        answers = {}
        if names:
            session = self._session(names, feeds)
            used = {item.name: self._given(item.name, feeds) for item in session.get_inputs()}
            found = session.run_with_ort_values(names, used)
            answers = {name: _values(item) for name, item in zip(names, found, strict=True)}
        return {name: known[name] if name in known else answers[name] for name in wanted}

    def _given(self, name: str, feeds: "Mapping[str, np.ndarray]") -> Any:
        """An input of a part as an `onnxruntime.OrtValue`."""
        from onnxruntime import OrtValue

        return OrtValue.ortvalue_from_numpy(feeds[name]) if name in feeds else self._shared[name]

    def _session(self, names: list[str], feeds: "Mapping[str, np.ndarray]") -> Any:
        import onnxruntime

        given = {name: (values.dtype.name, values.shape) for name, values in feeds.items()}
        key = (tuple(names), tuple(sorted(given.items())))
        if key not in self._sessions:
            part = self._part(names, feeds)
            options = onnxruntime.SessionOptions()
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.use_deterministic_compute = True
            options.log_severity_level = 4
            # what is freed goes back: many parts stay loaded
            options.enable_cpu_mem_arena = options.enable_mem_pattern = False
            self._sessions[key] = onnxruntime.InferenceSession(
                part.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
            while len(self._sessions) > LOADED:
                self._sessions.popitem(last=False)
        self._sessions.move_to_end(key)
        return self._sessions[key]

    @ours("cutting a part out of an ONNX graph")
    def _part(self, names: list[str], feeds: "Mapping[str, np.ndarray]") -> Any:
        """The nodes that lead from `feeds` to `names`, as a model."""
        import onnx
        from onnx import helper

        numbers, read = self.leading_to(names, feeds)
        whole = self.model
        inputs = [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(values.dtype), values.shape
            )
            for name, values in {**self.constants, **feeds}.items()
            if name in read and (name in feeds or name in self._shared)
        ]
        part = onnx.ModelProto(ir_version=max(whole.ir_version, 4))
        part.opset_import.extend(whole.opset_import)
        part.graph.name = "part"
        part.graph.input.extend(inputs)
        part.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
        part.graph.node.extend(whole.graph.node[number] for number in numbers)
        for node in part.graph.node:  # it may also make a tensor that is given
            node.output[:] = [f"{name}:computed" if name in feeds else name for name in node.output]
        left = read - {*feeds, *self._shared}
        constants = [item for item in whole.graph.initializer if item.name in left]
        part.graph.initializer.extend(constants)
        part.graph.sparse_initializer.extend(whole.graph.sparse_initializer)
        return part

    def leading_to(
        self, names: Collection[str], given: Collection[str]
    ) -> tuple[list[int], set[str]]:
        """The numbers of the nodes that lead from some tensors to others, and all that they read.

        Args:
            names: the tensors that are wanted.
            given: tensors behind which nothing is needed.
        """
        found: set[int] = set()
        read, waiting = set(names), list(names)
        while waiting:
            name = waiting.pop()
            number = self._makers.get(name)
            if number is None or name in given or number in found:
                continue
            found.add(number)
            reads = set(read_by(self.model.graph.node[number])) - {""}
            waiting += reads - read
            read |= reads
        return sorted(found), read


def _without_constants(model: Any) -> Any:
    """A copy without initializers and `Constant` nodes; a large file is let go of with `model`."""
    import onnx

    graph = model.graph
    copy = onnx.ModelProto(ir_version=max(model.ir_version, 4))
    copy.opset_import.extend(model.opset_import)
    copy.graph.name = graph.name
    copy.graph.input.extend(graph.input)
    copy.graph.output.extend(graph.output)
    copy.graph.sparse_initializer.extend(graph.sparse_initializer)
    copy.graph.node.extend(node for node in graph.node if constant_tensor(node) is None)
    return copy


def _values(item: Any) -> Any:
    """An `onnxruntime.OrtValue` as an array; None for a sequence of tensors."""
    return item.numpy() if item.is_tensor() else None


def _constants(graph: Any) -> Iterator[Any]:
    """The constants of a graph as tensors."""
    yield from graph.initializer
    yield from filter(None, map(constant_tensor, graph.node))


def constant_tensor(node: Any) -> Any:
    """The tensor of a `Constant` node under its name; None for text, and for other nodes."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    if node.op_type != "Constant":
        return None
    types = {"value_float": "f4", "value_floats": "f4", "value_int": "i8", "value_ints": "i8"}
    for attribute in node.attribute:
        if attribute.name == "value":
            tensor = TensorProto()
            tensor.CopyFrom(attribute.t)
            tensor.name = node.output[0]
            return tensor
        if attribute.name in types:
            values = np.array(helper.get_attribute_value(attribute), types[attribute.name])
            return numpy_helper.from_array(values, node.output[0])
    return None
