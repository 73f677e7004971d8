"""Rules that look at each parameter as a matrix: Adafactor, LAMB, Shampoo, Muon."""

import math
from collections.abc import Iterable

import numpy as np

from ..layers.parameters import Parameter
from .base import Optimizer, check_fractions, decayed, shrink

__all__ = ["Adafactor", "LAMB", "Shampoo", "Muon", "orthogonalize"]


class Adafactor(Optimizer):
    """Adam's division with v ≈ r cᵀ / mean(r), for row means r and column means c of g².

    They are all that it remembers, m + n numbers for m n.

    W ← (1 - lr λ) W - α u / max(1, RMS(u) / d), u = g / √v, α = min(lr, 1/√t) max(eps₂, RMS(W)); β₂
    = 1 - t^beta2_decay. As in PyTorch, √v and mean(r) are at least eps₁.  Source: Shazeer & Stern
    2018.

    Parameters
    ----------
    params : model.parameters(), or groups: see `Optimizer`
    lr : the learning rate, relative to the size of W
    beta2_decay : how the means forget: <= 0
    eps : eps₁ (None: the dtype's) and eps₂
    d : the largest RMS(u) that is not shortened
    weight_decay : λ
    maximize : whether to climb, in place of to descend

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> w = layers.Parameter(np.array([[3.0, 1.0], [0.0, -1.0]]))
    >>> optimizer = optimizers.Adafactor([w], lr=0.1)
    >>> w.grad = np.array([[2.0, 0.0], [0.0, -0.5]])
    >>> optimizer.step()
    >>> w.data.round(4)
    array([[ 2.9196,  1.    ],
           [ 0.    , -0.6782]])
    """

    elementwise = False

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[dict],
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            lr=lr,
            beta2_decay=beta2_decay,
            eps=eps,
            d=d,
            weight_decay=weight_decay,
            maximize=maximize,
        )

    def check(self, options: dict) -> None:
        super().check(options)
        if not options["beta2_decay"] <= 0:
            raise ValueError(
                f"Adafactor: expected beta2_decay <= 0, got beta2_decay={options['beta2_decay']}"
            )

    def remembers(self, shape: tuple, options: dict) -> dict[str, tuple]:
        if len(shape) < 2:
            return {"rows": shape, "columns": (0,)}  # of a vector, rows is v itself
        return {"rows": (*shape[:-1], 1), "columns": (*shape[:-2], 1, shape[-1])}

    def update(self, W, g, rows, columns, *, t, lr, beta2_decay, eps, d, weight_decay):
        eps1 = float(np.finfo(g.dtype).eps) if eps[0] is None else eps[0]
        share = t**beta2_decay
        size = min(lr, 1 / math.sqrt(t)) * max(eps[1], rms(W))
        shrink(W, lr, weight_decay)
        square = g * g
        if W.ndim > 1:
            rows += share * (square.mean(axis=-1, keepdims=True) - rows)
            columns += share * (square.mean(axis=-2, keepdims=True) - columns)
            v = rows * columns / np.maximum(rows.mean(axis=-2, keepdims=True), eps1)
        else:
            rows += share * (square - rows)
            v = rows
        u = g / np.sqrt(np.maximum(v, eps1 * eps1))
        W -= size / max(1.0, rms(u) / d) * u


def rms(x):
    """√(mean x²), a float."""
    return float(np.linalg.norm(x)) / math.sqrt(x.size)


