"""Leaving out of an edited TFLite file what nothing needs any more."""

from typing import Any

from deltann.formats.tflite_file import TfliteFile


def leading(file: TfliteFile) -> set[int]:
    """The operators, by their `id`, that lead to an output of the file."""
    needed, found = set(file.graph.outputs), set()
    makers = file.makers()
    waiting = list(needed)
    while waiting:
        maker = makers.get(waiting.pop())
        if maker is not None and id(maker) not in found:
            found.add(id(maker))
            waiting += [index for index in maker.inputs if index >= 0]
    return found


def drop_operators(file: TfliteFile, kept: set[int]) -> None:
    """Leave out the operators that lead nowhere, except some, by their `id`."""
    useful = leading(file) | kept
    file.graph.operators = [item for item in file.graph.operators if id(item) in useful]


def drop_tensors(file: TfliteFile) -> None:
    """Leave out the tensors that no operator needs, and their buffers and kinds of operators."""
    signatures = [item for item in file.model.signatureDefs or [] if item.subgraphIndex == 0]
    maps = [item for signature in signatures for item in [*signature.inputs, *signature.outputs]]
    needed = {*file.graph.inputs, *file.graph.outputs, *(item.tensorIndex for item in maps)}
    for item in file.graph.operators:
        needed |= {*item.inputs, *item.outputs, *map(int, _some(item.intermediates))}
    kept = sorted(needed - {-1})
    places = {old: new for new, old in enumerate(kept)} | {-1: -1}
    for item in file.graph.operators:
        item.inputs = [places[index] for index in item.inputs]
        item.outputs = [places[index] for index in item.outputs]
        if item.intermediates is not None:
            item.intermediates = [places[int(index)] for index in item.intermediates]
    for item in maps:
        item.tensorIndex = places[item.tensorIndex]
    file.graph.inputs = [places[index] for index in file.graph.inputs]
    file.graph.outputs = [places[index] for index in file.graph.outputs]
    file.graph.tensors = [file.graph.tensors[old] for old in kept]
    file.names = [file.names[old] for old in kept]
    file.shapes = [file.shapes[old] for old in kept]
    file.computed = {}
    _drop_buffers(file)
    _drop_codes(file)


def _drop_buffers(file: TfliteFile) -> None:
    model = file.model
    tensors = [item for graph in model.subgraphs for item in graph.tensors or []]
    metadata = model.metadata or []
    needed = {0, *(item.buffer for item in [*tensors, *metadata])}
    needed |= {int(index) for index in _some(model.metadataBuffer)}
    kept = sorted(needed)
    places = {old: new for new, old in enumerate(kept)}
    for item in [*tensors, *metadata]:
        item.buffer = places[item.buffer]
    if model.metadataBuffer is not None:
        model.metadataBuffer = [places[int(index)] for index in model.metadataBuffer]
    model.buffers = [model.buffers[old] for old in kept]


def _drop_codes(file: TfliteFile) -> None:
    operators = [item for graph in file.model.subgraphs for item in graph.operators or []]
    kept = sorted({item.opcodeIndex for item in operators})
    places = {old: new for new, old in enumerate(kept)}
    for item in operators:
        item.opcodeIndex = places[item.opcodeIndex]
    file.model.operatorCodes = [file.model.operatorCodes[old] for old in kept]


def _some(values: Any) -> Any:
    return [] if values is None else values
