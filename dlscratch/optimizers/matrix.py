"""Rules that look at each parameter as a matrix: Adafactor, LAMB, Shampoo, Muon."""

import math

import numpy as np

from .adam import Adam
from .base import Optimizer
from .sgd import fractions

__all__ = ["Adafactor", "LAMB", "Shampoo", "Muon", "orthogonalize"]


class Adafactor(Optimizer):
    """Adam's division with v ≈ r cᵀ / mean(r): row means r and column means c of g² are all it remembers, m + n numbers for m n.

    theta ← (1 - lr λ) theta - α u / max(1, RMS(u) / d), u = g / √v, α = min(lr, 1/√t) max(eps₂, RMS(theta)); β₂ = 1 - t^beta2_decay.
    As in PyTorch, √v and mean(r) are at least eps₁ (None: the dtype's).  Source: Shazeer & Stern 2018.
    """

    def __init__(
        self,
        params,
        lr=1e-2,
        beta2_decay=-0.8,
        eps=(None, 1e-3),
        d=1.0,
        weight_decay=0.0,
        *,
        maximize=False,
    ):
        if not beta2_decay <= 0:
            raise ValueError(f"Adafactor: beta2_decay={beta2_decay}; want a number <= 0")
        self.beta2_decay, self.eps, self.d = beta2_decay, eps, d
        super().__init__(params, lr, weight_decay, maximize)
        shapes = [p.shape for p in self.parameters]
        self._rows = self.carve(
            "rows", [(*s[:-1], 1) if len(s) > 1 else s for s in shapes]
        )  # of a vector: v itself
        self._columns = self.carve(
            "columns", [(*s[:-2], 1, s[-1]) if len(s) > 1 else (0,) for s in shapes]
        )

    def update(self, theta, g):
        eps1 = float(np.finfo(g.dtype).eps) if self.eps[0] is None else self.eps[0]
        new = self.t**self.beta2_decay
        for (lr, decay, w, dw), r, c in zip(
            self.matrices(theta, g), self._rows, self._columns, strict=True
        ):
            step = min(lr, 1 / math.sqrt(self.t)) * max(self.eps[1], rms(w))
            w *= 1 - lr * decay
            square, v = dw * dw, r
            if w.ndim > 1:
                r += new * (square.mean(axis=-1, keepdims=True) - r)
                c += new * (square.mean(axis=-2, keepdims=True) - c)
                v = r * c / np.maximum(r.mean(axis=-2, keepdims=True), eps1)
            else:
                r += new * (square - r)
            u = dw / np.sqrt(np.maximum(v, eps1 * eps1))
            w -= step / max(1.0, rms(u) / self.d) * u


def rms(x):
    """√(mean x²), a float."""
    return float(np.linalg.norm(x)) / math.sqrt(x.size)


class LAMB(Adam):
    """theta ← theta - lr (|theta| / |u|) u for each parameter, with u = m̂ / (√v̂ + eps) + λ theta; the ratio is 1 where a norm is 0.

    Source: You et al. 2020, with φ(z) = z.
    """

    elementwise = False

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.0):
        super().__init__(params, lr, betas, eps, weight_decay)

    def update(self, theta, g):
        b1, b2 = self.betas
        self.m += (1 - b1) * (g - self.m)
        self.v += (1 - b2) * (g * g - self.v)
        u = self.decayed(
            theta, self.m / (1 - b1**self.t) / (np.sqrt(self.v / (1 - b2**self.t)) + self.eps)
        )
        for lr, _, w, change in self.matrices(theta, u):
            size, length = float(np.linalg.norm(w)), float(np.linalg.norm(change))
            w -= lr * (size / length if size and length else 1.0) * change


