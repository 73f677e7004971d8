"""Sets made by a known law, so that what a learner finds can be held against the truth."""

import math
from collections import namedtuple

import numpy as np

from ..engine import default_dtype
from .split import Split, split

__all__ = [
    "teacher_student",
    "sparse_parity",
    "modular_arithmetic",
    "planted_graphs",
    "correlated_gaussians",
]

Teacher, Parity = namedtuple("Teacher", "X y W v"), namedtuple("Parity", "X y support")
Graphs, Correlated = (
    namedtuple("Graphs", "adjacency y"),
    namedtuple("Correlated", "X Y information"),
)


def teacher_student(rng, n=1000, features=20, hidden=4, noise=0.0):
    """A regression whose answers a small network gives: y = tanh(X Wᵀ) v + noise z, with x, z standard normal, W ~ N(0, 1/D), v = ±1.

    → X: (N, D), y: (N,), and the teacher's W: (H, D) and v: (H,), by these names. Any student with the same answers has W and v up to
    order and sign of its units. Raises ValueError for a count below 1 or negative noise. Source: Gardner & Derrida 1989; Saad & Solla 1995.
    """
    _at_least(1, n=n, features=features, hidden=hidden)
    _at_least(0, noise=noise)
    rng = np.random.default_rng(rng)
    W = rng.standard_normal((hidden, features)) / math.sqrt(features)
    v = rng.choice([-1.0, 1.0], hidden)
    X = rng.standard_normal((n, features))
    y = np.tanh(X @ W.T) @ v + noise * rng.standard_normal(n)
    return Teacher(*(a.astype(default_dtype()) for a in (X, y, W, v)))


def sparse_parity(rng, n=1000, bits=40, k=3):
    """Is the number of -1s among k hidden columns odd? y = (1 - Π x_j) / 2 over j in the support; no fewer than k columns tell anything.

    → X: (N, D) of -1 and 1, y: (N,) of 0 and 1, and support: (k,), by these names.
    Raises ValueError unless 1 ≤ k ≤ bits. Source: Barak et al. 2022.
    """
    _at_least(1, n=n, k=k)
    if k > bits:
        raise ValueError(f"sparse_parity: k={k} of {bits} bits; want at most as many as there are")
    rng = np.random.default_rng(rng)
    support = np.sort(rng.choice(bits, k, replace=False))
    X = rng.choice(np.array([-1, 1]), (n, bits))
    return Parity(X.astype(default_dtype()), (1 - X[:, support].prod(axis=1)) // 2, support)


def modular_arithmetic(rng, p=97, operation="+", test_fraction=0.5):
    """The whole table of a ∘ b mod p for ∘ one of + - *, its p² rows cut at random: X: (N, 2) of (a, b), y: (N,), all below p.

    → Split. Raises ValueError for another operation or p below 2. Source: Power et al., Grokking, 2022.
    """
    tables = {"+": np.add, "-": np.subtract, "*": np.multiply}
    if operation not in tables:
        raise ValueError(f"modular_arithmetic: operation {operation!r}; want one of + - *")
    _at_least(2, p=p)
    X = np.stack(np.divmod(np.arange(p * p), p), axis=1)
    return Split(*split(X, tables[operation](X[:, 0], X[:, 1]) % p, rng, test_fraction))


def planted_graphs(rng, n=1, nodes=60, communities=2, p_in=0.3, p_out=0.05):
    """The stochastic block model: an edge with probability p_in inside a community and p_out between two, independently.

    → adjacency: (N, K, K) of 0 and 1, symmetric, with a zero diagonal, and y: (N, K), the community of each node, by these names;
    communities differ in size by at most one. With degrees c_in = K p_in / q and c_out = K p_out / q, q communities can be
    found by the spectrum when (c_in - c_out)² > q (c_in + (q - 1) c_out). Raises ValueError for what is no probability or too
    few nodes. Source: Holland, Laskey & Leinhardt 1983; Decelle et al. 2011.
    """
    _at_least(1, n=n, communities=communities)
    _at_least(communities, nodes=nodes)
    if not (0 <= p_in <= 1 and 0 <= p_out <= 1):
        raise ValueError(
            f"planted_graphs: p_in={p_in} and p_out={p_out}; want probabilities from 0 to 1"
        )
    rng = np.random.default_rng(rng)
    y = rng.permuted(np.tile(np.arange(nodes) % communities, (n, 1)), axis=1)
    upper = np.triu(
        rng.random((n, nodes, nodes)) < np.where(y[:, :, None] == y[:, None], p_in, p_out), 1
    )
    return Graphs((upper | upper.mT).astype(default_dtype()), y)


def correlated_gaussians(rng, n=1000, dims=1, rho=0.5):
    """Pairs with known mutual information: y = ρ x + √(1 - ρ²) z, with x, z standard normal; I(X; Y) = -(D / 2) log(1 - ρ²).

    → X: (N, D), Y: (N, D) and their mutual information, in nats, by these names.
    Raises ValueError unless -1 < rho < 1. Source: Cover & Thomas, Elements of Information Theory.
    """
    _at_least(1, n=n, dims=dims)
    if not -1 < rho < 1:
        raise ValueError(
            f"correlated_gaussians: rho={rho}; want a correlation strictly between -1 and 1, where information is finite"
        )
    x, z = np.random.default_rng(rng).standard_normal((2, n, dims))
    y = rho * x + math.sqrt(1 - rho**2) * z
    return Correlated(
        x.astype(default_dtype()), y.astype(default_dtype()), -dims / 2 * math.log1p(-(rho**2))
    )


def _at_least(least, **values):
    for name, value in values.items():
        if not value >= least:
            raise ValueError(f"{name}={value}: want at least {least}")
