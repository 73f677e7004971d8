"""Sets with a known truth beyond labels: who taught, which bits count, how much can be known."""

import math
from typing import NamedTuple

import numpy as np

from ..engine import default_dtype
from .split import Seed, Split, split

__all__ = [
    "teacher_student",
    "sparse_parity",
    "modular_arithmetic",
    "planted_graphs",
    "correlated_gaussians",
]


class Teacher(NamedTuple):
    """X: (N, D), y: (N,), and the teacher's W: (H, D) and v: (H,)."""

    X: np.ndarray
    y: np.ndarray
    W: np.ndarray
    v: np.ndarray


class Parity(NamedTuple):
    """X: (N, D) of -1 and 1, y: (N,) of 0 and 1, and support: (k,), the columns that count."""

    X: np.ndarray
    y: np.ndarray
    support: np.ndarray


class Graphs(NamedTuple):
    """adjacency: (N, K, K) of 0 and 1, and y: (N, K), the community of each node."""

    adjacency: np.ndarray
    y: np.ndarray


class Correlated(NamedTuple):
    """X: (N, D), Y: (N, D), and their mutual information in nats."""

    X: np.ndarray
    Y: np.ndarray
    information: float


def teacher_student(
    rng: Seed, n: int = 1000, features: int = 20, hidden: int = 4, noise: float = 0.0
) -> Teacher:
    """A regression whose answers a small network gives: y = tanh(X Wᵀ) v + noise z.

    x and z are standard normal, W ~ N(0, 1/D), v = ±1. Any student with the same answers has
    W and v up to order and sign of its units. Source: Gardner & Derrida 1989; Saad & Solla 1995.

    Parameters
    ----------
    rng : Generator or int, optional
    n, features, hidden : int
        N examples of D features, and the teacher's H units; each at least 1.
    noise : float
        The standard deviation of what is added to the answers, at least 0.

    Returns
    -------
    Teacher
        X: (N, D), y: (N,), W: (H, D), v: (H,), by these names.

    Raises
    ------
    ValueError
        For a count below 1 or negative noise.

    Examples
    --------
    >>> X, y, W, v = teacher_student(rng=0, n=100)
    >>> bool(np.allclose(np.tanh(X @ W.T) @ v, y, atol=1e-5))
    True
    """
    _at_least(1, "teacher_student", n=n, features=features, hidden=hidden)
    _at_least(0, "teacher_student", noise=noise)
    rng = np.random.default_rng(rng)
    W = rng.standard_normal((hidden, features)) / math.sqrt(features)
    v = rng.choice([-1.0, 1.0], hidden)
    X = rng.standard_normal((n, features))
    y = np.tanh(X @ W.T) @ v + noise * rng.standard_normal(n)
    return Teacher(*(a.astype(default_dtype()) for a in (X, y, W, v)))


def sparse_parity(rng: Seed, n: int = 1000, bits: int = 40, k: int = 3) -> Parity:
    """Whether the number of -1s in k hidden columns is odd: y = (1 - Π x_j) / 2 over these j.

    No fewer than k columns together tell anything. Source: Barak et al. 2022.

    Parameters
    ----------
    rng : Generator or int, optional
    n, bits, k : int
        N examples of D bits, of which k count.

    Returns
    -------
    Parity
        X: (N, D) of -1 and 1, y: (N,) of 0 and 1, support: (k,), by these names.

    Raises
    ------
    ValueError
        Unless 1 ≤ k ≤ bits and n ≥ 1.

    Examples
    --------
    >>> X, y, support = sparse_parity(rng=1, n=4, bits=5, k=2)
    >>> [int(product) for product in X[:, support].prod(axis=1)], y.tolist()
    ([1, -1, 1, -1], [0, 1, 0, 1])
    """
    _at_least(1, "sparse_parity", n=n, k=k)
    if k > bits:
        raise ValueError(f"sparse_parity: k={k} of {bits} bits; want at most as many as there are")
    rng = np.random.default_rng(rng)
    support = np.sort(rng.choice(bits, k, replace=False))
    X = rng.choice(np.array([-1, 1]), (n, bits))
    y = (1 - X[:, support].prod(axis=1)) // 2
    return Parity(X.astype(default_dtype()), y, support)


