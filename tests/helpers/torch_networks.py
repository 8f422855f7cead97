"""Small PyTorch networks whose outputs and inputs have several forms."""

import torch
from torch import nn

SIZE, CLASSES = 32, 10
SHAPE = (1, 3, SIZE, SIZE)


class Plain(nn.Module):
    """One tensor."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.features, self.last = nn.Conv2d(3, 8, 3, 2, 1), nn.Linear(8, CLASSES)

    def logits(self, batch):
        return self.last(torch.relu(self.features(batch)).mean((2, 3)))

    def forward(self, batch):
        return self.logits(batch)


class Dict(Plain):
    def forward(self, batch):
        return {"features": self.features(batch), "logits": self.logits(batch)}


class Pair(Plain):
    def forward(self, batch):
        return self.features(batch), self.logits(batch)


class Nested(Plain):
    def forward(self, batch):
        return {"heads": [self.features(batch), self.logits(batch)]}


class Branch(Plain):
    def forward(self, batch):
        logits = self.logits(batch)
        if logits.mean() > 0:
            logits = logits * 2
        return {"features": self.features(batch), "logits": logits}


class Bytes(Plain):
    """Takes pixels as they are."""

    def logits(self, batch):
        return super().logits(batch / 255)


class BytesPair(Bytes):
    def forward(self, batch):
        return batch.amax((1, 2, 3)), self.logits(batch)