class Shampoo(Optimizer):
    """W ← W - lr L^(-1/4) G R^(-1/4), with L ← L + G Gᵀ and R ← R + Gᵀ G, both eps I at first; decay adds λ W to G.

    A tensor of k axes has such a matrix for each axis, and the powers are -1/(2k): (D, D) for a vector of D, so mind its
    size.  Source: Gupta, Koren & Singer 2018.
    """

    def __init__(self, params, lr=0.1, eps=1e-4, weight_decay=0.0):
        if not eps > 0:
            raise ValueError(f"Shampoo: eps={eps}; want a number > 0")
        super().__init__(params, lr, weight_decay)
        self.eps, sizes = eps, [n for p in self.parameters for n in p.shape]
        self._sums = self.carve("sums", [(n, n) for n in sizes])
        for S in self._sums:
            np.fill_diagonal(S, eps)

    def update(self, theta, g):
        sums = iter(self._sums)
        for lr, _, w, dw in self.matrices(theta, self.decayed(theta, g)):
            step = dw
            for axis, S in zip(range(dw.ndim), sums, strict=False):
                G = np.moveaxis(dw, axis, 0).reshape(len(S), -1)
                S += G @ G.T
                step = np.moveaxis(
                    np.tensordot(self._root(S, -0.5 / dw.ndim), step, (1, axis)), 0, axis
                )
            w -= lr * step

    def _root(self, S, power):
        values, Q = np.linalg.eigh(S)
        return Q * np.maximum(values, self.eps) ** power @ Q.T


class Muon(Optimizer):
    """W ← (1 - lr λ) W - lr √max(1, m / n) O, with O ≈ U Vᵀ, the momentum's U S Vᵀ with all singular values near 1.

    b ← μ b + (1 - μ) g, and O is of μ b + (1 - μ) g if `nesterov`, else of b. For matrices (m, n) only, and of these the
    hidden ones: give the others to AdamW. With adjust_lr_fn "match_rms_adamw" the factor is 0.2 √max(m, n).
    Source: Jordan 2024; Liu et al., Muon is scalable for LLM training, 2025.
    """

    state = ("b",)

    def __init__(
        self,
        params,
        lr=1e-3,
        weight_decay=0.1,
        momentum=0.95,
        nesterov=True,
        ns_coefficients=(3.4445, -4.775, 2.0315),
        eps=1e-7,
        ns_steps=5,
        adjust_lr_fn=None,
    ):
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                f"Muon: adjust_lr_fn={adjust_lr_fn!r}; want 'original' or 'match_rms_adamw'"
            )
        self.momentum, self.nesterov = fractions(self, (momentum,))[0], nesterov
        self.newton_schulz = ns_coefficients, ns_steps, eps
        self.matched = adjust_lr_fn == "match_rms_adamw"
        super().__init__(params, lr, weight_decay)
        if wrong := [p.shape for p in self.parameters if p.ndim != 2]:
            raise ValueError(
                f"Muon: a parameter has shape {wrong[0]}; want matrices, give the others to AdamW"
            )

    def update(self, theta, g):
        self.b += (1 - self.momentum) * (g - self.b)
        direction = g + self.momentum * (self.b - g) if self.nesterov else self.b
        self.shrink(theta)
        for lr, _, w, d in self.matrices(theta, direction):
            m, n = w.shape
            factor = 0.2 * math.sqrt(max(m, n)) if self.matched else math.sqrt(max(1, m / n))
            w -= lr * factor * orthogonalize(d, *self.newton_schulz)


def orthogonalize(G, coefficients=(3.4445, -4.775, 2.0315), steps=5, eps=1e-7):
    """Nearly U Vᵀ for G = U S Vᵀ, without an SVD: X ← a X + b X Xᵀ X + c (X Xᵀ)² X pulls singular values in (0, 1] towards 1.

    G: (m, n) → the same. The default coefficients are quick, not exact: values end between about 0.7 and 1.2.
    Source: Jordan 2024, after Schulz 1933.
    """
    if np.ndim(G) != 2:
        raise ValueError(f"orthogonalize: G {np.shape(G)}; want a matrix (m, n)")
    a, b, c = coefficients
    X = G.T if len(G) > G.shape[1] else G
    X = X / max(float(np.linalg.norm(X)), eps)
    for _ in range(steps):
        A = X @ X.T
        X = a * X + (b * A + c * A @ A) @ X
    return X.T if len(G) > G.shape[1] else X
