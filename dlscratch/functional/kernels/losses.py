"""Binary cross-entropy from logits, in one node."""

import numpy as np

__all__ = ["binary_cross_entropy_with_logits", "binary_cross_entropy_with_logits_vjp"]


# With e = exp(-|z|) and s the share of the class against which z speaks (1 - t for z >= 0, t for z < 0):
#     L = s |z| + log1p(e),    dL/dz = (1 - t) σ(z) - t σ(-z).
# Both terms of L are >= 0, so that nothing cancels; where s = 0 an infinite z costs nothing.
def binary_cross_entropy_with_logits(z, t):
    """The loss, entry by entry.  z, t: one shape."""
    size = np.abs(z)
    share = np.where(z < 0, t, 1 - t)
    loss = np.log1p(np.exp(-size))
    cost = share * np.where(np.isinf(size), np.where(share == 0, 0, size), size)
    return loss + cost, None


def binary_cross_entropy_with_logits_vjp(g, y, saved, needs, z, t):
    """The gradients of z and t."""
    dz = dt = None
    if needs[0]:
        e = np.exp(-np.abs(z))
        positive = z >= 0
        dz = (1 - t) * np.where(positive, 1, e) - t * np.where(positive, e, 1)
        dz /= 1 + e
        dz *= g
    if needs[1]:
        dt = -g * z
    return dz, dt
