"""Recurrences equal PyTorch's and their textbook twins at orders 0, 1 and 2.

That is meant of outputs and of last states.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import Tensor, grad
from dlscratch import functional as F
from dlscratch.functional import recurrent
from tests.parity import same

few = settings(max_examples=10, deadline=None)
KINDS = {"rnn": (1, 1), "lstm": (4, 2), "gru": (3, 1)}  # blocks of the weights, arrays of the state
ones = np.ones


@st.composite
def recurrences(draw, kind):
    """(x, states..., W_ih, W_hh[, b_ih, b_hh]) of shapes that fit."""
    gates, states = KINDS[kind]
    n, t, d, h = (
        draw(st.integers(*ends)) for ends in ((2, 3), (1, 5), (1, 4), (2, 4))
    )  # single numbers may cancel in float32
    shapes = [
        (n, t, d),
        *[(n, h)] * states,
        (gates * h, d),
        (gates * h, h),
        *[(gates * h,)] * (2 * draw(st.booleans())),
    ]
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    return [0.5 * rng.normal(size=s) for s in shapes]


def one(results):
    """Outputs and last states as one array, each times another number, to ask gradients of."""
    return np.concatenate([np.ravel(r) * (k + 1) for k, r in enumerate(results)])


def theirs(kind, nonlinearity="tanh"):
    """PyTorch's recurrence, called as ours."""
    torch = pytest.importorskip("torch")
    name = f"rnn_{nonlinearity}" if kind == "rnn" else kind

    def call(x, *rest):
        states, weights = rest[: KINDS[kind][1]], rest[KINDS[kind][1] :]
        states = tuple(s[None] for s in states)
        state = states if kind == "lstm" else states[0]
        results = getattr(torch, name)(
            x, state, weights, len(weights) == 4, 1, 0.0, True, False, True
        )
        return torch.cat([r.ravel() * (k + 1) for k, r in enumerate(results)])

    return call


CASES = [("rnn", {}), ("rnn", {"nonlinearity": "relu"}), ("lstm", {}), ("gru", {})]


@pytest.mark.parametrize("kind, options", CASES)
@few
@given(data=st.data())
def test_equal_torch(kind, options, data):
    same(
        lambda *a: one(getattr(F, kind)(*a, **options)),
        theirs(kind, **options),
        *data.draw(recurrences(kind)),
    )


@pytest.mark.parametrize("kind, options", CASES)
@few
@given(data=st.data())
def test_fast_equals_textbook(kind, options, data):
    inputs, results = data.draw(recurrences(kind)), []
    places = tuple(range(len(inputs)))
    rng = np.random.default_rng(0)
    us = [rng.normal(size=a.shape) for a in inputs]
    for f in (getattr(F, kind), getattr(recurrent, f"textbook_{kind}")):
        y = one(f(*inputs, **options))
        w = np.cos(np.arange(y.size))
        loss = lambda *a: np.sum(one(f(*a, **options)) * w)
        slopes = grad(loss, argnums=places)(*inputs)
        slope = grad(loss, argnums=places, create_graph=True)
        bends = grad(
            lambda *a, g=slope: sum(np.sum(s * u) for s, u in zip(g(*a), us, strict=True)),
            argnums=places,
        )(*inputs)
        results.append([y, *(t.data for t in (*slopes, *bends))])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_long_sequences_equal_torch(kind):
    gates, states = KINDS[kind]
    rng = np.random.default_rng(0)
    shapes = [
        (2, 300, 3),
        *[(2, 5)] * states,
        (gates * 5, 3),
        (gates * 5, 5),
        (gates * 5,),
        (gates * 5,),
    ]
    arrays = [rng.uniform(-1, 1, s) / np.sqrt(5) for s in shapes]
    same(lambda *a: one(getattr(F, kind)(*a)), theirs(kind), *arrays, order=1)
    x = Tensor(arrays[0], requires_grad=True)
    getattr(F, kind)(x, *arrays[1:])[1].sum().backward()
    assert (
        np.isfinite(x.grad).all() and 0 < np.abs(x.grad[:, 0]).max() < np.abs(x.grad[:, -1]).max()
    )


@pytest.mark.parametrize("kind", KINDS)
def test_only_one_result_is_used(kind):
    """Each output alone has the gradient that the textbook gives it.

    The fast operation computes all in one array.
    """
    rng = np.random.default_rng(1)
    gates, states = KINDS[kind]
    arrays = [
        rng.normal(size=s) for s in [(2, 3, 2), *[(2, 2)] * states, (gates * 2, 2), (gates * 2, 2)]
    ]
    for k in range(1 + states):
        fast, slow = (
            grad(
                lambda *a, f=f, k=k: np.sum(np.square(f(*a)[k])), argnums=tuple(range(len(arrays)))
            )(*arrays)
            for f in (getattr(F, kind), getattr(recurrent, f"textbook_{kind}"))
        )
        for a, b in zip(fast, slow, strict=True):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-9, atol=1e-12)


def test_large_inputs_do_not_overflow():
    h = 1e4 * ones((1, 1))
    for kind, (gates, states) in KINDS.items():
        results = getattr(F, kind)(
            1e4 * ones((1, 2, 1)), *[h] * states, -ones((gates, 1)), ones((gates, 1))
        )
        assert all(np.isfinite(r).all() for r in results)


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: F.rnn(ones((2, 3)), ones((2, 4)), ones((4, 3)), ones((4, 4))),
            r"rnn: input \(2, 3\); want \(N, T, 3\)",
        ),
        (lambda: F.gru(ones((2, 0, 3)), ones((2, 4)), ones((12, 3)), ones((12, 4))), "T >= 1"),
        (
            lambda: F.gru(ones((2, 5, 2)), ones((2, 4)), ones((12, 3)), ones((12, 4))),
            r"gru: input \(2, 5, 2\); want \(N, T, 3\)",
        ),
        (
            lambda: F.lstm(
                ones((2, 5, 3)), ones((1, 4)), ones((2, 4)), ones((16, 3)), ones((16, 4))
            ),
            r"lstm: h \(1, 4\); want \(2, 4\)",
        ),
        (
            lambda: F.lstm(ones((2, 5, 3)), ones((2, 4)), ones(4), ones((16, 3)), ones((16, 4))),
            r"lstm: c \(4,\); want \(2, 4\)",
        ),
        (
            lambda: F.rnn(ones((2, 5, 3)), ones((2, 4)), ones((4, 3)), ones((4, 3))),
            r"rnn: W_hh \(4, 3\); want \(4, 4\)",
        ),
        (
            lambda: F.gru(ones((2, 5, 3)), ones((2, 4)), ones((12, 3)), ones((12, 4)), ones(4)),
            r"gru: b_ih \(4,\); want \(12,\)",
        ),
        (
            lambda: F.rnn(
                ones((2, 5, 3)), ones((2, 4)), ones((4, 3)), ones((4, 4)), nonlinearity="sin"
            ),
            "nonlinearity='sin'; want 'tanh'",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
