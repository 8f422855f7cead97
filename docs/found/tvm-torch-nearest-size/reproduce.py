"""TVM's PyTorch importer rounds nearest neighbours otherwise. Needs torch and apache-tvm."""

import numpy as np
import torch
import tvm
from tvm.relax.frontend.torch import from_exported_program


class Resize(torch.nn.Module):
    def forward(self, image):
        return torch.nn.functional.interpolate(image, size=(1, 7), mode="nearest")


image = np.arange(11, dtype=np.float32).reshape(1, 1, 1, 11)
model = Resize().eval()
with torch.no_grad():
    source = model(torch.from_numpy(image)).numpy()
    program = torch.export.export(model, (torch.from_numpy(image),))
module = from_exported_program(program, unwrap_unit_return_tuple=True)
machine = tvm.relax.VirtualMachine(tvm.compile(module, target="llvm"), tvm.cpu())
converted = machine["main"](tvm.runtime.tensor(image)).numpy()
# PyTorch's definition of nearest: floor(place * before / after)
reference = image[..., [place * 11 // 7 for place in range(7)]]
print("PyTorch", source.ravel())
print("TVM    ", converted.ravel())
print("NumPy  ", reference.ravel())
print("wrong" if np.abs(converted - reference).max() > 1e-4 else "right")
