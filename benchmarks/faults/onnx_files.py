"""What only ONNX files are changed in: names, the order of nodes, a further output."""

import random
from pathlib import Path
from typing import Any


def scramble(path: Path, seed: str) -> None:
    """Rename every node and every tensor but the input and the first output."""
    import onnx

    model = onnx.load(path)
    names = random.Random(seed)
    graph = model.graph
    kept = {"", *(item.name for item in graph.input), *(item.name for item in graph.output)}
    renamed: dict[str, str] = {name: name for name in kept}
    for node in graph.node:
        node.name = f"{names.getrandbits(40):010x}"
        node.doc_string = ""
        del node.metadata_props[:]
    for item in graph.initializer:
        item.name = renamed.setdefault(item.name, f"{names.getrandbits(40):010x}")
    for node in graph.node:
        for places in (node.input, node.output):
            for place, name in enumerate(places):
                places[place] = renamed.setdefault(name, f"{names.getrandbits(40):010x}")
    del graph.value_info[:]
    onnx.save(model, path)


def reorder(path: Path, seed: str) -> None:
    """Put the nodes in another order that still runs."""
    import onnx

    model = onnx.load(path)
    choose, waiting = random.Random(seed), list(model.graph.node)
    made = {"", *(item.name for item in model.graph.input)}
    made |= {item.name for item in model.graph.initializer}
    ordered: list[Any] = []
    while waiting:
        ready = [place for place, node in enumerate(waiting) if {*node.input} <= made]
        node = waiting.pop(choose.choice(ready))
        made |= {*node.output}
        ordered.append(node)
    del model.graph.node[:]
    model.graph.node.extend(ordered)
    onnx.save(model, path)


def add_output(path: Path, tensor: str, shape: tuple[int, ...]) -> None:
    """Have a file give a tensor from its middle before its answer."""
    import onnx

    model = onnx.load(path)
    answer = model.graph.output.pop()
    extra = onnx.helper.make_tensor_value_info(tensor, onnx.TensorProto.FLOAT, shape)
    model.graph.output.extend([extra, answer])
    onnx.save(model, path)
