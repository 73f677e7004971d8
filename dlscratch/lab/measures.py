"""Single numbers that say what a matrix of activations is like.  A: (N, D), one row an example."""

from typing import Any

import numpy as np

__all__ = ["effective_rank", "cka", "dead_units", "saturation"]


def effective_rank(A: Any) -> float:
    """exp(-Σ p log p) with p = σ / Σ σ over the singular values σ of A.

    1 for one direction, D for D equal ones.  A: (N, D); more axes are flattened to (N, -1).
    Raises ValueError for fewer. Source: Roy & Vetterli 2007.

    Examples
    --------
    >>> print(f"{effective_rank(np.eye(3)):.3f}, {effective_rank(np.ones((3, 3))):.3f}")
    3.000, 1.000
    """
    A = _rows("effective_rank", A).astype(np.float64)
    singular = np.linalg.svd(A.reshape(len(A), -1), compute_uv=False)
    if not singular.any():
        return 0.0
    p = singular[singular > 0] / singular.sum()
    return float(np.exp(-np.sum(p * np.log(p))))


def cka(A: Any, B: Any) -> float:
    """|Bᵀ A|² / (|Aᵀ A| |Bᵀ B|) of the centred matrices, with Frobenius norms.

    1 for the same representation up to rotation and scale.  A: (N, D), B: (N, E), the same N
    examples. Raises ValueError for other shapes. Source: Kornblith et al. 2019.

    Examples
    --------
    >>> A = np.random.default_rng(0).normal(size=(9, 2))
    >>> print(f"{cka(A, 3 * A[:, ::-1]):.3f}")
    1.000
    """
    A = np.asarray(A, np.float64)
    B = np.asarray(B, np.float64)
    if A.ndim != 2 or B.ndim != 2 or len(A) != len(B):
        raise ValueError(
            f"cka: came {A.shape} and {B.shape}; want (N, D) and (N, E) over the same examples"
        )
    A, B = _centred(A), _centred(B)
    norm = np.linalg.norm
    return float(norm(B.T @ A) ** 2 / (norm(A.T @ A) * norm(B.T @ B)))


def _centred(A):
    return A - A.mean(axis=0)


def dead_units(A: Any) -> float:
    """The share of units (columns) that are 0 for every example.

    A: (N, D) or (N, D, ...). Raises ValueError for fewer axes.

    Examples
    --------
    >>> dead_units([[0.0, 1.0], [0.0, 0.0]])
    0.5
    """
    return float(np.mean(np.all(_rows("dead_units", A) == 0, axis=0)))


def saturation(A: Any, low: float = -1.0, high: float = 1.0, margin: float = 0.05) -> float:
    """The share of entries near the ends of an activation's range.

    Parameters
    ----------
    A : array
        Activations, of any shape.
    low, high : float
        The range, that of tanh unless given.
    margin : float
        What is near, as a part of the range.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        Unless low < high.

    Examples
    --------
    >>> saturation(np.tanh([-9.0, 0.0, 0.5, 9.0]))
    0.5
    """
    if not low < high:
        raise ValueError(f"saturation: low={low}, high={high}; want low < high")
    A = np.asarray(A)
    close = margin * (high - low)
    return float(np.mean((A < low + close) | (A > high - close)))


def _rows(name, A):
    A = np.asarray(A)
    if A.ndim < 2:
        raise ValueError(f"{name}: A {A.shape}; want (N, D), one row an example")
    return A
