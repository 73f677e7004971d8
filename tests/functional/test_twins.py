"""Fast operations equal their textbook twins at orders 0, 1 and 2, and PyTorch's at 0 and 1."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import Tensor, grad
from dlscratch import functional as F
from dlscratch.functional import (
    activations,
    convolution,
    pooling,
    softmaxes,
)
from dlscratch.functional.linear import linear, textbook_linear
from dlscratch.functional.losses import classification
from dlscratch.functional.normalization import batch_norms, layer_norms

rng = np.random.default_rng(0)


def arrays(*shapes):
    return [rng.normal(size=s) for s in shapes]


def batch_last(N, C, H, W):
    return rng.normal(size=(C, H, W, N)).transpose(3, 0, 1, 2)


def conv(bias, **options):
    twins = [
        lambda *a, f=f: f(*a, **options) for f in (convolution.conv2d, convolution.textbook_conv2d)
    ]
    return *twins, arrays((2, 3, 6, 5), (4, 3, 3, 2), *bias)


Y = rng.integers(0, 5, 7)
TWINS = {
    "linear": (linear, textbook_linear, arrays((2, 3, 4), (5, 4), (5,))),
    "linear without bias": (linear, textbook_linear, arrays((3, 4), (5, 4))),
    "relu": (activations.relu, activations.textbook_relu, arrays((4, 5))),
    "sigmoid": (activations.sigmoid, activations.textbook_sigmoid, arrays((4, 5))),
    "gelu": (activations.gelu, activations.textbook_gelu, arrays((4, 5))),
    "gelu tanh": (
        lambda x: activations.gelu(x, approximate="tanh"),
        lambda x: activations.textbook_gelu(x, "tanh"),
        arrays((4, 5)),
    ),
    "softmax": (softmaxes.softmax, softmaxes.textbook_softmax, arrays((4, 5))),
    "softmax of columns": (
        lambda x: softmaxes.softmax(x, axis=0),
        lambda x: softmaxes.textbook_softmax(x, 0),
        arrays((4, 5)),
    ),
    "log_softmax": (softmaxes.log_softmax, softmaxes.textbook_log_softmax, arrays((4, 5))),
    "layer_norm": (
        layer_norms._layer_norm,
        layer_norms.textbook_layer_norm,
        arrays((4, 3, 5), (5,), (5,)),
    ),
    "layer_norm of two axes": (
        lambda x, b: layer_norms._layer_norm(x, None, b, axes=(-2, -1)),
        lambda x, b: layer_norms.textbook_layer_norm(x, None, b, axes=(-2, -1)),
        arrays((4, 3, 5), (3, 5)),
    ),
    "prelu": (activations.prelu, activations.textbook_prelu, arrays((4, 5), (5,))),
    "prelu of images": (activations.prelu, activations.textbook_prelu, arrays((2, 3, 4), (3,))),
    "prelu, one slope": (activations.prelu, activations.textbook_prelu, arrays((4, 5), (1,))),
    "hardtanh": (activations.hardtanh, activations.textbook_hardtanh, arrays((4, 5))),
    "leaky_relu": (activations.leaky_relu, activations.textbook_leaky_relu, arrays((4, 5))),
    "normalized channels": (
        batch_norms._batch_norm,
        batch_norms.textbook_batch_norm,
        [batch_last(3, 4, 2, 5), *arrays((4,), (4,))],
    ),
    "normalized channels, bias only": (
        lambda x, b: batch_norms._batch_norm(x, None, b),
        lambda x, b: batch_norms.textbook_batch_norm(x, None, b),
        arrays((4, 3, 2, 3), (3,)),
    ),
    "scaled channels": (
        batch_norms._scale_channels,
        batch_norms.textbook_scale_channels,
        [batch_last(3, 4, 2, 5), *arrays((4,), (4,))],
    ),
    "normalized columns": (
        batch_norms._batch_norm,
        batch_norms.textbook_batch_norm,
        arrays((5, 3), (3,)),
    ),
    "conv2d": conv([(4,)], padding=1),
    "conv2d strided": conv([(4,)], stride=2, padding=(0, 1)),
    "conv2d without bias": conv([]),
    "max_pool2d": (
        lambda x: pooling.max_pool2d(x, kernel_size=2),
        lambda x: pooling.textbook_max_pool2d(x, 2),
        arrays((2, 3, 6, 4)),
    ),
    "max_pool2d overlapping": (
        lambda x: pooling.max_pool2d(x, kernel_size=3, stride=2),
        lambda x: pooling.textbook_max_pool2d(x, 3, 2),
        arrays((2, 3, 7, 5)),
    ),
    "max_pool2d over the border": (
        lambda x: pooling.max_pool2d(x, kernel_size=(3, 2), stride=2, padding=1, ceil_mode=True),
        lambda x: pooling.textbook_max_pool2d(x, (3, 2), 2, 1, ceil_mode=True),
        arrays((2, 3, 6, 5)),
    ),
    "cross_entropy": (
        lambda z: classification.cross_entropy(z, Y),
        lambda z: classification.textbook_cross_entropy(z, Y),
        arrays((7, 5)),
    ),
    "binary_cross_entropy_with_logits": (
        classification._binary_cross_entropy_with_logits,
        classification.textbook_binary_cross_entropy_with_logits,
        arrays((4, 5), (4, 5)),
    ),
    "binary_cross_entropy": (
        classification._binary_cross_entropy,
        classification.textbook_binary_cross_entropy,
        [rng.uniform(0.1, 0.9, (4, 5)), rng.uniform(0.1, 0.9, (4, 5))],
    ),
    **{
        name: (getattr(activations, name), getattr(activations, f"textbook_{name}"), arrays((4, 5)))
        for name in "elu logsigmoid softplus silu mish".split()
    },
}


def slope(f, inputs, weights):
    return grad(
        lambda *a: np.sum(f(*a) * weights), argnums=tuple(range(len(inputs))), create_graph=True
    )


@pytest.mark.parametrize("name", TWINS)
def test_fast_equals_textbook(name):
    fast, textbook, inputs = TWINS[name]
    np.testing.assert_allclose(fast(*inputs), textbook(*inputs), rtol=1e-10, atol=1e-12)
    w = rng.normal(size=np.shape(fast(*inputs)))
    us = arrays(*[x.shape for x in inputs])
    for order in (1, 2):
        results = []
        for f in (fast, textbook):
            if order == 1:  # without create_graph: the hand-derived gradient
                leaves = [Tensor(x, requires_grad=True) for x in inputs]
                np.sum(f(*leaves) * w).backward()
                results.append([x.grad for x in leaves])
            else:
                along = lambda *a, f=f: sum(
                    np.sum(g * u) for g, u in zip(slope(f, inputs, w)(*a), us, strict=True)
                )
                results.append(
                    [g.data for g in grad(along, argnums=tuple(range(len(inputs))))(*inputs)]
                )
        for a, b in zip(*results, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(3, 6),
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(0, 2),
)
def test_conv2d_equals_torch(n, c, size, kernel, stride, padding):
    torch = pytest.importorskip("torch")
    x, W, b = arrays((n, c, size, size + 1), (2, c, kernel, kernel), (2,))
    ours = [Tensor(a, requires_grad=True) for a in (x, W, b)]
    theirs = [torch.tensor(a, requires_grad=True) for a in (x, W, b)]
    y, t = (
        F.conv2d(*ours, stride=stride, padding=padding),
        torch.nn.functional.conv2d(*theirs, stride=stride, padding=padding),
    )
    np.testing.assert_allclose(y.data, t.detach().numpy(), rtol=1e-9, atol=1e-12)
    np.sum(np.square(y)).backward()
    t.square().sum().backward()
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["relu", "sigmoid", "gelu", "softmax", "log_softmax"])
def test_float32_stays(name):
    x = Tensor(rng.normal(size=(3, 4)).astype("float32"), requires_grad=True)
    y = getattr(F, name)(x)
    np.sum(y * y).backward()
    assert y.dtype == x.grad.dtype == np.float32


def test_losses_equal_torch():
    torch = pytest.importorskip("torch")
    z, t, y = *arrays((7, 5), (7, 5)), Y
    T = torch.nn.functional
    for reduction in ("mean", "sum", "none"):
        pairs = [
            (
                F.mse_loss(z, t, reduction=reduction),
                T.mse_loss(torch.tensor(z), torch.tensor(t), reduction=reduction),
            ),
            (
                F.cross_entropy(z, y, reduction=reduction),
                T.cross_entropy(torch.tensor(z), torch.tensor(y), reduction=reduction),
            ),
            (
                F.binary_cross_entropy_with_logits(
                    z, y[:, None] * np.ones(5) / 5, reduction=reduction
                ),
                T.binary_cross_entropy_with_logits(
                    torch.tensor(z), torch.tensor(y[:, None] * np.ones(5) / 5), reduction=reduction
                ),
            ),
        ]
        for a, b in pairs:
            np.testing.assert_allclose(a, b.numpy(), rtol=1e-9)
    images, labels = rng.normal(size=(2, 5, 3, 4)), rng.integers(0, 5, (2, 3, 4))
    a = F.cross_entropy(Tensor(images, requires_grad=True), labels)
    np.testing.assert_allclose(
        a.data, T.cross_entropy(torch.tensor(images), torch.tensor(labels)).numpy(), rtol=1e-9
    )


@pytest.mark.parametrize(
    "z, y, error, message",
    [
        ((3, 4), np.array([0, 1, 4]), ValueError, "classes from 0 to 4, but input has 4"),
        ((3, 4), np.array([0.0, 1, 2]), TypeError, "want class indices"),
        ((3, 4), np.array([0, 1]), ValueError, r"wants target \(3,\), came \(2,\)"),
    ],
)
def test_bad_targets(z, y, error, message):
    with pytest.raises(error, match=message):
        F.cross_entropy(np.zeros(z), y)


def test_bad_options():
    for call, message in [
        (lambda: F.mse_loss(np.ones(3), np.ones(4)), "must have one shape"),
        (lambda: F.mse_loss(np.ones(3), np.ones(3), reduction="avg"), "reduction='avg'"),
        (lambda: F.gelu(np.ones(3), approximate="erf"), "approximate='erf'"),
        (lambda: F.dropout(np.ones(3), 1.5, rng=rng), "want 0 <= p <= 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


def test_losses_do_not_overflow():
    z = np.array([[1000.0, -1000.0]])
    assert F.cross_entropy(z, np.array([1])) == 2000
    assert F.binary_cross_entropy_with_logits(z, np.array([[0.0, 1.0]])) == 1000


def test_dropout_keeps_the_mean():
    x = np.ones(100_000)
    y = F.dropout(x, 0.3, rng=0)
    assert abs(y.mean() - 1) < 0.01 and abs((y == 0).mean() - 0.3) < 0.01
