"""Attention equals PyTorch's, and its fast and tiled forms equal the textbook's.

The tiled one needs no T × T array.
"""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import Tensor
from dlscratch import functional as F
from dlscratch.functional import attention
from tests.functional.test_twins import slope
from tests.parity import same

few = settings(max_examples=12, deadline=None)


def normal(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=s) for s in shapes]


@st.composite
def attentions(draw):
    """Arrays (query, key, value), a mask or None, and options."""
    n = lambda low, high: draw(st.integers(low, high))
    T, S, D, E, groups, shared, seed = (
        n(1, 5),
        n(1, 5),
        n(1, 4),
        n(1, 4),
        n(1, 2),
        n(1, 2),
        n(0, 999),
    )
    batch = (n(1, 3),) * n(0, 1)
    arrays = normal(
        (*batch, groups * shared, T, D), (*batch, groups, S, D), (*batch, groups, S, E), seed=seed
    )
    rng, options = (
        np.random.default_rng(seed),
        {"scale": draw(st.sampled_from([None, 0.3])), "enable_gqa": shared > 1},
    )
    shape = draw(st.sampled_from([(T, S), (1, S), (groups * shared, T, S), (*batch, 1, T, S)]))
    kind = draw(st.sampled_from(["none", "causal", "bool", "float", "learned"]))
    mask = {"bool": rng.random(shape) < 0.6, "float": rng.normal(size=shape)}.get(kind)
    if kind == "learned":
        arrays.append(rng.normal(size=shape))
    return arrays, mask, options | {"is_causal": kind == "causal"}


@few
@given(attentions())
def test_attention_equals_torch(given):
    arrays, mask, options = given
    torch = pytest.importorskip("torch")
    from torch.nn.attention import SDPBackend, sdpa_kernel

    def theirs(*a):
        extra = (
            []
            if mask is None
            else [
                torch.tensor(
                    mask if mask.dtype == bool else mask.astype(a[0].detach().numpy().dtype)
                )
            ]
        )
        with sdpa_kernel(SDPBackend.MATH):  # the one that has second derivatives
            return torch.nn.functional.scaled_dot_product_attention(*a, *extra, **options)

    same(
        lambda *a: F.scaled_dot_product_attention(*a, *([] if mask is None else [mask]), **options),
        theirs,
        *arrays,
    )


