"""Activations equal PyTorch's at orders 0, 1 and 2, and refuse what does not fit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import Tensor
from dlscratch import functional as F
from tests.parity import same

few = settings(max_examples=10, deadline=None)
shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)
seeds = st.integers(0, 10**6)
CASES = [  # ours and its options, PyTorch's name and its options
    ("relu", {}, "relu", {}),
    ("sigmoid", {}, "sigmoid", {}),
    ("tanh", {}, "tanh", {}),
    ("gelu", {}, "gelu", {}),
    ("gelu", {"approximate": "tanh"}, "gelu", {"approximate": "tanh"}),
    ("leaky_relu", {"negative_slope": 0.2}, "leaky_relu", {"negative_slope": 0.2}),
    ("leaky_relu", {}, "leaky_relu", {}),
    ("elu", {"alpha": 0.7}, "elu", {"alpha": 0.7}),
    ("elu", {}, "elu", {}),
    ("selu", {}, "selu", {}),
    ("silu", {}, "silu", {}),
    ("mish", {}, "mish", {}),
    ("softplus", {"beta": 2.5}, "softplus", {"beta": 2.5}),
    ("softplus", {}, "softplus", {}),
    ("softplus", {"threshold": 1.0}, "softplus", {"threshold": 1.0}),
    ("hardtanh", {}, "hardtanh", {}),
    ("hardtanh", {"min_val": -0.5, "max_val": 2.0}, "hardtanh", {"min_val": -0.5, "max_val": 2.0}),
    ("logsigmoid", {}, "logsigmoid", {}),
    ("softmax", {}, "softmax", {"dim": -1}),
    ("softmax", {"axis": 0}, "softmax", {"dim": 0}),
    ("log_softmax", {}, "log_softmax", {"dim": -1}),
    ("log_softmax", {"axis": 0}, "log_softmax", {"dim": 0}),
]


@pytest.mark.parametrize("name, options, theirs, their_options", CASES)
@few
@given(shape=shapes, seed=seeds)
def test_equal_torch(name, options, theirs, their_options, shape, seed):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(seed).normal(0, 2, shape)
    same(
        lambda x: getattr(F, name)(x, **options),
        lambda x: getattr(torch.nn.functional, theirs)(x, **their_options),
        x,
    )


@few
@given(shape=shapes, axis=st.integers(0, 2), seed=seeds)
def test_glu_equals_torch(shape, axis, seed):
    torch = pytest.importorskip("torch")
    axis %= len(shape)
    x = np.random.default_rng(seed).normal(
        size=[2 * n if i == axis else n for i, n in enumerate(shape)]
    )
    same(lambda x: F.glu(x, axis=axis), lambda x: torch.nn.functional.glu(x, dim=axis), x)


@pytest.mark.parametrize("name", sorted({name for name, *_ in CASES}))
def test_values_and_slopes_stay_finite_far_out(name):
    x = Tensor(np.array([-1e4, -100.0, 0.0, 100.0, 1e4], "float32"), requires_grad=True)
    y = getattr(F, name)(x)
    y.backward(np.ones(5, "float32"))
    assert y.dtype == np.float32 and np.isfinite(y.data).all() and np.isfinite(x.grad).all()


def test_gumbel_softmax_samples_the_classes():
    """The hard sample is of class c with probability softmax_c; the gradient is the soft one's."""
    logits = np.log(np.array([0.2, 0.5, 0.3]))
    hard = F.gumbel_softmax(np.broadcast_to(logits, (20_000, 3)), hard=True, rng=0)
    assert set(np.unique(hard).round(12)) == {0, 1}
    np.testing.assert_allclose(hard.mean(axis=0), [0.2, 0.5, 0.3], atol=0.02)
    w, gradients = np.array([[3.0], [1.0], [2.0]]), []
    for option in (False, True):
        x = Tensor(logits.reshape(3, 1), requires_grad=True)
        y = F.gumbel_softmax(x, tau=0.5, hard=option, axis=0, rng=1)
        np.sum(y * w).backward()
        gradients.append(x.grad)
        assert np.isclose(y.data.sum(), 1)
    np.testing.assert_allclose(*gradients, rtol=1e-12)


def test_gumbel_softmax_equals_its_formula():
    z = np.random.default_rng(0).normal(size=(4, 3))
    noise = np.random.default_rng(5).gumbel(size=z.shape)
    e = np.exp((z + noise) / 0.7)
    np.testing.assert_allclose(
        F.gumbel_softmax(z, tau=0.7, rng=5), e / e.sum(axis=1, keepdims=True), rtol=1e-12
    )


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x: F.gelu(x, approximate="erf"), "want 'none' or 'tanh'"),
        (lambda x: F.hardtanh(x, 1, -1), "want min_val < max_val"),
        (lambda x: F.glu(x), "want an even number"),
        (lambda x: F.gumbel_softmax(x, tau=0), "want a temperature > 0"),
        (lambda x: F.gumbel_softmax(x, 1.0, True, -1), "eps=-1 has no effect, want it left out"),
        (lambda x: F.softplus(x, beta=0), "beta=0; want another number"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.ones((2, 3)))


def test_hardtanh_has_no_slope_on_its_bounds():
    torch = pytest.importorskip("torch")
    x = Tensor(np.array([-1.0, -0.5, 1.0]), requires_grad=True)
    F.hardtanh(x).sum().backward()
    z = torch.tensor(x.data, requires_grad=True)
    torch.nn.functional.hardtanh(z).sum().backward()
    assert x.grad.tolist() == z.grad.tolist() == [0, 1, 0]
