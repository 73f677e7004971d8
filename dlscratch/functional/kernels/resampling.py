"""Weighted sums of neighbours by matrices, and a careful way where numbers are not finite."""

import numpy as np

from .finite import all_finite

__all__ = ["weighted_sums"]


def weighted_sums(x, matrices, meets):
    """The sums y = A x Bᵀ along the last axes of x, over those pixels only that `meets` names.

    Products by BLAS first. They take all pixels, most of them times 0, and 0 · NaN is NaN: where
    the result is not finite, each sum is computed again over nothing but what it meets.
    """
    first = x.ndim - len(matrices)
    matrices = [A.astype(x.dtype) for A in matrices]
    with np.errstate(invalid="ignore", over="ignore"):
        y = x
        for axis, A in enumerate(matrices, first):
            y = np.moveaxis(np.tensordot(A, y, axes=((1,), (axis,))), 0, axis)
        if all_finite(y):
            return y
        y = x
        for axis, (A, meeting) in enumerate(zip(matrices, meets, strict=True), first):
            y = np.moveaxis(_only_what_meets(np.moveaxis(y, axis, -1), A, meeting), -1, axis)
    return y


def _only_what_meets(x, A, meeting):
    """y_i = Σ A_ij x_j over the j that i meets, one of its neighbours after the other.

    x: (..., n) → (..., m).
    """
    neighbours = np.argsort(~meeting, axis=1, kind="stable")
    y = np.zeros((*x.shape[:-1], len(A)), x.dtype)
    for k in range(meeting.sum(axis=1).max(initial=0)):
        j = neighbours[:, k : k + 1]
        weight = np.take_along_axis(A, j, axis=1)[:, 0]
        met = np.take_along_axis(meeting, j, axis=1)[:, 0]
        y += np.where(met, x[..., j[:, 0]] * weight, 0)
    return y
