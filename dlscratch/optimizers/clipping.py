"""Limits on the gradient, between backward and step."""

import math
from collections.abc import Iterable

import numpy as np

from ..engine import Tensor
from ..layers.parameters import Parameters

__all__ = ["clip_grad_norm_", "clip_grad_value_"]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Shorten the gradient of all parameters, in place, to a norm of at most max_norm.

    g ← g min(1, max_norm / (|g| + 1e-6)); the norm is that of all as one vector.

    A norm that is NaN makes all gradients NaN, so that it shows; one that is infinite makes them 0,
    and NaN where they were infinite. Both as in PyTorch.  Source: Pascanu et al. 2013.

    Parameters
    ----------
    parameters : any: of a model, of a part of it, of several, `optimizer.parameters`; those without
        a gradient do not count
    max_norm : the largest norm that is left alone, > 0
    norm_type : the p of the norm, or inf
    error_if_nonfinite : whether to raise for a norm that is NaN or infinite

    Returns
    -------
    The norm as it was.

    Raises
    ------
    ValueError : for max_norm <= 0
    RuntimeError : if error_if_nonfinite, before anything changes

    Examples
    --------
    >>> import numpy as np
    >>> from dlscratch import layers
    >>> w = layers.Parameter(np.array([3.0, 4.0]))
    >>> (0.5 * w * w).sum().backward()
    >>> clip_grad_norm_([w], max_norm=1.0)
    5.0
    >>> w.grad.round(3)
    array([0.6, 0.8])
    """
    gradients = _gradients("clip_grad_norm_", parameters, "max_norm", max_norm)
    norm = _norm(gradients, float(norm_type))
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(
            f"clip_grad_norm_: the gradient's norm is {norm}; want a finite one; "
            "detect_anomaly() finds where it arose"
        )
    factor = float(max_norm) / (norm + 1e-6)
    if not factor >= 1:  # NaN, too
        with np.errstate(invalid="ignore"):  # 0 · inf is NaN, as it should
            for g in gradients:
                g *= factor
    return norm


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Limit each entry of the gradients to ±clip_value, in place.

    g ← min(max(g, -clip_value), clip_value). Raises ValueError for clip_value <= 0.
    """
    for g in _gradients("clip_grad_value_", parameters, "clip_value", clip_value):
        np.clip(g, -float(clip_value), float(clip_value), out=g)


def _gradients(name, parameters, option, limit):
    """The gradients that there are, each to be changed in place."""
    if not limit > 0:
        raise ValueError(f"{name}: expected {option} > 0, got {option}={limit}")
    if hasattr(parameters, "parameters"):
        raise TypeError(
            f"{name}: expected parameters, got {type(parameters).__name__}; pass model.parameters()"
        )
    if isinstance(parameters, Parameters):
        return parameters.gradients()
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in parameters if p.grad is not None]


def _norm(arrays, order):
    """The norm of all arrays as one vector: that of their norms."""
    if order == 2:
        return math.sqrt(sum(float(np.vdot(a, a)) for a in arrays))
    norms = [float(np.linalg.norm(a.ravel(), order)) for a in arrays]
    return float(np.linalg.norm(norms, order)) if norms else 0.0