@pytest.mark.parametrize(
    "attend", [F.scaled_dot_product_attention, lambda *a: F.tiled_attention(*a, block=2)]
)
@pytest.mark.parametrize(
    "mask",
    [
        np.arange(15).reshape(3, 5) // 5 != 1,
        np.where(np.arange(15).reshape(3, 5) // 5 == 1, -np.inf, 0),
    ],
)
def test_nothing_to_attend_to_gives_zero(mask, attend):
    torch = pytest.importorskip("torch")
    arrays = normal((2, 3, 4), (2, 5, 4), (2, 5, 4))
    theirs = lambda *a: torch.nn.functional.scaled_dot_product_attention(
        *a, torch.tensor(mask).to(a[0] if mask.dtype != bool else "cpu")
    )
    same(lambda *a: attend(*a, mask), theirs, *arrays, order=1)
    leaves = [Tensor(a, requires_grad=True) for a in arrays]
    y = attend(*leaves, mask)
    np.sum(y * y).backward()
    assert not y.data[:, 1].any() and y.data[:, 0].all() and not leaves[0].grad[:, 1].any()


@pytest.mark.parametrize("attend", [F.scaled_dot_product_attention, F.tiled_attention])
@pytest.mark.parametrize("mask", [np.arange(5) != 1, np.arange(5.0)])
def test_a_mask_of_the_keys_alone_is_that_of_each_query(attend, mask):
    q, k, v = normal((2, 3, 4), (2, 5, 4), (2, 5, 4))
    np.testing.assert_array_equal(attend(q, k, v, mask), attend(q, k, v, np.tile(mask, (3, 1))))


@pytest.mark.parametrize("attend", [F.scaled_dot_product_attention, F.tiled_attention])
def test_heads_in_a_row_share_one_group(attend):
    q, k, v = normal((2, 6, 4, 3), (2, 2, 5, 3), (2, 2, 5, 3))
    y = attend(q, k, v, enable_gqa=True)
    for head, group in enumerate([0, 0, 0, 1, 1, 1]):
        np.testing.assert_allclose(
            y[:, head], attend(q[:, head], k[:, group], v[:, group]), rtol=1e-12
        )


def test_a_mask_and_causality_add_up():
    q, k, v = normal((2, 4, 3), (2, 4, 3), (2, 4, 3))
    mask = np.random.default_rng(1).random((4, 4)) < 0.7
    both = F.scaled_dot_product_attention(q, k, v, mask & np.tri(4, dtype=bool))
    np.testing.assert_array_equal(
        F.scaled_dot_product_attention(q, k, v, mask, is_causal=True), both
    )


def twins(fast, textbook, arrays):
    """Equal at orders 0, 1 (hand-derived against the engine's) and 2."""
    w, us = normal(np.shape(fast(*arrays)), seed=1)[0], normal(*[a.shape for a in arrays], seed=2)
    results = []
    for f in (fast, textbook):
        leaves, again = ([Tensor(a, requires_grad=True) for a in arrays] for _ in range(2))
        y = f(*leaves)
        y.backward(w)
        sum(np.sum(g * u) for g, u in zip(slope(f, again, w)(*again), us, strict=True)).backward()
        results.append([y.data, *(t.grad for t in leaves), *(t.grad for t in again)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@few
@given(attentions(), st.booleans())
def test_fast_equals_textbook(given, drop):
    arrays, mask, options = given
    arrays = [arrays[0]] + [
        np.repeat(a, len(arrays[0][..., 0, 0].ravel()) // len(a[..., 0, 0].ravel()), -3)
        for a in arrays[1:3]
    ]
    shape = (*arrays[0].shape[:-1], arrays[1].shape[-2])
    bias = [] if mask is None else [attention.additive(mask, np.float64, shape)]
    keep = F.dropout(np.ones(shape), 0.4, rng=0) if drop else None
    options = {"scale": options["scale"], "keep": keep}
    twins(
        *(
            lambda *a, f=f: f(*a, *bias, **options)
            for f in (attention._attention, attention.textbook_attention)
        ),
        arrays,
    )


@settings(max_examples=40, deadline=None)
@given(attentions(), st.integers(1, 6), st.booleans())
def test_tiled_equals_untiled(given, block, also_causal):
    arrays, mask, options = given
    options["is_causal"] |= also_causal
    given_mask = [] if mask is None else [mask]
    tiled, plain = (
        lambda *a, f=f, **o: f(*a, *given_mask, **options, **o)
        for f in (F.tiled_attention, F.scaled_dot_product_attention)
    )
    twins(lambda *a: tiled(*a, block=block), plain, arrays)
    results = []
    for f in (
        lambda *a: tiled(*a, block=block),
        plain,
    ):  # in float32; where a query sees one key, the gradient is rounding, and is 0
        leaves = [Tensor(a.astype("float32"), requires_grad=True) for a in arrays]
        y = f(*leaves)
        y.backward(np.ones_like(y.data))
        results.append([y.data, *(t.grad for t in leaves)])
    assert all(
        a.dtype == np.float32 and np.allclose(a, b, rtol=1e-4, atol=1e-5)
        for a, b in zip(*results, strict=True)
    )


@few
@given(attentions(), st.integers(1, 6), st.booleans())
def test_tiled_dropout_equals_textbook(given, block, is_causal):
    arrays, mask, options = given
    if options.pop("enable_gqa"):
        arrays[:3] = [arrays[0]] + [np.repeat(a, 2, -3) for a in arrays[1:3]]
    shape = (*arrays[0].shape[:-1], arrays[1].shape[-2])
    bias, allowed = attention._masks(mask, np.float64, shape)
    options |= dict(is_causal=is_causal, dropout_p=0.4, block=block)
    seed = int(np.random.default_rng(7).integers(2**63))
    extra = [] if len(arrays) > 3 else bias
    textbook = lambda *a: attention.textbook_tiled(
        *a, *extra, allowed=allowed, seed=seed, **options
    )
    twins(
        lambda *a: F.tiled_attention(*a, *([] if len(a) > 3 else [mask]), rng=7, **options),
        textbook,
        arrays,
    )


def test_tiled_dropout_keeps_the_mean_and_draws_each_tile_anew():
    q, k, v = normal((3, 4), (6, 4), (6, 6))
    drawn = np.array(
        [
            F.tiled_attention(q, k, np.eye(6), dropout_p=0.3, rng=seed, block=3)
            for seed in range(2000)
        ]
    )
    np.testing.assert_allclose(
        np.mean(drawn, axis=0), F.tiled_attention(q, k, np.eye(6)), atol=0.02
    )
    assert abs(np.mean(drawn == 0) - 0.3) < 0.01  # drawn holds the weights themselves
    off = drawn == 0
    assert 0.4 < np.mean(off[..., :3] == off[..., 3:]) < 0.7  # 0.58 when independent


MASKS = {
    "none": lambda T: None,
    "padding": lambda T: np.arange(T) < T - 100,
    "boolean": lambda T: np.tri(T, dtype=bool),
    "a learned bias a key": lambda T: Tensor(
        np.linspace(-1, 1, T, dtype="float32")[None], requires_grad=True
    ),
}
TILED = [(F.tiled_attention, 1 / 4, mask, p) for mask in MASKS for p in (0.0, 0.1)]


@pytest.mark.parametrize(
    "function, below, mask, p", [*TILED, (F.scaled_dot_product_attention, None, "none", 0.0)]
)
def test_memory(function, below, mask, p):
    """At T = 2048, the tiled form holds less than a quarter of one T × T array.

    The plain form holds more than one. Both are meant of forward and backward.
    """
    T = 2048
    leaves, mask = (
        [
            Tensor(a.astype("float32"), requires_grad=True)
            for a in normal((T, 16), (T, 16), (T, 16))
        ],
        MASKS[mask](T),
    )
    tracemalloc.start()
    try:
        y = function(*leaves, mask, p, is_causal=True, **({"rng": 0} if p else {}))
        y.backward(y.data)
        peak = tracemalloc.get_traced_memory()[1] / (4 * T * T)
    finally:
        tracemalloc.stop()
    assert peak < below if below else peak > 1
    assert y.dtype == leaves[0].grad.dtype == np.float32


def test_large_scores_do_not_overflow():
    q, k, v = (1000 * a for a in normal((4, 3), (70, 3), (70, 2)))
    expected = v[np.argmax(q @ k.T, axis=1)]
    for f in (F.scaled_dot_product_attention, F.tiled_attention, attention.textbook_attention):
        np.testing.assert_allclose(f(q, k, v), expected)


def test_dropout_keeps_the_mean():
    q, k, v = normal((3, 4), (5, 4), (5, 2))
    drawn = [
        F.scaled_dot_product_attention(q, k, v, dropout_p=0.3, rng=seed) for seed in range(2000)
    ]
    np.testing.assert_allclose(
        np.mean(drawn, axis=0), F.scaled_dot_product_attention(q, k, v), atol=0.06
    )
    assert (
        np.array_equal(drawn[0], F.scaled_dot_product_attention(q, k, v, dropout_p=0.3, rng=0))
        and np.std(drawn, axis=0).min() > 0.1
    )


Q = np.ones((2, 3, 4))


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: F.scaled_dot_product_attention(Q, Q[..., :2], Q),
            ValueError,
            r"query \(2, 3, 4\), key \(2, 3, 2\)",
        ),
        (
            lambda: F.scaled_dot_product_attention(Q, Q[:1], Q[:1]),
            ValueError,
            r"want \(..., T, D\)",
        ),
        (lambda: F.scaled_dot_product_attention(Q, Q, Q[:, :2]), ValueError, r"value \(2, 2, 4\)"),
        (lambda: F.scaled_dot_product_attention(Q, Q[:, :0], Q[:, :0]), ValueError, "S >= 1"),
        (
            lambda: F.scaled_dot_product_attention(Q, Q, Q, np.ones((2, 3), bool)),
            ValueError,
            r"mask \(2, 3\); want .* \(2, 3, 3\)",
        ),
        (
            lambda: F.scaled_dot_product_attention(Q, Q, Q, np.ones((5, 2, 3, 3), bool)),
            ValueError,
            "want a shape that broadcasts",
        ),
        (
            lambda: F.scaled_dot_product_attention(Q, Q, Q, np.ones((3, 3), int)),
            TypeError,
            "want booleans",
        ),
        (
            lambda: F.scaled_dot_product_attention(
                Q, np.ones((4, 3, 4)), np.ones((4, 3, 4)), enable_gqa=True
            ),
            ValueError,
            "G dividing H",
        ),
        (
            lambda: F.scaled_dot_product_attention(Q, Q, Q, dropout_p=1.5),
            ValueError,
            "want 0 <= p <= 1",
        ),
        (
            lambda: F.tiled_attention(Q, Q[..., :2], Q),
            ValueError,
            r"tiled_attention: query \(2, 3, 4\)",
        ),
        (lambda: F.tiled_attention(Q, Q, Q, block=0), ValueError, "block=0"),
        (lambda: F.tiled_attention(Q, Q, Q, dropout_p=1.5), ValueError, "dropout_p=1.5"),
        (
            lambda: F.tiled_attention(Q, Q, Q, np.ones((2, 3), bool)),
            ValueError,
            r"mask \(2, 3\); want .* \(2, 3, 3\)",
        ),
        (lambda: F.tiled_attention(Q, Q, Q, np.ones((3, 3), int)), TypeError, "want booleans"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
