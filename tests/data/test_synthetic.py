"""Sets with known truth: the truth that is handed out is the one that made the data."""

import math

import numpy as np
import pytest

from dlscratch.data import (
    correlated_gaussians,
    modular_arithmetic,
    planted_graphs,
    sparse_parity,
    teacher_student,
)
from dlscratch.engine import default_dtype

MAKERS = [teacher_student, sparse_parity, modular_arithmetic, planted_graphs, correlated_gaussians]


def arrays(made):
    return [a for a in made if isinstance(a, np.ndarray)]


@pytest.mark.parametrize("make", MAKERS)
def test_rng_decides_alone(make):
    first, again, other = (arrays(make(rng)) for rng in (3, np.random.default_rng(3), 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("make", [m for m in MAKERS if m is not modular_arithmetic])
def test_dtype_follows_the_default(make):
    assert make(0)[0].dtype == np.float32
    with default_dtype("float64"):
        assert make(0)[0].dtype == np.float64


def test_teacher_answers_with_its_weights():
    with default_dtype("float64"):
        X, y, W, v = teacher_student(0, n=500, features=7, hidden=3)
        noisy = teacher_student(0, n=20_000, features=7, hidden=3, noise=0.5)
    assert X.shape == (500, 7) and W.shape == (3, 7) and set(v) <= {-1, 1}
    assert np.allclose(y, sum(v[h] * np.tanh(X @ W[h]) for h in range(3)), atol=1e-12)
    assert abs((noisy.y - np.tanh(noisy.X @ noisy.W.T) @ noisy.v).std() - 0.5) < 0.01
    assert (
        abs(np.linalg.norm(teacher_student(0, features=4000, hidden=5).W, axis=1).mean() - 1) < 0.03
    )


def test_parity_needs_all_k_columns():
    X, y, support = sparse_parity(0, n=20_000, bits=12, k=3)
    assert set(np.unique(X)) == {-1, 1} and len(set(support)) == 3
    assert np.array_equal(y, (X[:, support] == -1).sum(axis=1) % 2)
    sign = 1 - 2 * y
    assert abs(sign @ X).max() / len(X) < 0.035  # five standard errors: no column alone
    pairs = (X * sign[:, None]).T @ X / len(X)
    np.fill_diagonal(pairs, 0)
    assert abs(pairs).max() < 0.035  # nor a pair


@pytest.mark.parametrize("operation, result", [("+", 2), ("-", 10), ("*", 9)])
def test_modular_table_is_whole(operation, result):
    X, y, X_test, y_test = modular_arithmetic(0, p=11, operation=operation, test_fraction=0.3)
    assert len(X_test) == round(121 * 0.3)
    rows = {
        (a, b): c
        for (a, b), c in zip(
            np.concatenate([X, X_test]).tolist(), np.concatenate([y, y_test]).tolist()
        )
    }
    whole = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}[operation]
    assert (
        len(rows) == 121
        and rows[6, 7] == result
        and all(c == whole(a, b) % 11 for (a, b), c in rows.items())
    )


def test_planted_graphs_have_the_planted_densities():
    A, y = planted_graphs(0, n=50, nodes=61, communities=3, p_in=0.4, p_out=0.1)
    assert (
        A.shape == (50, 61, 61)
        and np.array_equal(A, A.mT)
        and (np.diagonal(A, axis1=1, axis2=2) == 0).all()
    )
    assert np.array_equal(np.sort(y, axis=1)[0], np.sort(np.arange(61) % 3)) and not np.array_equal(
        y[0], y[1]
    )
    same = (y[:, :, None] == y[:, None]) & ~np.eye(61, dtype=bool)
    for edges, p in ((A[same], 0.4), (A[y[:, :, None] != y[:, None]], 0.1)):
        assert abs(edges.mean() - p) < 5 * math.sqrt(p * (1 - p) / (edges.size / 2))


def test_information_of_gaussians():
    """Held against the integral of p(x, y) log p(x, y) / (p(x) p(y)), and the sample against ρ."""
    X, Y, information = correlated_gaussians(0, n=200_000, dims=2, rho=-0.8)
    assert abs(np.mean(X * Y) + 0.8) < 0.01 and abs(X.std() - 1) < 0.01 and abs(Y.std() - 1) < 0.01
    x, y = np.meshgrid(*[np.linspace(-9, 9, 1201)] * 2)
    exponent = -(x**2 + 1.6 * x * y + y**2) / (2 * 0.36)
    ratio = exponent - math.log(0.6) + (x**2 + y**2) / 2
    integral = np.sum(np.exp(exponent) / (2 * math.pi * 0.6) * ratio) * (18 / 1200) ** 2
    assert math.isclose(information, 2 * integral, rel_tol=1e-9)
    assert correlated_gaussians(0, rho=0).information == 0


BAD = [
    (lambda: teacher_student(0, n=0), "n=0: want at least 1"),
    (lambda: teacher_student(0, hidden=0), "hidden=0"),
    (lambda: teacher_student(0, noise=-1), "noise=-1"),
    (lambda: sparse_parity(0, bits=4, k=5), "k=5 of 4 bits"),
    (lambda: sparse_parity(0, k=0), "k=0"),
    (lambda: modular_arithmetic(0, operation="^"), "one of \\+ - \\*"),
    (lambda: modular_arithmetic(0, p=1), "p=1"),
    (lambda: modular_arithmetic(0, test_fraction=1.0), "between 0 and 1"),
    (lambda: planted_graphs(0, p_in=1.5), "want probabilities"),
    (lambda: planted_graphs(0, nodes=2, communities=3), "nodes=2: want at least 3"),
    (lambda: correlated_gaussians(0, rho=1), "rho=1"),
    (lambda: correlated_gaussians(0, dims=0), "dims=0"),
]


@pytest.mark.parametrize("call, message", BAD, ids=[m for _, m in BAD])
def test_misuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()
