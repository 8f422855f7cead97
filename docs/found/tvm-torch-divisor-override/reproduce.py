"""TVM's PyTorch importer drops AvgPool2d's divisor_override. Needs torch and apache-tvm."""

import numpy as np
import torch
import tvm
from tvm.relax.frontend.torch import from_exported_program

image = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
model = torch.nn.AvgPool2d(2, divisor_override=3).eval()
with torch.no_grad():
    source = model(torch.from_numpy(image)).numpy()
    program = torch.export.export(model, (torch.from_numpy(image),))
module = from_exported_program(program, unwrap_unit_return_tuple=True)
machine = tvm.relax.VirtualMachine(tvm.compile(module, target="llvm"), tvm.cpu())
converted = machine["main"](tvm.runtime.tensor(image)).numpy()
# the definition: the sum of each window, divided by 3
reference = image.reshape(1, 1, 2, 2, 2, 2).sum((3, 5)) / 3
print("PyTorch", source.ravel())
print("TVM    ", converted.ravel())
print("NumPy  ", reference.ravel())
print("wrong" if np.abs(converted - reference).max() > 1e-4 else "right")
