"""The Hessian of a loss, never written out: its product with a vector, and what follows from such products alone."""

import math

import numpy as np

from ..engine import Tensor, gradients

__all__ = ["hessian_product", "power_iteration", "lanczos", "hutchinson", "spectral_density"]


def hessian_product(loss, parameters):
    """v ↦ H v, with H the second derivatives of loss() by all parameters: H v = ∇(∇L · v).  v: (P,) → (P,).

    loss: a function of nothing that gives a scalar Tensor. It is called once, and its graph is kept.
    Raises ValueError when v has another length. Source: Pearlmutter 1994.
    """
    leaves = list(parameters)
    if not isinstance(value := loss(), Tensor):
        raise TypeError(
            f"hessian_product: loss() gave {type(value).__name__}; want a scalar Tensor, made from the parameters"
        )
    slopes = gradients(value, leaves, create_graph=True)
    ends = np.cumsum([p.size for p in leaves])

    def product(v):
        if np.shape(v) != (ends[-1],):
            raise ValueError(
                f"hessian_product: v has shape {np.shape(v)}, want {(int(ends[-1]),)}, one entry a parameter"
            )
        pieces = np.split(np.asarray(v, leaves[0].dtype), ends[:-1])
        along = sum(
            np.sum(g * np.reshape(piece, g.shape)) for g, piece in zip(slopes, pieces, strict=True)
        )
        return np.concatenate([h.data.ravel() for h in gradients(along, leaves, retain_graph=True)])

    return product


def power_iteration(product, size, rng=0, rounds=1000, tolerance=1e-8):
    """The eigenvalue of largest magnitude, and its unit vector (P,): v ← H v / |H v| until v stays.

    Raises RuntimeError when it does not settle in `rounds`, as between eigenvalues of equal size. Source: von Mises 1929.
    """
    v = _unit(np.random.default_rng(rng), size)
    for _ in range(rounds):
        Hv = product(v)
        value = float(v @ Hv)
        if not math.isfinite(value):
            raise ValueError(
                f"power_iteration: v·H v = {value}; want a product of finite numbers: has training diverged?"
            )
        if np.linalg.norm(Hv - value * v) <= tolerance * max(abs(value), tolerance):
            return value, v
        v = Hv / np.linalg.norm(Hv)
    raise RuntimeError(
        f"power_iteration: not settled after {rounds} rounds; allow more, or a larger tolerance than {tolerance}"
    )


def lanczos(product, size, rng=0, steps=30):
    """(nodes, weights) of a quadrature of the spectrum seen from a random unit vector v: v·φ(H) v ≈ Σ weight φ(node).

    nodes, weights: (at most `steps`,), ascending; the extreme nodes converge to the extreme eigenvalues. Every new vector
    is made orthogonal to all before, which rounding would otherwise undo. Raises ValueError for size or steps below 1.
    Source: Golub & Welsch 1969; Lanczos 1950.
    """
    if not isinstance(size, int | np.integer) or min(size, steps) < 1:
        raise ValueError(
            f"lanczos: size={size}, steps={steps}; want at least 1 parameter and 1 step"
        )
    steps = min(steps, size)
    Q, alpha, beta = [_unit(np.random.default_rng(rng), size)], [], []
    while True:
        w = np.asarray(product(Q[-1]), np.float64)
        alpha.append(float(Q[-1] @ w))
        basis = np.array(Q)
        for _ in range(2):
            w = w - basis.T @ (basis @ w)
        norm = np.linalg.norm(w)
        if len(Q) == steps or norm <= 1e-10 * max(
            map(abs, alpha)
        ):  # the space that v can reach is exhausted
            break
        beta.append(norm)
        Q.append(w / norm)
    nodes, vectors = np.linalg.eigh(np.diag(alpha) + np.diag(beta, 1) + np.diag(beta, -1))
    return nodes, vectors[0] ** 2


def hutchinson(product, size, rng=0, samples=30):
    """Estimates v·H v of the trace of H, one for each of `samples` vectors v of random signs: (samples,).

    Their mean is the trace; their variance is twice the sum of the squared off-diagonal entries. Source: Hutchinson 1990.
    """
    if samples < 1:
        raise ValueError(f"hutchinson: samples={samples}; want at least 1")
    signs = np.random.default_rng(rng).choice([-1.0, 1.0], (samples, size))
    return np.array([v @ product(v) for v in signs])


def spectral_density(product, size, grid, rng=0, steps=30, probes=5, width=None):
    """How eigenvalues are spread: Σ weight N(grid; node, width²), averaged over `probes` Lanczos runs.  grid: (G,) → (G,).

    It integrates to 1. `width` smooths, by default 1 % of the grid's length. Source: Ghorbani et al. 2019.
    """
    grid = np.asarray(grid, np.float64)
    if grid.ndim != 1 or probes < 1:
        raise ValueError(
            f"spectral_density: grid {grid.shape}, probes={probes}; want (G,) and at least 1"
        )
    width = width or 0.01 * np.ptp(grid)
    density = np.zeros_like(grid)
    for generator in np.random.default_rng(rng).spawn(probes):
        nodes, weights = lanczos(product, size, generator, steps)
        bumps = np.exp(-0.5 * ((grid[:, None] - nodes) / width) ** 2) / (
            width * math.sqrt(2 * math.pi)
        )
        density += bumps @ weights / probes
    return density


def _unit(rng, size):
    v = rng.normal(size=size)
    return v / np.linalg.norm(v)
