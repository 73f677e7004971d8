"""Arrays belong to whoever holds them.

Training on changes none of them, and backward changes nothing that it reads.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import functional as F
from dlscratch import layers as nn
from dlscratch import optimizers
from dlscratch.engine import Tensor, gradients

# What a user holds --------------------------------------------------------------------------------


class Last(nn.LSTM):
    """The last output of a sequence."""

    def forward(self, x):
        return super().forward(x)[0][:, -1]


class LastGRU(nn.GRU):
    """The last output of a sequence."""

    def forward(self, x):
        return super().forward(x)[0][:, -1]


def encoder():
    return nn.TransformerEncoderLayer(
        32, 2, 128, 0.0, "gelu", batch_first=True, norm_first=True, rng=0
    )


def head():
    return nn.Flatten(), nn.Linear(512, 3, rng=1)


# the layers, and the shape of a batch: large enough for arrays of 64 KB and more, which an
# allocator or a pool hands out again
MODELS = {
    "dense": (
        lambda: [
            nn.Linear(40, 256, rng=0),
            nn.ReLU(),
            nn.BatchNorm1d(256),
            nn.Tanh(),
            nn.Linear(256, 3, rng=1),
        ],
        (96, 40),
    ),
    "convolutional": (
        lambda: [
            nn.Conv2d(1, 8, 3, padding=1, rng=0),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.MaxPool2d(2),
            *head(),
        ],
        (24, 1, 16, 16),
    ),
    "transformer": (lambda: [encoder(), *head()], (12, 16, 32)),
    "lstm": (
        lambda: [Last(16, 64, batch_first=True, rng=0), nn.Linear(64, 3, rng=1)],
        (16, 12, 16),
    ),
    "gru": (
        lambda: [LastGRU(16, 64, batch_first=True, rng=0), nn.Linear(64, 3, rng=1)],
        (16, 12, 16),
    ),
}


def arrays_in(x):
    """All arrays inside x: Tensors, tuples, lists, dicts and objects that an operation saved."""
    if isinstance(x, Tensor):
        yield x.data
    elif isinstance(x, np.ndarray):
        yield x
    elif isinstance(x, tuple | list):
        for item in x:
            yield from arrays_in(item)
    elif hasattr(x, "__dict__") and not callable(x):
        yield from arrays_in(list(vars(x).values()))


def graph(y):
    """All nodes behind y."""
    found, stack = {y}, [y]
    while stack:
        for x in stack.pop().inputs or ():
            if isinstance(x, Tensor) and x not in found:
                found.add(x)
                stack.append(x)
    return found


def saved(y):
    """The values of the computed nodes behind y and what was saved; parameters do change."""
    for node in graph(y):
        if node.op is not None:
            yield from arrays_in([node.data, node.saved])


def random_view(array, rng):
    """The array, or a part of it, in another shape: it keeps the memory alive as a whole does."""
    if array.ndim == 0 or array.size == 0:
        return array
    i = rng.integers(len(array))
    return [array, array[i:], array[i], array.T, array[..., ::-1], array[: i + 1]][rng.integers(6)]


@given(
    st.sampled_from(sorted(MODELS)),
    st.sampled_from(["SGD", "Adam", "AdamW", "RMSprop"]),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=25, deadline=None)
def test_nothing_that_is_held_changes(kind, optimizer, seed):
    rng, (parts, shape) = np.random.default_rng(seed), MODELS[kind]
    model = nn.Sequential(*parts())
    parameters = model.parameters()
    optimizer, held = getattr(optimizers, optimizer)(parameters, lr=0.01), []

    def hold(arrays):
        held.extend(
            (view, view.copy())
            for view in (random_view(np.asarray(a), rng) for a in arrays if rng.random() < 0.5)
        )

    for module in model.modules():
        module.register_forward_hook(lambda module, inputs, y: hold(arrays_in(y)))
    for _ in range(4):
        x, t = rng.normal(size=shape).astype("float32"), rng.integers(0, 3, shape[0])
        loss = F.cross_entropy(model(Tensor(x, requires_grad=True)), t)
        memory = [p.data for p in parameters]
        hold(a for a in saved(loss) if not any(np.may_share_memory(a, p) for p in memory))
        hold([x, t, *(g.data for g in gradients(loss, list(parameters), retain_graph=True))])
        optimizer.zero_grad()
        loss.backward(retain_graph=bool(rng.integers(2)))
        optimizer.step()
        hold([*model.state_dict().values(), *optimizer.state_dict().values(), loss.data])
        for view, before in held:
            np.testing.assert_array_equal(view, before)
    assert len(held) > 20


def test_what_is_documented_to_change():
    """p.data and p.grad are the model's own memory.

    These do change, and the property above would see it.
    """
    model = nn.Linear(3, 2, rng=0)
    optimizer = optimizers.SGD(model.parameters(), lr=0.1)
    np.sum(model(Tensor(np.ones((4, 3), "float32")))).backward()
    views = [model.weight.data, model.weight.grad]
    before = [v.copy() for v in views]
    optimizer.step()
    optimizer.zero_grad()
    assert not any(map(np.array_equal, views, before))


# A graph that is kept -----------------------------------------------------------------------------


def draw(*shapes):
    rng = np.random.default_rng(3)
    return [rng.normal(size=s).astype("float32") for s in shapes]


N, T, D, H = 12, 9, 16, 24
IDS = np.random.default_rng(4).integers(0, 5, 60)
OPERATIONS = {
    "linear": (F.linear, draw((60, 40), (30, 40), (30,))),
    "conv2d": (
        lambda x, W, b: F.conv2d(x, W, b, padding=1),
        draw((N, 3, 10, 10), (8, 3, 3, 3), (8,)),
    ),
    "conv2d, strides and groups": (
        lambda x, W: F.conv2d(x, W, stride=2, groups=2),
        draw((N, 4, 9, 9), (6, 2, 3, 3)),
    ),
    "conv_transpose2d": (
        lambda x, W, b: F.conv_transpose2d(x, W, b, stride=2),
        draw((N, 4, 5, 5), (4, 3, 3, 3), (3,)),
    ),
    "batch norm": (
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
        draw((50, 20), (20,), (20,)),
    ),
    "batch norm of images": (
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
        draw((N, 4, 7, 7), (4,), (4,)),
    ),
    "layer norm": (lambda x, w, b: F.layer_norm(x, D, w, b), draw((N, T, D), (D,), (D,))),
    "group norm": (lambda x, w, b: F.group_norm(x, 2, w, b), draw((N, 4, 6, 6), (4,), (4,))),
    "attention": (F.scaled_dot_product_attention, draw(*[(N, 2, T, D)] * 3)),
    "causal attention": (
        lambda *qkv: F.scaled_dot_product_attention(*qkv, is_causal=True),
        draw(*[(N, 2, T, D)] * 3),
    ),
    "tiled attention": (lambda *qkv: F.tiled_attention(*qkv, block=4), draw(*[(N, 2, T, D)] * 3)),
    "rnn": (lambda *a: F.rnn(*a)[0], draw((N, T, D), (N, H), (H, D), (H, H), (H,), (H,))),
    "lstm": (
        lambda *a: F.lstm(*a)[0],
        draw((N, T, D), (N, H), (N, H), (4 * H, D), (4 * H, H), (4 * H,), (4 * H,)),
    ),
    "lstm, last cell": (
        lambda *a: F.lstm(*a)[2],
        draw((N, T, D), (N, H), (N, H), (4 * H, D), (4 * H, H), (4 * H,), (4 * H,)),
    ),
    "gru": (
        lambda *a: F.gru(*a)[0],
        draw((N, T, D), (N, H), (3 * H, D), (3 * H, H), (3 * H,), (3 * H,)),
    ),
    "relu": (F.relu, draw((60, 40))),
    "leaky relu": (F.leaky_relu, draw((60, 40))),
    "gelu": (F.gelu, draw((60, 40))),
    "gelu by tanh": (lambda x: F.gelu(x, approximate="tanh"), draw((60, 40))),
    "silu": (F.silu, draw((60, 40))),
    "softmax": (lambda x: F.softmax(x, -1), draw((60, 40))),
    "log-softmax": (lambda x: F.log_softmax(x, -1), draw((60, 40))),
    "cross-entropy": (lambda x: F.cross_entropy(x, IDS), draw((60, 5))),
    "cross-entropy of each": (lambda x: F.cross_entropy(x, IDS, reduction="none"), draw((60, 5))),
    "max-pool": (lambda x: F.max_pool2d(x, 2), draw((N, 3, 8, 8))),
    "max-pool that overlaps": (lambda x: F.max_pool2d(x, 3, 2, 1), draw((N, 3, 9, 9))),
    "average-pool": (lambda x: F.avg_pool2d(x, 2), draw((N, 3, 8, 8))),
    "embedding": (lambda W: F.embedding(IDS, W), draw((5, 16))),
    "slices": (lambda x: x[1:] * x[:-1] + x[0], draw((60, 40))),
}


@pytest.mark.parametrize("layout", ["as it comes", "last axis first", "one number repeated"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_backward_changes_nothing_that_it_reads(name, layout):
    """Twice through one graph.

    Equal gradients; and inputs, output, what was saved and the incoming gradient are as before.
    """
    operation, inputs = OPERATIONS[name]
    leaves = [Tensor(x, requires_grad=True) for x in inputs]
    y = operation(*(x * 1 for x in leaves))
    seed = np.random.default_rng(5).normal(size=y.shape).astype("float32")
    if layout == "last axis first":
        seed = seed.T.copy().T
    if layout == "one number repeated":
        seed = np.broadcast_to(np.float32(0.5), y.shape)
    held = [*inputs, seed, *arrays_in([list(graph(y)), [node.saved for node in graph(y)]])]
    before = [np.array(a) for a in held]
    once, twice = (
        [np.array(g.data) for g in gradients(y, leaves, seed, retain_graph=True)] for _ in range(2)
    )
    for a, b in zip([*once, *held], [*twice, *before], strict=True):
        np.testing.assert_array_equal(a, b)


def test_gradients_share_no_memory_with_each_other():
    """One incoming gradient that goes to two inputs.

    What is done to the one must not reach the other.
    """
    x, y = (Tensor(np.ones(20_000), requires_grad=True) for _ in range(2))
    (x + y).backward(np.full(20_000, 3.0))
    x.grad *= 2
    assert y.grad[0] == 3 and x.grad[0] == 6
