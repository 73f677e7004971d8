"""Single numbers that say what a matrix of activations is like.  A: (N, D), one row an example."""

import numpy as np

__all__ = ["effective_rank", "cka", "dead_units", "saturation"]


def effective_rank(A):
    """exp(-Σ p log p) with p = σ / Σ σ over the singular values of A: 1 for one direction, D for D equal ones.

    A of more axes is flattened to (N, -1). Source: Roy & Vetterli 2007.
    """
    A = _rows("effective_rank", A).astype(np.float64)
    singular = np.linalg.svd(A.reshape(len(A), -1), compute_uv=False)
    if not singular.any():
        return 0.0
    p = singular[singular > 0] / singular.sum()
    return float(np.exp(-np.sum(p * np.log(p))))


def cka(A, B):
    """|Bᵀ A|² / (|Aᵀ A| |Bᵀ B|) of the centred matrices: 1 for the same representation up to rotation and scale.

    A: (N, D), B: (N, E), the same N examples. Raises ValueError for other shapes. Source: Kornblith et al. 2019.
    """
    A, B = np.asarray(A, np.float64), np.asarray(B, np.float64)
    if A.ndim != 2 or B.ndim != 2 or len(A) != len(B):
        raise ValueError(
            f"cka: came {A.shape} and {B.shape}; want (N, D) and (N, E) over the same examples"
        )
    A, B = A - A.mean(axis=0), B - B.mean(axis=0)
    norm = np.linalg.norm
    return float(norm(B.T @ A) ** 2 / (norm(A.T @ A) * norm(B.T @ B)))


def dead_units(A):
    """The share of units (columns) that are 0 for every example.  A: (N, D) or (N, D, ...)."""
    return float(np.mean(np.all(_rows("dead_units", A) == 0, axis=0)))


def saturation(A, low=-1.0, high=1.0, margin=0.05):
    """The share of entries within `margin` of the ends of an activation's range, as a part of that range (tanh: -1, 1)."""
    if not low < high:
        raise ValueError(f"saturation: low={low}, high={high}; want low < high")
    A, close = np.asarray(A), margin * (high - low)
    return float(np.mean((A < low + close) | (A > high - close)))


def _rows(name, A):
    A = np.asarray(A)
    if A.ndim < 2:
        raise ValueError(f"{name}: A {A.shape}; want (N, D), one row an example")
    return A
