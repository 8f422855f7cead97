"""The graph pass that moves a network into packed tensors (see `packed`)."""

import math
from typing import NamedTuple

from deltann.tvm import compat
from deltann.tvm.cpu import packed_operators

UNARY = (
    "relax.nn.relu",
    "relax.nn.relu6",
    "relax.nn.leakyrelu",
    "relax.nn.silu",
    "relax.clip",
    "relax.sigmoid",
    "relax.tanh",
)
BINARY = ("relax.add", "relax.subtract", "relax.multiply", "relax.maximum", "relax.minimum")


HANDLERS = {
    "relax.nn.conv2d": "conv2d",
    "relax.nn.max_pool2d": "pool",
    "relax.nn.avg_pool2d": "pool",
    "relax.nn.adaptive_avg_pool2d": "whole_pool",
    "relax.mean": "mean",
    "relax.nn.pad": "pad",
    "relax.concat": "concat",
    "relax.strided_slice": "channel_slice",
    "relax.permute_dims": "permute_dims",
    **dict.fromkeys(UNARY, "unary"),
    **dict.fromkeys(BINARY, "binary"),
}


class Packed(NamedTuple):
    """A variable in packed form, and the plain tensor it stands for: channels, and their axis."""

    variable: object
    channels: int
    axis: int


def pack_layout(lanes: int, registers: int):
    """Convolutions, and what lies between them, on packed tensors.

    TVM's own `ConvertLayout` packs only channels that the lanes divide, and nothing legalizes
    what it writes. Anything not known here is unpacked before, and stays as it is.

    Args:
        lanes: float32 numbers in a vector of the target.
        registers: the target's vector registers.
    """
    return _pass("PackLayout", lanes, registers, propagate=True)


def pack_operators(lanes: int, registers: int):
    """Each convolution and matrix product by a packed kernel of its own, tensors as they were.

    What the rules of `schedules` are made for, where no `pack_layout` went before: a convolution
    packs what it takes, and unpacks what it gives.
    """
    return _pass("PackOperators", lanes, registers, propagate=False)


def _pass(name: str, lanes: int, registers: int, propagate: bool):
    from tvm import ir, relax

    def apply(module, _):
        packer = _packer(lanes, registers, propagate)(module)
        for variable, function in module.functions_items():
            if isinstance(function, relax.Function):
                packer.builder_.update_func(variable, packer.visit_expr(function))
        return packer.builder_.finalize()

    return ir.transform.module_pass(apply, opt_level=0, name=name)


