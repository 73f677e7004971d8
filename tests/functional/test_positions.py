"""Positions: rotations keep lengths and tell distances, ALiBi fades, sines repeat."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import functional as F
from tests.parity import same

rng = np.random.default_rng(0)
few = settings(max_examples=12, deadline=None)


@few
@given(st.integers(1, 6), st.integers(1, 4), st.sampled_from([10000.0, 100.0]), st.integers(0, 5))
def test_rotary_is_a_product_of_complex_numbers(T, half, base, offset):
    torch = pytest.importorskip("torch")

    def theirs(x):
        angles = torch.outer(
            torch.arange(offset, offset + T).double(), base ** (-torch.arange(half).double() / half)
        )
        y = torch.complex(x[..., :half], x[..., half:]) * torch.polar(
            torch.ones_like(angles), angles
        )
        return torch.cat([y.real, y.imag], dim=-1).to(x.dtype)

    same(lambda x: F.rotary(x, base, offset), theirs, rng.normal(size=(2, 3, T, 2 * half)))


@few
@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 50))
def test_rotary_tells_distances_and_keeps_lengths(s, t, shift):
    q, k = rng.normal(size=(2, 1, 8))
    at = lambda x, position: F.rotary(x, offset=position)[0]
    np.testing.assert_allclose(at(q, s) @ at(k, t), at(q, s + shift) @ at(k, t + shift), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(at(q, s)), np.linalg.norm(q), rtol=1e-12)
    np.testing.assert_allclose(F.rotary(np.repeat(q, t + 1, axis=0))[t], at(q, t), atol=1e-12)


def test_rotary_pairs_halves():
    np.testing.assert_allclose(
        F.rotary(np.eye(4), offset=1)[0], [np.cos(1), 0, np.sin(1), 0], atol=1e-15
    )


def test_alibi():
    bias = F.alibi(8, 5)
    assert bias.shape == (8, 5, 5) and bias.dtype == np.float32
    np.testing.assert_allclose(
        -bias[:, 1, 0], 1 / 2.0 ** np.arange(1, 9)
    )  # the slopes that the paper gives for 8 heads
    np.testing.assert_allclose(bias[3, 4], [-4 / 16, -3 / 16, -2 / 16, -1 / 16, 0])
    np.testing.assert_array_equal(bias, np.swapaxes(bias, 1, 2))
    x = rng.normal(size=(2, 8, 5, 3))
    # a causal row with equal scores: weights fall by exp(-slope) at each step back
    np.testing.assert_allclose(
        F.scaled_dot_product_attention(
            0 * x, x, np.eye(5)[None, None] + np.zeros((2, 8, 1, 1)), bias, is_causal=True
        )[0, 0, 2, :4],
        np.array([np.exp(-1), np.exp(-0.5), 1, 0]) / (1 + np.exp(-0.5) + np.exp(-1)),
        rtol=1e-6,
    )


def test_sinusoidal():
    p = F.sinusoidal(50, 6)
    assert p.shape == (50, 6) and p.dtype == np.float32
    for t, i in [(0, 0), (1, 0), (7, 1), (49, 2)]:
        angle = t / 10000 ** (2 * i / 6)
        np.testing.assert_allclose(
            p[t, 2 * i : 2 * i + 2], [np.sin(angle), np.cos(angle)], rtol=1e-5, atol=1e-7
        )
    products = p @ p.T  # depend on the distance only
    np.testing.assert_allclose(np.diagonal(products, 4), products[0, 4], rtol=1e-5)


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: F.rotary(np.ones((3, 5))),
            r"rotary: input \(3, 5\); want \(..., T, D\) with D even",
        ),
        (lambda: F.rotary(np.ones(4)), "want"),
        (lambda: F.alibi(0, 3), "heads=0"),
        (lambda: F.sinusoidal(3, 5), "even D"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
