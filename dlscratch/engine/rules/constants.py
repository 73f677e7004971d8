"""Functions without a derivative, or with derivative zero: on Tensors they give plain arrays."""

import numpy as np

from ..operation import constant

__all__ = []

COMPARISONS = """
    equal not_equal less less_equal greater greater_equal
    isclose allclose array_equal array_equiv isin
""".split()

LOGIC = """
    logical_and logical_or logical_xor logical_not any all bitwise_and bitwise_or bitwise_xor invert
""".split()

QUESTIONS = """
    isfinite isinf isnan isneginf isposinf signbit isreal iscomplex iscomplexobj isrealobj
    shape ndim size result_type can_cast min_scalar_type common_type shares_memory may_share_memory
""".split()

STEPS = "sign floor ceil trunc rint round around fix floor_divide heaviside".split()

PLACES = """
    argmax argmin nanargmax nanargmin argsort argpartition argwhere nonzero flatnonzero
    count_nonzero searchsorted digitize bincount lexsort einsum_path
    tril_indices_from triu_indices_from diag_indices_from
""".split()

ARRAYS = "zeros_like ones_like empty_like".split()

TEXTS = "array2string array_repr array_str".split()

for _name in (*COMPARISONS, *LOGIC, *QUESTIONS, *STEPS, *PLACES, *ARRAYS, *TEXTS):
    constant(getattr(np, _name))
