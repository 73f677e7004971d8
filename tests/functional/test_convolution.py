"""Convolutions, their adjoints, unfold and fold equal PyTorch's.

The fast twins equal the textbook's, and adjoints are adjoint.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import Tensor
from dlscratch import functional as F
from dlscratch.functional.convolution import (
    _conv2d,
    _conv_transpose2d,
    textbook_conv2d,
    textbook_conv_transpose2d,
)
from dlscratch.functional.folding import count
from tests.parity import same

ones = np.ones
few = settings(max_examples=15, deadline=None)


def torch(name):
    return getattr(pytest.importorskip("torch").nn.functional, name)


@st.composite
def convolutions(draw, rank, transposed=False):
    """Shapes of (x, W, b) and options that fit."""
    each = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(rank))
    kernel, groups, options = (
        each(1, 3),
        draw(st.integers(1, 3)),
        {"stride": each(1, 3), "padding": each(0, 2), "dilation": each(1, 2)},
    )
    wide, narrow = groups * draw(st.integers(1, 2)), draw(st.integers(1, 2))
    size = tuple(
        d * (k - 1) + n for d, k, n in zip(options["dilation"], kernel, each(1, 4), strict=True)
    )
    if transposed:  # x has the channels that W begins with
        options["output_padding"] = tuple(
            draw(st.integers(0, max(s, d) - 1))
            for s, d in zip(options["stride"], options["dilation"])
        )
        size = tuple(n + 2 * p for n, p in zip(size, options["padding"]))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    shapes = (
        (draw(st.integers(1, 3)), wide if transposed else narrow * groups, *size),
        (wide, narrow, *kernel),
    )
    bias = [(narrow * groups if transposed else wide,)] * draw(st.booleans())
    return [rng.normal(size=s) for s in (*shapes, *bias)], options | {"groups": groups}


@pytest.mark.parametrize("name", ["conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d"])
@few
@given(data=st.data())
def test_convolutions_equal_torch(name, data):
    arrays, options = data.draw(convolutions(int(name[-2]), "transpose" in name))
    same(lambda *a: getattr(F, name)(*a, **options), lambda *a: torch(name)(*a, **options), *arrays)


@few
@given(convolutions(2))
def test_fast_convolution_equals_textbook(given):
    twins(_conv2d, textbook_conv2d, *given)


@few
@given(convolutions(2, transposed=True))
def test_fast_adjoint_equals_textbook(given):
    twins(_conv_transpose2d, textbook_conv_transpose2d, *given)


def twins(fast, textbook, arrays, options):
    """Values and the hand-derived gradients; order 2 runs through the textbook."""
    results = []
    for f in (fast, textbook):
        leaves = [Tensor(a, requires_grad=True) for a in arrays]
        y = f(*leaves, **options)
        y.backward(np.cos(np.arange(y.size)).reshape(y.shape))
        results.append([y.data, *(t.grad for t in leaves)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@few
@given(convolutions(2))
def test_transposed_is_the_adjoint(given):
    """<conv(x), y> = <x, conv_transpose(y)>: output_padding restores what the stride dropped."""
    (x, W, *_), options = given
    y = np.random.default_rng(0).normal(size=F.conv2d(x, W, **options).shape)
    rest = zip(
        x.shape[2:],
        W.shape[2:],
        options["padding"],
        options["dilation"],
        options["stride"],
        strict=True,
    )
    missed = tuple((n + 2 * p - d * (k - 1) - 1) % s for n, k, p, d, s in rest)
    back = F.conv_transpose2d(y, W, output_padding=missed, **options)
    np.testing.assert_allclose(
        np.sum(F.conv2d(x, W, **options) * y), np.sum(x * back), rtol=1e-9, atol=1e-10
    )


@few
@given(convolutions(2), st.integers(1, 3))
def test_unfold_and_fold_equal_torch(given, channels):
    (x, W, *_), options = given
    options.pop("groups")
    size, kernel = x.shape[2:], W.shape[2:]
    same(
        lambda a: F.unfold(a, kernel, **options), lambda a: torch("unfold")(a, kernel, **options), x
    )
    h, w = count(size, kernel, **options)
    columns = np.random.default_rng(0).normal(size=(2, channels * kernel[0] * kernel[1], h * w))
    same(
        lambda a: F.fold(a, size, kernel, **options),
        lambda a: torch("fold")(a, size, kernel, **options),
        columns,
    )


def test_a_convolution_is_a_product_with_the_columns():
    rng = np.random.default_rng(0)
    x, W = rng.normal(size=(2, 3, 5, 6)), rng.normal(size=(4, 3, 3, 2))
    np.testing.assert_allclose(
        W.reshape(4, -1) @ F.unfold(x, (3, 2)),
        F.conv2d(x, W).reshape(2, 4, -1),
        rtol=1e-12,
        atol=1e-12,
    )


def test_options_by_position_and_no_bias():
    x, W = ones((1, 2, 5, 5)), ones((3, 2, 3, 3))
    same(lambda *a: F.conv2d(*a, None, 2, 1), lambda *a: torch("conv2d")(*a, None, 2, 1), x, W)
    same(
        lambda *a: F.conv_transpose2d(*a, None, 2, 1),
        lambda *a: torch("conv_transpose2d")(*a, None, 2, 1),
        x,
        W[:2, :, :, :],
    )


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: F.conv2d(ones((2, 3, 8, 8)), ones((4, 2, 3, 3))),
            r"conv2d: input \(2, 3, 8, 8\); want \(N, 2, H, W\)",
        ),
        (lambda: F.conv2d(ones((2, 3, 8)), ones((4, 3, 3, 3))), r"want \(N, 3, H, W\)"),
        (lambda: F.conv2d(ones((3, 8)), ones((4, 3, 3, 3))), r"want .* or \(3, H, W\)"),
        (
            lambda: F.conv2d(ones((2, 4, 8, 8)), ones((3, 2, 3, 3)), groups=2),
            "divisible by groups=2",
        ),
        (
            lambda: F.conv2d(ones((2, 0, 8, 8)), ones((4, 2, 3, 3)), groups=0),
            "divisible by groups=0",
        ),
        (
            lambda: F.conv2d(ones((2, 3, 8, 8)), ones((4, 3, 3, 3)), ones(1)),
            r"bias \(1,\); want \(4,\)",
        ),
        (
            lambda: F.conv2d(ones((2, 3, 4, 4)), ones((4, 3, 3, 3)), dilation=2),
            r"the kernel, \(5, 5\) with its dilation, is larger",
        ),
        (lambda: F.conv2d(ones((2, 3, 4, 4)), ones((4, 3, 3, 3)), stride=0), r"stride \(0, 0\)"),
        (
            lambda: F.conv2d(ones((2, 3, 4, 4)), ones((4, 3, 3, 3)), padding=-1),
            r"padding \(-1, -1\)",
        ),
        (
            lambda: F.conv1d(ones((2, 3, 8, 8)), ones((4, 3, 3))),
            r"conv1d: input \(2, 3, 8, 8\); want \(N, 3, L\)",
        ),
        (lambda: F.conv_transpose1d(ones((2, 3, 8)), ones((4, 3, 3))), r"want \(N, 4, L\)"),
        (
            lambda: F.conv_transpose2d(ones((2, 3, 8, 8)), ones((4, 3, 3, 3))),
            r"want \(N, 4, H, W\)",
        ),
        (
            lambda: F.conv_transpose2d(
                ones((2, 4, 8, 8)), ones((4, 3, 3, 3)), stride=2, output_padding=2
            ),
            "output_padding below stride",
        ),
        (
            lambda: F.conv_transpose2d(ones((2, 4, 2, 2)), ones((4, 3, 3, 3)), padding=2),
            "want less padding",
        ),
        (lambda: F.unfold(ones((8, 8)), 3), r"unfold: input \(8, 8\); want \(N, C, H, W\)"),
        (
            lambda: F.fold(ones((1, 9, 5)), 4, 3),
            r"fold: columns \(1, 9, 5\); want \(N, C·9, 4\) or \(C·9, 4\)",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", ["conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d"])
@few
@given(data=st.data())
def test_one_example_without_a_batch_equals_torch(name, data):
    (x, *weights), options = data.draw(convolutions(int(name[-2]), "transpose" in name))
    ours, theirs = getattr(F, name), torch(name)
    same(lambda *a: ours(*a, **options), lambda *a: theirs(*a, **options), x[0], *weights)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("dilation", [1, 2])
def test_named_padding_equals_torch(padding, dilation):
    rng, options = np.random.default_rng(0), {"padding": padding, "dilation": dilation}
    x, W = rng.normal(size=(2, 3, 9, 8)), rng.normal(size=(4, 3, 3, 2))
    same(lambda *a: F.conv2d(*a, **options), lambda *a: torch("conv2d")(*a, **options), x, W)
    x, W = x[:, :, 0], W[:, :, 0]
    same(lambda *a: F.conv1d(*a, **options), lambda *a: torch("conv1d")(*a, **options), x, W)


@pytest.mark.parametrize(
    "call",
    [
        lambda a, b: F.linear(a(2, 3), b(4, 3)),
        lambda a, b: F.linear(b(2, 3), b(4, 3), a(4)),
        lambda a, b: F.conv1d(a(2, 3, 8), b(4, 3, 3)),
        lambda a, b: F.conv2d(b(2, 3, 8, 8), b(4, 3, 3, 3), a(4)),
        lambda a, b: F.conv_transpose2d(a(2, 4, 8, 8), b(4, 3, 3, 3)),
        lambda a, b: F.lstm(a(2, 3, 4), b(2, 5), b(2, 5), b(20, 4), b(20, 5)),
        lambda a, b: F.gru(b(2, 3, 4), a(2, 5), b(15, 4), b(15, 5)),
        lambda a, b: F.scaled_dot_product_attention(b(2, 3), a(2, 3), b(2, 3)),
        lambda a, b: F.tiled_attention(b(2, 3), b(2, 3), a(2, 3)),
    ],
)
@pytest.mark.parametrize(
    "dtypes", [("float64", "float32"), ("float32", "float64"), (int, "float32")]
)
def test_mixed_dtypes_are_refused_with_the_repair(call, dtypes):
    a, b = (lambda *shape, d=d: ones(shape, d) for d in dtypes)
    with pytest.raises(TypeError, match=rf"expected .*{dtypes[1]}.*got .*astype"):
        call(a, b)
