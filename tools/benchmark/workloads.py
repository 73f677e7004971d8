"""Training steps to be timed, each written once for both: the names are PyTorch's."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "Library",
    "LIBRARIES",
    "WORKLOADS",
    "images",
    "text",
    "training",
    "perceptron",
    "lenet",
    "characters",
]


class Library(NamedTuple):
    """The same vocabulary twice: modules, functions, optimizers, tensors, gradients, and none."""

    nn: Any
    F: Any
    optim: Any
    tensor: Callable
    # (scalar, [x, ...], create_graph) → [d scalar / d x, ...], to be differentiated again if so
    # wished
    slopes: Callable
    no_grad: Callable


def _ours():
    from dlscratch import functional, layers, optimizers
    from dlscratch.engine import Tensor, gradients, no_grad

    make = lambda a, requires_grad=False: (
        Tensor(a, requires_grad=requires_grad) if a.dtype.kind == "f" else a
    )
    return Library(
        layers,
        functional,
        optimizers,
        make,
        lambda y, xs, keep: gradients(y, xs, create_graph=keep),
        no_grad,
    )


def _pytorch():
    import torch

    slopes = lambda y, xs, keep: torch.autograd.grad(y, xs, create_graph=keep)
    make = lambda a, requires_grad=False: torch.tensor(a, requires_grad=requires_grad)
    return Library(torch.nn, torch.nn.functional, torch.optim, make, slopes, torch.no_grad)


LIBRARIES = {"dlscratch": _ours, "PyTorch": _pytorch}


def images(*shape, classes=10):
    """(normal numbers of this shape, a class for each)."""
    rng = np.random.default_rng(0)
    return rng.normal(size=shape).astype("float32"), rng.integers(0, classes, shape[0])


def text(batch, steps, vocab=65):
    """(ids, the ids that follow), both (batch, steps)."""
    ids = np.random.default_rng(0).integers(0, vocab, (batch, steps + 1))
    return ids[:, :-1], ids[:, 1:]


def training(lib, model, optimizer, X, y):
    """(model, step): step() trains on one batch and returns the loss."""
    x, t = lib.tensor(X), lib.tensor(y.ravel())

    def step():
        optimizer.zero_grad()
        logits = model(x)
        loss = lib.F.cross_entropy(logits.reshape((-1, logits.shape[-1])), t)
        loss.backward()
        optimizer.step()
        return loss.item()

    return model, step


def perceptron(lib, sizes, act=None, norm=False):
    """Linear layers of these sizes; between them ReLU or `act`, and batch norm if so wished."""
    nn, parts = lib.nn, []
    for n, m in zip(sizes, sizes[1:]):
        parts += [
            nn.Linear(n, m),
            *([nn.BatchNorm1d(m)] if norm and m != sizes[-1] else []),
            (act or nn.ReLU)(),
        ]
    return nn.Sequential(*parts[:-1])


def _mlp(lib, sizes, batch):
    model = perceptron(lib, sizes)
    return training(lib, model, lib.optim.Adam(model.parameters()), *images(batch, sizes[0]))


def _convolutions(lib):
    nn = lib.nn
    parts = [
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
    ]
    model = nn.Sequential(*parts, nn.Flatten(), nn.Linear(2048, 10))
    return training(
        lib, model, lib.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), *images(64, 1, 8, 8)
    )


def lenet(lib):
    """Two convolutions with pooling, two linear layers, for images of 28×28."""
    nn = lib.nn
    parts = [
        nn.Conv2d(1, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
    ]
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, 10))


def _lenet(lib):
    model = lenet(lib)
    return training(lib, model, lib.optim.Adam(model.parameters()), *images(64, 1, 28, 28))


def characters(lib, kind):
    """Predict the next of 65 characters with nn.LSTM or another layer, 32 steps, batch 32."""

    class Characters(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.recurrent = (
                lib.nn.Embedding(65, 128),
                getattr(lib.nn, kind)(128, 128, batch_first=True),
            )
            self.head = lib.nn.Linear(128, 65)

        def forward(self, ids):
            return self.head(self.recurrent(self.embedding(ids))[0])

    model = Characters()
    return training(lib, model, lib.optim.Adam(model.parameters()), *text(32, 32))


def _gpt(lib, depth=4, width=128, heads=4, context=64):
    nn = lib.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.qkv, self.out = (
                nn.LayerNorm(width),
                nn.Linear(width, 3 * width),
                nn.Linear(width, width),
            )
            self.norm2, self.up, self.down = (
                nn.LayerNorm(width),
                nn.Linear(width, 4 * width),
                nn.Linear(4 * width, width),
            )

        def forward(self, x):
            N, T, _ = x.shape
            qkv = self.qkv(self.norm1(x)).reshape((N, T, 3, heads, width // heads)).swapaxes(1, 3)
            y = lib.F.scaled_dot_product_attention(
                qkv[:, :, 0], qkv[:, :, 1], qkv[:, :, 2], is_causal=True
            )
            x = x + self.out(y.swapaxes(1, 2).reshape((N, T, width)))
            return x + self.down(lib.F.gelu(self.up(self.norm2(x))))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.positions = nn.Embedding(65, width), nn.Embedding(context, width)
            self.blocks = nn.Sequential(*[Block() for _ in range(depth)])
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 65)

        def forward(self, ids):
            x = self.tokens(ids) + self.positions(lib.tensor(np.arange(ids.shape[1])))
            return self.head(self.norm(self.blocks(x)))

    model = GPT()
    return training(lib, model, lib.optim.AdamW(model.parameters(), lr=3e-4), *text(12, context))


def _penalty(lib):
    """The gradient penalty of a critic: a gradient of a gradient at every step."""
    nn = lib.nn
    model = nn.Sequential(
        nn.Linear(2, 256),
        nn.LeakyReLU(0.2),
        nn.Linear(256, 256),
        nn.LeakyReLU(0.2),
        nn.Linear(256, 1),
    )
    optimizer, x = (
        lib.optim.Adam(model.parameters()),
        lib.tensor(images(256, 2)[0], requires_grad=True),
    )

    def step():
        optimizer.zero_grad()
        (g,) = lib.slopes(model(x).sum(), [x], True)
        loss = (((g * g).sum(1) ** 0.5 - 1) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    return model, step


def _chain(lib):
    def step():
        y = x = lib.tensor(np.array(0.5, "float32"), requires_grad=True)
        for _ in range(5000):
            y = y * 0.999 + 0.001
        y.backward()
        return float(x.grad)

    return None, step


WORKLOADS = {
    "W1 MLP 64-128-128-10": lambda lib: _mlp(lib, [64, 128, 128, 10], 64),
    "W2 MLP 784-512-512-10": lambda lib: _mlp(lib, [784, 512, 512, 10], 128),
    "W3 conv, batch norm 8×8": _convolutions,
    "W4 LeNet 28×28": _lenet,
    "W5 LSTM, 32 characters": lambda lib: characters(lib, "LSTM"),
    "W6 GPT, 4 layers": _gpt,
    "W7 gradient penalty": _penalty,
    "W8 chain of 10,000 scalars": _chain,
}
