"""What the first operator of each case in `onnx_cases` is, in the words of `deltann.steps`.

By the case's name: the kind, the attributes, and the shapes of the parameters.
"""

BOTH = ["H", "W"]
WEIGHT = {"weight": [6, 4, 3, 2]}
WINDOW = {"strides": [2, 2], "dilations": [1, 1], "groups": 1}
EXPECTED: dict[str, tuple] = {
    "convolution": (
        "convolution",
        WINDOW | {"strides": [2, 1], "pads": [0, 1, 2, 3]},
        WEIGHT,
    ),
    "convolution, upper": (
        "convolution",
        WINDOW | {"pads": [1, 0, 1, 1]},
        WEIGHT,
    ),
    "convolution, lower": (
        "convolution",
        WINDOW | {"pads": [1, 1, 1, 0]},
        WEIGHT,
    ),
    "convolution, valid": (
        "convolution",
        WINDOW | {"strides": [1, 1], "pads": [0] * 4},
        WEIGHT,
    ),
    "convolution, grouped": (
        "convolution",
        {"strides": [1, 1], "dilations": [1, 1], "groups": 2, "pads": [0] * 4},
        {"weight": [6, 2, 3, 3], "bias": [6]},
    ),
    "transposed": (
        "transposed_convolution",
        WINDOW | {"pads": [1, 0, 0, 1], "output_padding": [1, 0]},
        {"weight": [4, 3, 3, 3]},
    ),
    "transposed, upper": (
        "transposed_convolution",
        WINDOW | {"pads": [0, 0, 1, 1], "output_padding": [0, 0]},
        {"weight": [4, 3, 3, 3]},
    ),
    "transposed, lower": (
        "transposed_convolution",
        WINDOW | {"pads": [1, 1, 0, 0], "output_padding": [0, 0]},
        {"weight": [4, 3, 3, 3]},
    ),
    "transposed, sized": (
        "transposed_convolution",
        WINDOW | {"pads": [1, 1, 0, 0], "output_padding": [0, 0]},
        {"weight": [4, 3, 3, 3]},
    ),
    "gemm": ("dense", {}, {"weight": [5, 99], "bias": [5]}),
    "gemm, one number": ("dense", {}, {"weight": [5, 99], "bias": [5]}),
    "matmul": ("dense", {}, {"weight": [5, 99]}),
    "matmul of two": ("matmul", {"transpose_a": False, "transpose_b": False}, {}),
    "batch norm": (
        "batch_norm",
        {"epsilon": 1e-5, "training": False},
        dict.fromkeys(("scale", "shift", "mean", "variance"), [4]),
    ),
    "max pool": (
        "max_pool",
        {"kernel": [3, 2], "strides": [2, 2], "dilations": [1, 1], "pads": [1, 1, 1, 0]}
        | {"ceil_mode": False},
        {},
    ),
    "average pool": (
        "average_pool",
        {"kernel": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": False}
        | {"count_include_pad": False},
        {},
    ),
    "global pool": ("mean", {"axes": BOTH, "keepdims": True}, {}),
    "mean": ("mean", {"axes": BOTH, "keepdims": False}, {}),
    "mean, new": ("mean", {"axes": ["C"], "keepdims": True}, {}),
    "sum": ("sum", {"axes": BOTH, "keepdims": False}, {}),
    "relu": ("clip", {"min": 0, "max": None}, {}),
    "clip": ("clip", {"min": -0.5, "max": 0.25}, {}),
    "clip, new": ("clip", {"min": None, "max": 0.3}, {}),
    "leaky relu": ("leaky_relu", {"slope": 0.01}, {}),
    "elu": ("elu", {"alpha": 0.7}, {}),
    "hard sigmoid": ("hard_sigmoid", {"alpha": 0.2, "beta": 0.5}, {}),
    "hard swish": ("hard_swish", {}, {}),
    "gelu": ("gelu", {"approximate": "tanh"}, {}),
    "prelu": ("prelu", {}, {"slope": [4]}),
    "softmax": ("softmax", {"axis": "C"}, {}),
    "softmax, old": ("softmax", {"axis": 1}, {}),
    "softmax, old, over all": ("other", {}, {}),
    "log softmax": ("log_softmax", {"axis": "W"}, {}),
    "add": ("add", {}, {"operand": [4]}),
    "add, along x": ("add", {}, {"operand": [1, 1, 1, 11]}),
    "subtract from": ("subtract", {"constant_first": True}, {"operand": []}),
    "maximum": ("maximum", {}, {"operand": [4]}),
    "pad": ("pad", {"pads": [1, 2, 3, 0], "value": 7, "mode": "constant"}, {}),
    "pad, axes": ("pad", {"pads": [0, 1, 0, 2], "value": 0, "mode": "reflect"}, {}),
    "pad, old": ("pad", {"pads": [1, 1, 1, 1], "value": 0, "mode": "edge"}, {}),
    "pad, channels": ("other", {}, {"input_1": [8]}),
    "resize": (
        "resize",
        {"size": [13, 17], "mode": "nearest", "antialias": False, "coordinates": "half_pixel"}
        | {"rounding": "round_prefer_floor", "scales": [1.5, 1.6]},
        {},
    ),
    "resize, sizes": (
        "resize",
        {"size": [13, 17], "mode": "cubic", "antialias": False}
        | {"coordinates": "pytorch_half_pixel"},
        {},
    ),
    "resize, new": (
        "resize",
        {"size": [13, 17], "mode": "linear", "antialias": True, "coordinates": "half_pixel"},
        {},
    ),
    "resize, old": (
        "resize",
        {"size": [18, 33], "mode": "nearest", "antialias": False, "coordinates": "asymmetric"}
        | {"rounding": "floor"},
        {},
    ),
    "upsample": (
        "resize",
        {"size": [18, 33], "mode": "linear", "antialias": False, "coordinates": "asymmetric"},
        {},
    ),
    "flatten": ("reshape", {"shape": [4, 99]}, {}),
    "reshape": ("reshape", {"shape": [1, 132, 3]}, {}),
    "reshape by shape": ("reshape", {"shape": [1, 396]}, {}),
    "squeeze": ("reshape", {"shape": [4, 9, 11]}, {}),
    "unsqueeze": ("reshape", {"shape": [1, 1, 4, 9, 11]}, {}),
    "transpose": ("transpose", {"permutation": [3, 2, 1, 0]}, {}),
    "concat": ("concat", {"axis": "C"}, {"input_0": [1, 2, 9, 11]}),
    "slice": (
        "slice",
        {"axes": BOTH, "starts": [8, 1], "ends": [-1, 11], "steps": [-2, 3]},
        {},
    ),
    "slice, old": ("slice", {"axes": ["W"], "starts": [1], "ends": [10], "steps": [1]}, {}),
    "split": ("split", {"axis": "C", "sizes": [1, 3]}, {}),
    "split, old": ("split", {"axis": "C", "sizes": [2, 2]}, {}),
    "cast": ("cast", {"dtype": "float16"}, {}),
    "lrn": ("lrn", {"size": 3, "alpha": 1e-4, "beta": 0.75, "bias": 1}, {}),
    "dropout": ("identity", {}, {}),
    "computed weight": (
        "convolution",
        WINDOW | {"strides": [1, 1], "pads": [0] * 4},
        {"weight": [6, 4, 3, 3]},
    ),
    "quantized": (
        "convolution",
        WINDOW | {"strides": [1, 1], "pads": [0] * 4},
        {"weight": [6, 4, 3, 3]},
    ),
    "branches": ("other", {}, {"input_0": []}),
    "other": ("other", {"epsilon": 0.1}, {"input_1": [4], "input_2": [4]}),
}
