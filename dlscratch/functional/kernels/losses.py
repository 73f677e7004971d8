"""Binary cross-entropy from logits, in one node."""

import numpy as np

__all__ = ["binary_cross_entropy_with_logits", "binary_cross_entropy_with_logits_gradient"]


# With e = exp(-|z|) and `against` the share of the class against which z speaks (1 - t for z >=
# 0, t for z < 0), and
# 0 or 1 for the class that z speaks for:
#     L = against |z| + log1p(e) = (class - t) z + log1p(e),    dL/dz = (1 - t) σ(z) - t σ(-z).
# Both terms of L are >= 0, so that nothing cancels.
def binary_cross_entropy_with_logits(z, t):
    """The loss, entry by entry, of logits z and targets t of one shape."""
    size = np.abs(z, out=np.empty_like(z))
    cost = np.copysign(z.dtype.type(0.5), z, out=np.empty_like(z))
    cost += 0.5
    cost -= t
    if np.isfinite(np.max(size, initial=0)):
        cost *= z
    else:  # an infinite z costs nothing where its class is certain
        cost *= np.where(np.isinf(z) & (cost == 0), 0, z)
    np.negative(size, out=size)
    np.exp(size, out=size)
    cost += np.log1p(size, out=size)
    return cost, None


def binary_cross_entropy_with_logits_gradient(g, y, saved, needs, z, t):
    """The gradients of z and t."""
    dz = dt = None
    if needs[0]:
        with np.errstate(over="ignore", divide="ignore"):
            e = np.exp(-z)
            no = np.reciprocal(np.reciprocal(e) + 1)  # σ(-z) = 1 / (1 + 1 / e), 1 where e is ∞
        yes = np.reciprocal(e + 1)  # σ(z)
        no *= t
        yes *= 1 - t
        yes -= no
        yes *= g
        dz = yes
    if needs[1]:
        dt = -g * z
    return dz, dt