class LAMB(Optimizer):
    """W ← W - lr (|W| / |u|) u for each parameter, with u = m̂ / (√v̂ + eps) + λ W.

    The ratio is 1 where a norm is 0.  Source: You et al. 2020, with φ(z) = z.

    Parameters
    ----------
    params : model.parameters(), or groups: see `Optimizer`
    lr : the learning rate, relative to the size of W
    betas, eps : as in Adam
    weight_decay : λ

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> w = layers.Parameter(np.array([3.0, -1.0]))
    >>> optimizer = optimizers.LAMB([w], lr=0.1)
    >>> w.grad = np.array([2.0, -0.5])
    >>> optimizer.step()
    >>> w.data.round(4)
    array([ 2.7764, -0.7764])
    """

    elementwise = False

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[dict],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
    ):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def check(self, options: dict) -> None:
        super().check(options)
        check_fractions(self, "betas", options["betas"])

    def remembers(self, shape: tuple, options: dict) -> dict[str, tuple]:
        return {"m": shape, "v": shape}

    def update(self, W, g, m, v, *, t, lr, betas, eps, weight_decay):
        b1, b2 = betas
        m += (1 - b1) * (g - m)
        v += (1 - b2) * (g * g - v)
        u = m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + eps)
        u = decayed(u, W, weight_decay)
        size = float(np.linalg.norm(W))
        length = float(np.linalg.norm(u))
        ratio = size / length if size and length else 1.0
        W -= lr * ratio * u


class Shampoo(Optimizer):
    """W ← W - lr L^(-1/4) G R^(-1/4), with L ← L + G Gᵀ and R ← R + Gᵀ G.

    Both are eps I at first; decay adds λ W to G. A tensor of k axes has such a matrix for each
    axis, and the powers are -1/(2k): (D, D) for a vector of D, so mind its size.  Source: Gupta,
    Koren & Singer 2018.

    Parameters
    ----------
    params : model.parameters(), or groups: see `Optimizer`
    lr : the learning rate
    eps : what L and R start with, > 0
    weight_decay : λ

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> w = layers.Parameter(np.array([[3.0, 1.0], [0.0, -1.0]]))
    >>> optimizer = optimizers.Shampoo([w], lr=0.1)
    >>> w.grad = np.array([[2.0, 0.0], [0.0, -0.5]])
    >>> optimizer.step()
    >>> w.data.round(4)
    array([[ 2.9,  1. ],
           [ 0. , -0.9]])
    """

    elementwise = False

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[dict],
        lr: float = 0.1,
        eps: float = 1e-4,
        weight_decay: float = 0.0,
    ):
        super().__init__(params, lr=lr, eps=eps, weight_decay=weight_decay)

    def check(self, options: dict) -> None:
        super().check(options)
        if not options["eps"] > 0:
            raise ValueError(f"Shampoo: expected eps > 0, got eps={options['eps']}")

    def remembers(self, shape: tuple, options: dict) -> dict[str, tuple]:
        return {"sums": (sum(n * n for n in shape),)}  # one matrix after the other

    def begin(self, shape: tuple, state: dict[str, np.ndarray], options: dict) -> None:
        for S in square_matrices(state["sums"], shape):
            np.fill_diagonal(S, options["eps"])

    def update(self, W, g, sums, *, t, lr, eps, weight_decay):
        g = decayed(g, W, weight_decay)
        step = g
        for axis, S in enumerate(square_matrices(sums, W.shape)):
            G = np.moveaxis(g, axis, 0).reshape(len(S), -1)
            S += G @ G.T
            root = matrix_power(S, -0.5 / W.ndim, eps)
            step = np.moveaxis(np.tensordot(root, step, (1, axis)), 0, axis)
        W -= lr * step


def square_matrices(flat, sizes):
    """Views (n, n) of a vector, one after the other, for each n in sizes."""
    start = 0
    for n in sizes:
        yield flat[start : start + n * n].reshape(n, n)
        start += n * n


def matrix_power(S, power, smallest):
    """S^power for a symmetric S, whose eigenvalues count as at least `smallest`."""
    values, Q = np.linalg.eigh(S)
    return Q * np.maximum(values, smallest) ** power @ Q.T


