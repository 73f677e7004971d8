"""Further rows for the race: what the eight workloads leave out.

Written once for both libraries, as they are.
"""

import numpy as np

from .workloads import WORKLOADS, characters, images, lenet, perceptron, training

__all__ = ["FURTHER", "ROWS"]


def _convolutions(lib, channels=32):
    nn = lib.nn
    parts = [f for _ in range(2) for f in (nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU())]
    model = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))
    return training(
        lib, model, lib.optim.SGD(model.parameters(), lr=0.1), *images(32, channels, 32, 32)
    )


def _vit(lib):
    model = lib.nn.TransformerEncoderLayer(
        128, 4, 512, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    x, optimizer = lib.tensor(images(16, 65, 128)[0]), lib.optim.AdamW(model.parameters(), lr=3e-4)

    def step():
        optimizer.zero_grad()
        loss = lib.F.mse_loss(model(x), -x)
        loss.backward()
        optimizer.step()
        return loss.item()

    return model, step


def _normed(lib):
    model = perceptron(lib, [784, 256, 256, 10], norm=True)
    return training(lib, model, lib.optim.Adam(model.parameters()), *images(128, 784))


def _words(lib):
    class Mean(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.head = lib.nn.Embedding(5000, 128), lib.nn.Linear(128, 10)

        def forward(self, ids):
            return self.head(self.embedding(ids).mean(1))

    model, rng = Mean(), np.random.default_rng(0)
    return training(
        lib,
        model,
        lib.optim.Adam(model.parameters()),
        rng.integers(0, 5000, (32, 64)),
        rng.integers(0, 10, 32),
    )


def _inference(lib, model, *shape):
    """Nothing is trained: step() returns the logits of a single example."""
    x = lib.tensor(images(1, *shape)[0])
    model.eval()

    def step():
        with lib.no_grad():
            return model(x).tolist()

    return model, step


def _curvature(lib):
    """Hv, the Hessian of the loss times a vector, as the gradient of (dL/dtheta)ᵀ v.

    step() returns vᵀ H v.
    """
    model = perceptron(lib, [64, 128, 128, 10], act=lib.nn.Tanh)
    x, t = map(lib.tensor, images(64, 64))
    parameters, rng = list(model.parameters()), np.random.default_rng(1)
    v = [lib.tensor(rng.normal(size=tuple(p.shape)).astype("float32")) for p in parameters]
    along = lambda gs: sum((g * u).sum() for g, u in zip(gs, v))

    def step():
        slope = along(lib.slopes(lib.F.cross_entropy(model(x), t), parameters, True))
        return along(lib.slopes(slope, parameters, False)).item()

    return model, step


FURTHER = {
    "F1 conv 32×32, 32 channels": _convolutions,
    "F2 ViT block, 65 patches": _vit,
    "F3 GRU, 32 characters": lambda lib: characters(lib, "GRU"),
    "F4 MLP with batch norm": _normed,
    "F5 inference, one LeNet": lambda lib: _inference(lib, lenet(lib), 1, 28, 28),
    "F6 inference, one MLP": lambda lib: _inference(lib, perceptron(lib, [784, 512, 512, 10]), 784),
    "F7 embedding, 5,000 words": _words,
    "F8 Hessian times vector": _curvature,
}
ROWS = WORKLOADS | FURTHER
