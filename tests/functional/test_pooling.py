"""Pooling equals PyTorch's, and the fast maximum the textbook's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import Tensor
from dlscratch import functional as F
from dlscratch.functional.pooling import _max_pool2d, textbook_max_pool2d
from tests.parity import same

ones = np.ones
few = settings(max_examples=15, deadline=None)


def torch(name):
    return getattr(pytest.importorskip("torch").nn.functional, name)


@st.composite
def pools(draw, rank):
    """An image, batched or not, and options that fit."""
    each = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(rank))
    kernel = each(1, 4)
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    stride = draw(st.sampled_from([None, *[each(1, 3)] * 2]))
    lead = draw(st.sampled_from([(2,), (2, 3)]))
    x = np.random.default_rng(draw(st.integers(0, 1000))).normal(
        size=(*lead, *(k + n for k, n in zip(kernel, each(0, 5))))
    )
    return x, {
        "kernel_size": kernel,
        "stride": stride,
        "padding": padding,
        "ceil_mode": draw(st.booleans()),
    }


@pytest.mark.parametrize("rank", [1, 2])
@few
@given(data=st.data())
def test_maxima_equal_torch(rank, data):
    x, options = data.draw(pools(rank))
    name = f"max_pool{rank}d"
    dilation = tuple(
        data.draw(st.integers(1, 2)) if n > 2 * k else 1
        for n, k in zip(x.shape[-rank:], options["kernel_size"])
    )
    options["dilation"] = dilation
    same(lambda a: getattr(F, name)(a, **options), lambda a: torch(name)(a, **options), x)
    values, places = getattr(F, name)(Tensor(x, requires_grad=True), return_indices=True, **options)
    same(
        lambda a: getattr(F, name)(a, return_indices=True, **options)[0],
        lambda a: torch(name)(a, return_indices=True, **options)[0],
        x,
    )
    theirs = torch(name)(pytest.importorskip("torch").tensor(x), return_indices=True, **options)[1]
    assert np.array_equal(places, theirs.numpy()) and values.requires_grad


@pytest.mark.parametrize("rank", [1, 2])
@few
@given(data=st.data(), counted=st.booleans())
def test_means_equal_torch(rank, data, counted):
    x, options = data.draw(pools(rank))
    name, options = f"avg_pool{rank}d", options | {"count_include_pad": counted}
    if rank == 2:
        options["divisor_override"] = data.draw(st.sampled_from([None, 1, 5]))
    same(lambda a: getattr(F, name)(a, **options), lambda a: torch(name)(a, **options), x)


@few
@given(
    st.integers(1, 7), st.integers(1, 7), st.integers(1, 9), st.one_of(st.none(), st.integers(1, 9))
)
def test_adaptive_means_equal_torch(H, W, h, w):
    x = np.random.default_rng(H).normal(size=(2, 3, H, W))
    same(
        lambda a: F.adaptive_avg_pool2d(a, (h, w)),
        lambda a: torch("adaptive_avg_pool2d")(a, (h, w)),
        x,
    )
    same(lambda a: F.adaptive_avg_pool2d(a, h), lambda a: torch("adaptive_avg_pool2d")(a, h), x)


@few
@given(pools(2), st.booleans())
def test_fast_maximum_equals_textbook(given, ties):
    x, options = given
    x = np.round(x) if ties else x  # the first of equal entries gets the gradient
    results = []
    for f in (_max_pool2d, textbook_max_pool2d):
        t = Tensor(x, requires_grad=True)
        y = f(t, **options)
        y.backward(np.cos(np.arange(y.size)).reshape(y.shape))
        results.append([y.data, t.grad])
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-12, atol=1e-14)


def test_ties_go_to_the_first_as_in_torch():
    same(
        lambda a: F.max_pool2d(a, 3, 2, 1),
        lambda a: torch("max_pool2d")(a, 3, 2, 1),
        np.zeros((1, 2, 5, 5)),
        order=1,
    )


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: F.max_pool2d(ones((2, 3)), 2),
            ValueError,
            r"input \(2, 3\); want \(N, C, H, W\) or \(C, H, W\)",
        ),
        (
            lambda: F.max_pool2d(ones((1, 1, 4, 4)), 2, padding=2),
            ValueError,
            "more than half of the window",
        ),
        (
            lambda: F.max_pool2d(ones((1, 1, 2, 2)), 3),
            ValueError,
            "is larger than the padded image",
        ),
        (lambda: F.max_pool1d(ones((1, 1, 4, 4)), 2), ValueError, r"want \(N, C, L\) or \(C, L\)"),
        (lambda: F.avg_pool1d(ones((1, 4)), 5), ValueError, "is larger than the padded image"),
        (lambda: F.avg_pool2d(ones((1, 1, 4, 4)), 2, stride=-1), ValueError, r"stride \(-1, -1\)"),
        (lambda: F.max_pool2d(ones((1, 1, 4, 4)), 2, stride=0), ValueError, r"stride \(0, 0\)"),
        (lambda: F.avg_pool2d(ones((1, 1, 4, 4), int), 2), TypeError, "make it float first"),
        (lambda: F.adaptive_avg_pool2d(ones((1, 1, 4, 4)), 0), ValueError, "want numbers >= 1"),
        (
            lambda: F.avg_pool2d(ones((1, 1, 4, 4)), 2, divisor_override=0),
            ValueError,
            "want another number, or None",
        ),
        (
            lambda: F.max_pool2d(ones((1, 1, 2, 2)), 4, ceil_mode=True, stride=1),
            ValueError,
            "is larger than the padded image",
        ),
        (
            lambda: F.max_pool1d(ones((1, 1, 4, 4)), 2, return_indices=True),
            ValueError,
            r"want \(N, C, L\)",
        ),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


@few
@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([(2,), (2, 3)]))
def test_adaptive_means_of_sequences_equal_torch(L, m, lead):
    x = np.random.default_rng(L).normal(size=(*lead, L))
    pool = torch("adaptive_avg_pool1d")
    same(lambda a: F.adaptive_avg_pool1d(a, m), lambda a: pool(a, m), x)


def test_integers_have_maxima_too():
    x = np.arange(-16, 0).reshape(1, 4, 4)
    assert F.max_pool2d(x, 2, 2, 1).tolist() == [[[-16, -14, -13], [-8, -6, -5], [-4, -2, -1]]]
