"""Functions without a derivative, or whose derivative is zero wherever it exists: on Tensors they give plain arrays."""

import numpy as np

from ..operation import constant

__all__ = []

constant(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)
constant(
    np.logical_and,
    np.logical_or,
    np.logical_xor,
    np.logical_not,
    np.isclose,
    np.allclose,
    np.array_equal,
)
constant(
    np.array_equiv,
    np.isfinite,
    np.isinf,
    np.isnan,
    np.isneginf,
    np.isposinf,
    np.signbit,
    np.isreal,
    np.iscomplex,
)
constant(np.isin, np.any, np.all, np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert)
constant(
    np.sign,
    np.floor,
    np.ceil,
    np.trunc,
    np.rint,
    np.round,
    np.around,
    np.fix,
    np.floor_divide,
    np.heaviside,
)
constant(
    np.argmax,
    np.argmin,
    np.argsort,
    np.argwhere,
    np.argpartition,
    np.nonzero,
    np.flatnonzero,
    np.count_nonzero,
)
constant(
    np.nanargmax,
    np.nanargmin,
    np.searchsorted,
    np.digitize,
    np.bincount,
    np.lexsort,
    np.einsum_path,
)
constant(
    np.shape,
    np.ndim,
    np.size,
    np.iscomplexobj,
    np.isrealobj,
    np.result_type,
    np.can_cast,
    np.min_scalar_type,
)
constant(np.common_type, np.shares_memory, np.may_share_memory)
constant(np.zeros_like, np.ones_like, np.empty_like)
constant(
    np.array2string,
    np.array_repr,
    np.array_str,
    np.tril_indices_from,
    np.triu_indices_from,
    np.diag_indices_from,
)
