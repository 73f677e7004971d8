"""The Hessian of a loss, never written out: its product with a vector, and what follows."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..engine import Tensor, gradients

__all__ = ["hessian_product", "power_iteration", "lanczos", "hutchinson", "spectral_density"]

Product = Callable[[np.ndarray], np.ndarray]  # v ↦ H v, (P,) → (P,)
Seed = np.random.Generator | int | None


def hessian_product(loss: Callable[[], Tensor], parameters: Iterable[Tensor]) -> Product:
    """v ↦ H v, with H the second derivatives of loss() by all parameters.

    H v = ∇(∇L · v).  v: (P,) → (P,). The loss, a function of nothing that gives a scalar Tensor,
    is called once, and its graph is kept. Raises ValueError when v has another length. Source:
    Pearlmutter 1994.

    Examples
    --------
    >>> w = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    >>> product = hessian_product(lambda: np.sum(w**3), [w])
    >>> product(np.array([1.0, 0.0]))  # H is diag(6 w)
    array([6., 0.])
    """
    leaves = list(parameters)
    value = loss()
    if not isinstance(value, Tensor):
        raise TypeError(
            f"hessian_product: loss() gave {type(value).__name__}; want a scalar Tensor, made from "
            "the parameters"
        )
    slopes = gradients(value, leaves, create_graph=True)
    ends = np.cumsum([p.size for p in leaves])

    def product(v):
        if np.shape(v) != (ends[-1],):
            raise ValueError(
                f"hessian_product: v has shape {np.shape(v)}, want {(int(ends[-1]),)}, one entry "
                "a parameter"
            )
        pieces = np.split(np.asarray(v, leaves[0].dtype), ends[:-1])
        pairs = zip(slopes, pieces, strict=True)
        along = sum(np.sum(g * np.reshape(piece, g.shape)) for g, piece in pairs)
        bends = gradients(along, leaves, retain_graph=True)
        return np.concatenate([bend.data.ravel() for bend in bends])

    return product


def power_iteration(
    product: Product, size: int, rng: Seed = 0, rounds: int = 1000, tolerance: float = 1e-8
) -> tuple[float, np.ndarray]:
    """The eigenvalue of largest magnitude, and its unit vector: v ← H v / |H v| until v stays.

    Parameters
    ----------
    product : v ↦ H v
        (P,) → (P,).
    size : int
        P.
    rng : Generator or int
        Where v begins.
    rounds : int
        At most so many products.
    tolerance : float
        |H v - λ v| / |λ| at the end.

    Returns
    -------
    (float, ndarray)
        λ and v, (P,).

    Raises
    ------
    RuntimeError
        When it does not settle in `rounds`, as between eigenvalues of equal size.
    ValueError
        When a product is not finite.

    Source: von Mises 1929.

    Examples
    --------
    >>> value, v = power_iteration(lambda v: np.array([3.0, -1.0]) * v, size=2)
    >>> print(f"{value:.4f}", np.abs(v).round(4))
    3.0000 [1. 0.]
    """
    v = _unit(np.random.default_rng(rng), size)
    for _ in range(rounds):
        Hv = product(v)
        value = float(v @ Hv)
        if not math.isfinite(value):
            raise ValueError(
                f"power_iteration: v·H v = {value}; want a product of finite numbers: has training "
                "diverged?"
            )
        if np.linalg.norm(Hv - value * v) <= tolerance * max(abs(value), tolerance):
            return value, v
        v = Hv / np.linalg.norm(Hv)
    raise RuntimeError(
        f"power_iteration: not settled after {rounds} rounds; allow more, or a larger tolerance "
        f"than {tolerance}"
    )


def lanczos(
    product: Product, size: int, rng: Seed = 0, steps: int = 30
) -> tuple[np.ndarray, np.ndarray]:
    """(nodes, weights) of a quadrature of the spectrum, seen from a random unit vector v.

    v·φ(H) v ≈ Σ weight φ(node), exactly for polynomials φ of degree below 2 steps. The extreme
    nodes converge to the extreme eigenvalues.

    Parameters
    ----------
    product : v ↦ H v
        (P,) → (P,).
    size : int
        P.
    rng : Generator or int
        Where v comes from.
    steps : int
        How many products; fewer, when the space that v can reach is exhausted.

    Returns
    -------
    (ndarray, ndarray)
        nodes, ascending, and weights: (at most `steps`,).

    Raises
    ------
    ValueError
        For a size or steps below 1.

    Source: Golub & Welsch 1969; Lanczos 1950.

    Examples
    --------
    >>> nodes, weights = lanczos(lambda v: np.array([1.0, 2.0, 5.0]) * v, size=3)
    >>> print(nodes.round(4), f"{weights.sum():.4f}")
    [1. 2. 5.] 1.0000
    """
    if not isinstance(size, int | np.integer) or min(size, steps) < 1:
        raise ValueError(
            f"lanczos: size={size}, steps={steps}; want at least 1 parameter and 1 step"
        )
    steps = min(steps, size)
    Q = [_unit(np.random.default_rng(rng), size)]
    alpha = []  # the diagonal of a tridiagonal matrix, the part of H on the span of Q
    beta = []  # beside the diagonal
    while True:
        w = np.asarray(product(Q[-1]), np.float64)
        alpha.append(float(Q[-1] @ w))
        basis = np.array(Q)
        for _ in range(2):  # rounding would undo it; twice is enough
            w = w - basis.T @ (basis @ w)
        norm = np.linalg.norm(w)
        is_exhausted = norm <= 1e-10 * max(map(abs, alpha))
        if len(Q) == steps or is_exhausted:
            break
        beta.append(norm)
        Q.append(w / norm)
    nodes, vectors = np.linalg.eigh(np.diag(alpha) + np.diag(beta, 1) + np.diag(beta, -1))
    return nodes, vectors[0] ** 2


def hutchinson(product: Product, size: int, rng: Seed = 0, samples: int = 30) -> np.ndarray:
    """Estimates v·H v of the trace of H, one for each of `samples` vectors v of random signs.

    → (samples,). Their mean is the trace; their variance is twice the sum of the squared
    off-diagonal entries. Raises ValueError for no samples. Source: Hutchinson 1990.

    Examples
    --------
    >>> hutchinson(lambda v: np.array([1.0, 2.0, 5.0]) * v, size=3, samples=2)
    array([8., 8.])
    """
    if samples < 1:
        raise ValueError(f"hutchinson: samples={samples}; want at least 1")
    signs = np.random.default_rng(rng).choice([-1.0, 1.0], (samples, size))
    return np.array([v @ product(v) for v in signs])


def spectral_density(
    product: Product,
    size: int,
    grid: Any,
    rng: Seed = 0,
    steps: int = 30,
    probes: int = 5,
    width: float | None = None,
) -> np.ndarray:
    """How eigenvalues are spread: Σ weight N(grid; node, width²), of `probes` Lanczos runs.

    Parameters
    ----------
    product : v ↦ H v
        (P,) → (P,).
    size : int
        P.
    grid : (G,)
        Where the density is wanted.
    rng : Generator or int
        Where the vectors come from.
    steps, probes : int
        Products in each run, and runs whose mean is taken.
    width : float, optional
        Of the bump around a node, 1 % of the grid's length unless given.

    Returns
    -------
    ndarray, (G,)
        It integrates to 1 over the whole line.

    Raises
    ------
    ValueError
        For another shape of the grid, or no probes.

    Source: Ghorbani et al. 2019.

    Examples
    --------
    >>> grid = np.linspace(0, 6, 61)
    >>> density = spectral_density(lambda v: np.array([1.0, 5.0]) * v, 2, grid, width=0.2)
    >>> print(f"{density.sum() * 0.1:.3f}")
    1.000
    """
    grid = np.asarray(grid, np.float64)
    if grid.ndim != 1 or probes < 1:
        raise ValueError(
            f"spectral_density: grid {grid.shape}, probes={probes}; want (G,) and at least 1"
        )
    width = width or 0.01 * np.ptp(grid)
    height = 1 / (width * math.sqrt(2 * math.pi))
    density = np.zeros_like(grid)
    for generator in np.random.default_rng(rng).spawn(probes):
        nodes, weights = lanczos(product, size, generator, steps)
        bumps = height * np.exp(-0.5 * ((grid[:, None] - nodes) / width) ** 2)
        density += bumps @ weights / probes
    return density


def _unit(rng, size):
    v = rng.normal(size=size)
    return v / np.linalg.norm(v)