class Muon(Optimizer):
    """W ← (1 - lr λ) W - lr √max(1, m / n) O, with O ≈ U Vᵀ for the momentum U S Vᵀ.

    b ← μ b + (1 - μ) g, and O is of μ b + (1 - μ) g if `nesterov`, else of b. For matrices (m, n)
    only, and of these the hidden ones: give the others to AdamW.  Source: Jordan 2024; Liu et al.,
    Muon is scalable for LLM training, 2025.

    Parameters
    ----------
    params : matrices, or groups of them: see `Optimizer`
    lr : the learning rate
    weight_decay : λ
    momentum : μ
    nesterov : whether to look ahead
    ns_coefficients, eps, ns_steps : those of `orthogonalize`
    adjust_lr_fn : "original", or None: the factor above; "match_rms_adamw": 0.2 √max(m, n)

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers, optimizers
    >>> w = layers.Parameter(np.array([[3.0, 1.0], [0.0, -1.0]]))
    >>> optimizer = optimizers.Muon([w], lr=0.1)
    >>> w.grad = np.array([[2.0, 0.0], [0.0, -0.5]])
    >>> optimizer.step()
    >>> w.data.round(4)
    array([[ 2.8963,  0.99  ],
           [ 0.    , -0.9157]])
    """

    elementwise = False

    def __init__(
        self,
        params: Iterable[Parameter] | Iterable[dict],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ):
        super().__init__(
            params,
            lr=lr,
            weight_decay=weight_decay,
            momentum=momentum,
            nesterov=nesterov,
            ns_coefficients=ns_coefficients,
            eps=eps,
            ns_steps=ns_steps,
            adjust_lr_fn=adjust_lr_fn,
        )

    def check(self, options: dict) -> None:
        super().check(options)
        check_fractions(self, "momentum", (options["momentum"],))
        if options["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                "Muon: expected adjust_lr_fn 'original' or 'match_rms_adamw', "
                f"got {options['adjust_lr_fn']!r}"
            )

    def remembers(self, shape: tuple, options: dict) -> dict[str, tuple]:
        if len(shape) != 2:
            raise ValueError(
                f"Muon: expected matrices, got a parameter of shape {shape}; "
                "give the others to AdamW"
            )
        return {"b": shape}

    def update(
        self,
        W,
        g,
        b,
        *,
        t,
        lr,
        weight_decay,
        momentum,
        nesterov,
        ns_coefficients,
        eps,
        ns_steps,
        adjust_lr_fn,
    ):
        b += (1 - momentum) * (g - b)
        direction = g + momentum * (b - g) if nesterov else b
        m, n = W.shape
        if adjust_lr_fn == "match_rms_adamw":
            factor = 0.2 * math.sqrt(max(m, n))
        else:
            factor = math.sqrt(max(1, m / n))
        shrink(W, lr, weight_decay)
        W -= lr * factor * orthogonalize(direction, ns_coefficients, ns_steps, eps)


def orthogonalize(
    G: np.ndarray,
    coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
    steps: int = 5,
    eps: float = 1e-7,
) -> np.ndarray:
    """Nearly U Vᵀ for G = U S Vᵀ, without an SVD.

    X ← a X + b X Xᵀ X + c (X Xᵀ)² X pulls singular values in (0, 1] towards 1.  Source: Jordan
    2024, after Schulz 1933.

    Parameters
    ----------
    G : (m, n)
    coefficients : a, b, c; the default ones are quick, not exact: values end between about 0.7 and
        1.2
    steps : how often to pull
    eps : the least norm that G is divided by at first

    Returns
    -------
    (m, n)

    Examples
    --------
    >>> import numpy as np
    >>> O = orthogonalize(np.array([[3.0, 0.0], [0.0, 0.5]]), (1.5, -0.5, 0.0), steps=20)
    >>> O.round(3)
    array([[1., 0.],
           [0., 1.]])
    """
    if np.ndim(G) != 2:
        raise ValueError(f"orthogonalize: expected a matrix (m, n), got shape {np.shape(G)}")
    a, b, c = coefficients
    X = G.T if len(G) > G.shape[1] else G
    X = X / max(float(np.linalg.norm(X)), eps)
    for _ in range(steps):
        A = X @ X.T
        X = a * X + (b * A + c * A @ A) @ X
    return X.T if len(G) > G.shape[1] else X
