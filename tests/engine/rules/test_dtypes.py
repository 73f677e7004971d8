"""Integers give NumPy's values, float16 is added up in float32, options never change the dtype."""

import warnings

import numpy as np
import pytest

from dlscratch.engine import Tensor
from tests.samples import SAMPLES

CODE = ("np.", "x[", "x **")
NUMPY = [s for s in SAMPLES if s.label.startswith(CODE) and "of rank 2" not in s.label]
INTEGERS = ["uint8", "int8", "int64", "bool"]


def outcome(sample, arrays):
    """The outputs as arrays, or the error."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            y = sample.f(*arrays)
    except (TypeError, ValueError, OverflowError, np.linalg.LinAlgError) as error:
        return error
    return [
        getattr(a, "data", a) if isinstance(a, Tensor) else np.asarray(a)
        for a in (y if isinstance(y, (tuple, list)) else [y])
    ]


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("sample", NUMPY, ids=lambda s: s.label)
def test_integers_give_the_values_of_numpy_or_an_error(sample, dtype):
    arrays = [np.round(a * 60 + 100).astype("int64") for a in sample.draw(np.random.default_rng(0))]
    arrays = [(a % 2 if dtype == "bool" else a).astype(dtype) for a in arrays]
    wanted = outcome(sample, arrays)
    got = outcome(sample, [Tensor(a) for a in arrays])
    if isinstance(got, Exception) or isinstance(wanted, Exception):
        return
    for ours, theirs in zip(got, wanted, strict=True):
        assert ours.dtype.kind == theirs.dtype.kind, (ours.dtype, theirs.dtype)
        places = 2 * np.finfo(theirs.dtype).eps if theirs.dtype.kind == "f" else 0
        np.testing.assert_allclose(ours.astype(float), theirs.astype(float), rtol=1e-12 + places)
