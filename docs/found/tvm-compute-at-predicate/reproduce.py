"""TVM's compute_at forgets where the last part of a split ends. Needs apache-tvm."""

import numpy as np
import tvm
from tvm import s_tir, te

ROWS, NUMBERS, LANES = 4, 21, 16
data = te.placeholder((ROWS, NUMBERS), name="data")
k = te.reduce_axis((0, NUMBERS), name="k")
total = te.compute((ROWS,), lambda i: te.sum(data[i, k], axis=k), name="total")
work = s_tir.Schedule(te.create_prim_func([data, total]))
block = work.get_sblock("total")
_, number = work.get_loops(block)
_, lane = work.split(number, [None, LANES])  # two vectors, of 16 numbers and of 5
vector = work.rfactor(lane, factor_axis=1)
row, _ = work.get_loops(block)
before = work.mod["main"].script()
work.compute_at(vector, row)
after = work.mod["main"].script()
library = tvm.compile(work.mod, "llvm")
numbers = np.ones((ROWS, NUMBERS), np.float32)
answer = tvm.runtime.tensor(np.zeros(ROWS, np.float32))
library["main"](tvm.runtime.tensor(numbers), answer)
print("predicates before compute_at", before.count("T.where"), "and after", after.count("T.where"))
# the last row's sum has numbers from behind the tensor
print("TVM  ", answer.numpy()[:-1])
print("NumPy", numbers.sum(1)[:-1])
print("right" if np.array_equal(answer.numpy()[:-1], numbers.sum(1)[:-1]) else "wrong")
