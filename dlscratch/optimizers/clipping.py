"""Limits on the gradient, between backward and step."""

import numpy as np

from ..layers.parameters import Parameters

__all__ = ["clip_grad_norm", "clip_grad_value"]


def clip_grad_norm(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False):
    """g ← g min(1, max_norm / (|g| + 1e-6)) for the gradient g of all parameters as one vector; returns |g| as it was.

    norm_type: the p of the norm, or inf. Raises TypeError unless given model.parameters(), and RuntimeError for a norm that is
    NaN or infinite if error_if_nonfinite, before anything changes.  Source: Pascanu et al. 2013.
    """
    g = _gradient(parameters, max_norm)
    norm = float(np.linalg.norm(g, norm_type))
    if error_if_nonfinite and not np.isfinite(norm):
        raise RuntimeError(
            f"clip_grad_norm: the gradient's norm is {norm}; want a finite one; detect_anomaly() finds where it arose"
        )
    g *= min(1.0, max_norm / (norm + 1e-6))
    return norm


def clip_grad_value(parameters, clip_value):
    """g ← min(max(g, -clip_value), clip_value), entry by entry."""
    g = _gradient(parameters, clip_value)
    np.clip(g, -clip_value, clip_value, out=g)


def _gradient(parameters, limit):
    if type(parameters) is not Parameters:  # a Selection would hand out copies
        raise TypeError(f"clipping wants model.parameters(), came {type(parameters).__name__}")
    if not limit > 0:
        raise ValueError(f"clipping to {limit}; want a number > 0")
    return parameters.dtheta