def _packer(lanes: int, registers: int, propagate: bool):
    """The mutator's class; made here since TVM must be imported first."""
    import numpy as np
    from tvm import relax, topi
    from tvm.relax.expr_functor import PyExprMutator, mutator

    handlers = HANDLERS if propagate else {"relax.nn.conv2d": "conv2d"}

    def sides(expression) -> list[int]:
        return [int(side) for side in expression.ty.shape]

    def blocks(channels: int) -> int:
        return math.ceil(channels / lanes)

    @mutator
    class Packer(PyExprMutator):
        def __init__(self, module) -> None:
            super().__init__(module)
            self.packed: dict = {}
            self.unpacked: dict = {}

        def visit_var_binding_(self, binding) -> None:
            handler = None
            if isinstance(binding.value, relax.Call):
                handler = handlers.get(getattr(binding.value.op, "name", None))
            found = handler and getattr(self, handler)(binding.value)
            if not found:
                super().visit_var_binding_(binding)
                return
            result, channels, axis = found
            if not isinstance(result, relax.Var):
                result = self.builder_.emit(result)
            self.packed[binding.var] = Packed(result, channels, axis)
            if propagate and isinstance(binding.var, relax.DataflowVar):
                return  # unpacked where somebody wants it so
            inner = isinstance(binding.var, relax.DataflowVar)
            emit = self.builder_.emit if inner else self.builder_.emit_output
            self.set_var_remap(binding.var, emit(self.whole(self.packed.pop(binding.var))))

        def visit_var_(self, variable):
            plain = self.plain(variable)
            return super().visit_var_(variable) if plain is None else plain

        def visit_dataflow_var_(self, variable):
            plain = self.plain(variable)
            return super().visit_dataflow_var_(variable) if plain is None else plain

        def plain(self, variable):
            """A packed variable unpacked, once for all that want it so; None for any other."""
            if variable not in self.packed:
                return None
            if variable not in self.unpacked:
                self.unpacked[variable] = self.builder_.emit(self.whole(self.packed[variable]))
            return self.unpacked[variable]

        def whole(self, item: Packed):
            return self.builder_.call_te(packed_operators.unpack, *item)

        def taken(self, argument, width: int, axis: int):
            """An argument in blocks of `width` channels."""
            if argument in self.packed:
                return self.packed[argument].variable
            plain = self.visit_expr(argument)
            return self.builder_.emit(
                self.builder_.call_te(packed_operators.pack, plain, width, axis)
            )

        def arranged(self, weight, room: list[int], shape: list[int], order: list[int]):
            """A weight padded with zeros to `room`, reshaped and transposed."""
            pairs = zip(sides(weight), room, strict=True)
            width = [end for side, whole in pairs for end in (0, whole - side)]
            if any(width):
                weight = self.builder_.emit(relax.op.nn.pad(weight, width))
            weight = self.builder_.emit(relax.op.reshape(weight, shape))
            return self.builder_.emit(relax.op.permute_dims(weight, order))

        def conv2d(self, call):
            attributes, weight = call.attrs, self.visit_expr(call.args[1])
            layout, kernel = attributes.data_layout, attributes.kernel_layout
            if not self.plainly(call, layout) or kernel not in ("OIHW", "HWIO", "HWOI"):
                return None
            axis = layout.index("C")
            groups, channels = int(attributes.groups), sides(call.args[0])[axis]
            if kernel != "OIHW":
                order = [kernel.index(letter) for letter in "OIHW"]
                weight = self.builder_.emit(relax.op.permute_dims(weight, order))
            if groups == 1:
                return self.dense_conv2d(call, weight, channels, axis)
            if groups == channels and sides(weight)[:2] == [channels, 1]:
                return self.depthwise_conv2d(call, weight, channels, axis)
            return None

        def plainly(self, call, layout: str) -> bool:
            """Whether an operator gives the layout that it takes, one we know, as it is here."""
            if layout not in ("NCHW", "NHWC") or call.attrs.out_layout not in ("", layout):
                return False
            item = self.packed.get(call.args[0])
            return item is None or item.axis == layout.index("C")

        def dense_conv2d(self, call, weight, channels: int, axis: int):
            depth = lanes if call.args[0] in self.packed else min(lanes, channels)
            outer = math.ceil(channels / depth)
            outputs, _, *window = sides(weight)
            count = blocks(outputs)
            room = [count * lanes, outer * depth, *window]
            shape = [count, lanes, outer, depth, *window]
            weight = self.arranged(weight, room, shape, [0, 2, 4, 5, 3, 1])
            data = self.taken(call.args[0], depth, axis)
            arguments = data, weight, call.attrs, registers
            hint = packed_operators.CONV2D
            result = self.builder_.call_te(
                packed_operators.conv2d, *arguments, primfunc_name_hint=hint
            )
            return result, outputs, axis

        def depthwise_conv2d(self, call, weight, channels: int, axis: int):
            count, window = blocks(channels), sides(weight)[2:]
            room, shape = [count * lanes, 1, *window], [count, lanes, *window]
            weight = self.arranged(weight, room, shape, [0, 2, 3, 1])
            data = self.taken(call.args[0], lanes, axis)
            arguments = data, weight, call.attrs, registers
            hint = packed_operators.DEPTHWISE
            result = self.builder_.call_te(
                packed_operators.depthwise, *arguments, primfunc_name_hint=hint
            )
            return result, channels, axis

        def visit_call_(self, call):
            name = getattr(call.op, "name", None)
            if name == "relax.matmul" and self.is_dense(call):
                return self.dense(call)
            if name == "relax.mean" and self.is_spatial(call):
                return self.flat_mean(call)
            return super().visit_call_(call)

        def is_dense(self, call) -> bool:
            known = [getattr(item.ty, "shape", None) for item in call.args]
            return all(shape is not None and len(list(shape)) == 2 for shape in known)

        def dense(self, call):
            """A matrix product; only its weight is packed."""
            data, weight = (self.visit_expr(item) for item in call.args)
            inputs, outputs = sides(weight)
            count = blocks(outputs)
            room, shape = [inputs, count * lanes], [inputs, count, lanes]
            weight = self.arranged(weight, room, shape, [1, 0, 2])
            hint = packed_operators.DENSE
            arguments = data, weight, outputs
            return self.builder_.call_te(
                packed_operators.dense, *arguments, primfunc_name_hint=hint
            )

        def unary(self, call):
            if call.args[0] not in self.packed:
                return None
            data, *rest = self.packed[call.args[0]]
            return relax.Call(call.op, [data, *call.args[1:]], call.attrs), *rest

        def binary(self, call):
            known = [self.packed[item] for item in call.args if item in self.packed]
            if not known:
                return None
            operands = [self.operand(item, known[0]) for item in call.args]
            if any(item is None for item in operands):
                return None
            return relax.Call(call.op, operands, call.attrs), *known[0][1:]

        def operand(self, argument, like: Packed):
            """A packed tensor as `like`, or a constant that fits it; otherwise None."""
            channels = like.channels
            if argument in self.packed:
                found = self.packed[argument]
                return found.variable if found[1:] == like[1:] else None
            array = self.constant(argument)
            if array is None:
                return None
            if array.size == 1:
                return relax.const(array.reshape(()))
            place = like.axis - 4  # from the end, where shapes are aligned
            if array.ndim < -place or not array.size == channels == array.shape[place]:
                return None
            room = np.zeros(blocks(channels) * lanes, np.float32)
            room[:channels] = array.reshape(-1)
            return relax.const(room.reshape(1, blocks(channels), 1, 1, lanes))

        def constant(self, expression):
            """The float32 array that an argument is known to be, or None."""
            if isinstance(expression, relax.Var):
                expression = self.lookup_binding(expression)
            array = compat.constant(expression)
            return None if array is None or array.dtype != np.float32 else array

        def concat(self, call):
            fields = call.args[0]
            if isinstance(fields, relax.Var):
                fields = self.lookup_binding(fields)
            known = [self.packed.get(item) for item in getattr(fields, "fields", [])]
            axis = int(call.attrs.axis) % 4
            if not known or not all(item and item.axis == axis for item in known):
                return None
            if any(item.channels % lanes for item in known[:-1]):
                return None
            joined = relax.op.concat([item.variable for item in known], axis=1)
            return joined, sum(item.channels for item in known), axis

        def channel_slice(self, call):
            """A range of channels, where it is one of whole blocks."""
            if call.args[0] not in self.packed or len(call.args) != 4:
                return None
            data, channels, axis = self.packed[call.args[0]]
            axes, begin, end = ([int(item.value) for item in part.fields] for part in call.args[1:])
            last = [channels, math.ceil(channels / lanes) * lanes]
            if axes != [axis] or begin[0] % lanes or (end[0] % lanes and end[0] not in last):
                return None
            stop = math.ceil(end[0] / lanes)
            cut = relax.op.strided_slice(data, [1], [begin[0] // lanes], [stop])
            return cut, end[0] - begin[0], axis

        def permute_dims(self, call):
            """Packed tensors are the same, wherever the plain ones have their channels."""
            order = call.attrs.axes
            if call.args[0] not in self.packed or order is None:
                return None
            data, channels, axis = self.packed[call.args[0]]
            moved = {1: [0, 2, 3, 1], 3: [0, 3, 1, 2]}[axis]
            return (data, channels, 4 - axis) if [*map(int, order)] == moved else None

        def pool(self, call):
            attributes = call.attrs
            if call.args[0] not in self.packed or not self.plainly(call, attributes.layout):
                return None
            data, *rest = self.packed[call.args[0]]
            kind = "max" if "max" in call.op.name else "avg"
            more = {}
            if kind == "avg":
                more["count_include_pad"] = attributes.count_include_pad
            result = self.builder_.call_te(
                topi.nn.pool2d,
                data,
                kernel=attributes.pool_size,
                stride=attributes.strides,
                dilation=attributes.dilation,
                padding=attributes.padding,
                pool_type=kind,
                ceil_mode=attributes.ceil_mode,
                layout=f"NCHW{lanes}c",
                primfunc_name_hint=f"{kind}_pool2d",
                **more,
            )
            return result, *rest

        def whole_pool(self, call):
            """An adaptive average pool to one pixel."""
            size = call.attrs.output_size
            known = call.args[0] in self.packed and self.plainly(call, call.attrs.layout)
            if not known or not size or [*map(int, size)] != [1, 1]:
                return None
            data, *rest = self.packed[call.args[0]]
            return relax.op.mean(data, axis=[2, 3], keepdims=True), *rest

        def is_spatial(self, call) -> bool:
            axes = sorted(int(axis) % 4 for axis in call.attrs.axis or [])
            return call.args[0] in self.packed and axes == self.places(call)

        def places(self, call) -> list[int]:
            """The axes of height and width in the plain tensor that an operator takes."""
            return [axis for axis in (1, 2, 3) if axis != self.packed[call.args[0]].axis]

        def mean(self, call):
            if not self.is_spatial(call) or not call.attrs.keepdims:
                return None
            return self.spatial_mean(call), *self.packed[call.args[0]][1:]

        def spatial_mean(self, call):
            data = self.packed[call.args[0]].variable
            return relax.op.mean(data, axis=[2, 3], keepdims=True)

        def flat_mean(self, call):
            """A mean over the picture that leaves (n, c)."""
            item = self.packed[call.args[0]]
            means = item._replace(variable=self.builder_.emit(self.spatial_mean(call)))
            return relax.op.squeeze(self.builder_.emit(self.whole(means)), axis=self.places(call))

        def pad(self, call):
            if call.args[0] not in self.packed or call.attrs.pad_mode != "constant":
                return None
            pairs = np.reshape([int(side) for side in call.attrs.pad_width], (4, 2))
            data, *rest = self.packed[call.args[0]]
            if pairs[[0, rest[1]]].any():
                return None
            width = [0, 0, 0, 0, *pairs[self.places(call)].ravel().tolist(), 0, 0]
            return relax.op.nn.pad(data, width, pad_value=call.attrs.pad_value), *rest

    return Packer