def modular_arithmetic(
    rng: Seed, p: int = 97, operation: str = "+", test_fraction: float = 0.5
) -> Split:
    """The whole table of a ∘ b mod p, its p² rows cut at random into training and test.

    Source: Power et al., Grokking, 2022.

    Parameters
    ----------
    rng : Generator or int, optional
    p : int
        The modulus, at least 2.
    operation : str
        One of + - *.
    test_fraction : float
        The share of the rows that go to the test.

    Returns
    -------
    Split
        X: (N, 2) of (a, b), y: (N,), all below p.

    Raises
    ------
    ValueError
        For another operation, or p below 2.

    Examples
    --------
    >>> X, y, X_test, y_test = modular_arithmetic(rng=0, p=5)
    >>> len(X) + len(X_test), bool((X.sum(axis=1) % 5 == y).all())
    (25, True)
    """
    tables = {"+": np.add, "-": np.subtract, "*": np.multiply}
    if operation not in tables:
        raise ValueError(f"modular_arithmetic: operation {operation!r}; want one of + - *")
    _at_least(2, "modular_arithmetic", p=p)
    X = np.stack(np.divmod(np.arange(p * p), p), axis=1)
    y = tables[operation](X[:, 0], X[:, 1]) % p
    return split(X, y, rng, test_fraction)


def planted_graphs(
    rng: Seed,
    n: int = 1,
    nodes: int = 60,
    communities: int = 2,
    p_in: float = 0.3,
    p_out: float = 0.05,
) -> Graphs:
    """The stochastic block model: likely edges inside communities, unlikely ones between.

    With degrees c_in = K p_in / q and c_out = K p_out / q, q communities can be found by the
    spectrum when (c_in - c_out)² > q (c_in + (q - 1) c_out).
    Source: Holland, Laskey & Leinhardt 1983; Decelle et al. 2011.

    Parameters
    ----------
    rng : Generator or int, optional
    n, nodes, communities : int
        N graphs of K nodes in q communities, whose sizes differ by at most one.
    p_in, p_out : float
        The probability of each edge inside a community, and between two.

    Returns
    -------
    Graphs
        adjacency: (N, K, K) of 0 and 1, symmetric, with a zero diagonal, and y: (N, K), by
        these names.

    Raises
    ------
    ValueError
        For what is no probability, a count below 1, or fewer nodes than communities.
    """
    _at_least(1, "planted_graphs", n=n, communities=communities)
    _at_least(communities, "planted_graphs", nodes=nodes)
    if not (0 <= p_in <= 1 and 0 <= p_out <= 1):
        raise ValueError(
            f"planted_graphs: p_in={p_in} and p_out={p_out}; want probabilities from 0 to 1"
        )
    rng = np.random.default_rng(rng)
    y = rng.permuted(np.tile(np.arange(nodes) % communities, (n, 1)), axis=1)
    same = y[:, :, None] == y[:, None]
    edges = rng.random((n, nodes, nodes)) < np.where(same, p_in, p_out)
    upper = np.triu(edges, 1)
    return Graphs((upper | upper.mT).astype(default_dtype()), y)


def correlated_gaussians(rng: Seed, n: int = 1000, dims: int = 1, rho: float = 0.5) -> Correlated:
    """Pairs whose mutual information is known: y = ρ x + √(1 - ρ²) z, x and z normal.

    I(X; Y) = -(D / 2) log(1 - ρ²). Source: Cover & Thomas, Elements of Information Theory.

    Parameters
    ----------
    rng : Generator or int, optional
    n, dims : int
        N pairs of D entries each.
    rho : float
        The correlation of each entry with its partner.

    Returns
    -------
    Correlated
        X: (N, D), Y: (N, D), information, in nats, by these names.

    Raises
    ------
    ValueError
        Unless -1 < rho < 1, and for a count below 1.

    Examples
    --------
    >>> X, Y, information = correlated_gaussians(rng=0, dims=2, rho=0.8)
    >>> round(information, 3)
    1.022
    """
    _at_least(1, "correlated_gaussians", n=n, dims=dims)
    if not -1 < rho < 1:
        raise ValueError(
            f"correlated_gaussians: rho={rho}; want a correlation strictly between -1 and 1, "
            "where information is finite"
        )
    x, z = np.random.default_rng(rng).standard_normal((2, n, dims))
    y = rho * x + math.sqrt(1 - rho**2) * z
    information = -dims / 2 * math.log1p(-(rho**2))
    return Correlated(x.astype(default_dtype()), y.astype(default_dtype()), information)


def _at_least(least, caller, **values):
    for name, value in values.items():
        if not value >= least:
            raise ValueError(f"{caller}: {name}={value}: want at least {least}")
