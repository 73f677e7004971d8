"""The softmax family: the entries of a row compete for a probability of 1."""

import numpy as np

from ..engine import Array, custom_vjp
from ..engine.tensor import unwrap
from .arguments import number
from .kernels import softmax as kernels

__all__ = [
    "textbook_softmax",
    "softmax",
    "textbook_log_softmax",
    "log_softmax",
    "gumbel_softmax",
]


def textbook_softmax(x: Array, axis: int = -1) -> Array:
    """softmax(x)_i = exp(x_i) / Σ_j exp(x_j) along `axis`.

    Shifted by the largest entry, so that exp cannot overflow; it drops out of the quotient.
    x: any shape → same.

    Examples
    --------
    >>> softmax(np.array([0.0, 0.0, np.log(2)])).round(4)
    array([0.25, 0.25, 0.5 ])
    """
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


softmax = custom_vjp(
    textbook_softmax,
    kernels.softmax,
    lambda g, y, saved, needs, x, axis=-1: (y * (g - np.sum(g * y, axis=axis, keepdims=True)),),
    pure=True,
)


def textbook_log_softmax(x: Array, axis: int = -1) -> Array:
    """log softmax(x)_i = x_i - log Σ_j exp(x_j) along `axis`.

    x: any shape → same.
    """
    z = x - np.max(x, axis=axis, keepdims=True)
    return z - np.log(np.sum(np.exp(z), axis=axis, keepdims=True))


log_softmax = custom_vjp(
    textbook_log_softmax,
    kernels.log_softmax,
    lambda g, y, saved, needs, x, axis=-1: (g - np.exp(y) * np.sum(g, axis=axis, keepdims=True),),
    pure=True,
)


def gumbel_softmax(
    logits: Array,
    tau: float = 1.0,
    hard: bool = False,
    eps: float = 1e-10,
    axis: int = -1,
    *,
    rng: np.random.Generator | int | None = None,
) -> Array:
    """softmax((logits + g) / τ), g being Gumbel noise: a relaxed sample of the class.

    The sample is exact in the limit τ → 0.

    Parameters
    ----------
    logits : any shape
    tau : the temperature τ
    hard : whether the value is one-hot; the gradient is that of the relaxed sample all the same
    eps : has no effect, in PyTorch neither, and only keeps its place
    axis : the classes
    rng : draws the noise

    Returns
    -------
    probabilities, of the shape of logits

    Raises
    ------
    ValueError
        for τ <= 0, and for another eps

    Source: Jang et al. 2017.
    """
    if eps != 1e-10:
        raise ValueError(
            f"gumbel_softmax: eps={eps} has no effect, want it left out; "
            "the fifth argument is the axis"
        )
    tau = number(tau)
    if not tau > 0:
        raise ValueError(f"gumbel_softmax: tau={tau}; want a temperature > 0")
    noise = np.random.default_rng(rng).gumbel(size=logits.shape).astype(logits.dtype)
    y = softmax((logits + noise) / tau, axis=axis)
    if not hard:
        return y
    values = unwrap(y)
    winner = np.expand_dims(values.argmax(axis=axis), axis)
    one_hot = np.zeros_like(values)
    np.put_along_axis(one_hot, winner, 1, axis=axis)
    return one_hot - values + y
