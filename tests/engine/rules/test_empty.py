"""Empty arrays: the values, errors and warnings are NumPy's, and gradients are empty."""

import warnings

import numpy as np
import pytest

from dlscratch.engine import Tensor, gradients

SHAPES = [(0,), (0, 3), (3, 0), (2, 0, 3)]

REDUCTIONS = {
    "sum": np.sum,
    "mean": np.mean,
    "var": np.var,
    "std": np.std,
    "prod": np.prod,
    "max": np.max,
    "min": np.min,
    "ptp": np.ptp,
    "median": np.median,
    "quantile": lambda x, axis: np.quantile(x, 0.3, axis=axis),
    "nansum": np.nansum,
    "nanmean": np.nanmean,
    "nanprod": np.nanprod,
    "nanvar": np.nanvar,
    "logsumexp": lambda x, axis: np.logaddexp.reduce(x, axis=axis),
    "norm": lambda x, axis: np.linalg.norm(x.reshape(-1) if axis is None else x, axis=axis),
    "norm 3": lambda x, axis: np.linalg.norm(x.reshape(-1) if axis is None else x, 3, axis=axis),
    "cumsum": np.cumsum,
    "cumprod": np.cumprod,
    "sort": np.sort,
    "trapezoid": lambda x, axis: np.trapezoid(x, axis=-1 if axis is None else axis),
    "diff": lambda x, axis: np.diff(x, axis=-1 if axis is None else axis),
    "flip": np.flip,
    "roll": lambda x, axis: np.roll(x, 1, axis=axis),
    "repeat": lambda x, axis: np.repeat(x, 2, axis=axis),
    "take": lambda x, axis: np.take(x, np.zeros(0, int), axis=axis),
}


def attempt(f, x):
    """(the value or the kind of the error, the messages of the warnings)."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            value = f(x)
        except (ValueError, IndexError) as error:
            value = type(error)
    return value, {str(w.message).rstrip(".") for w in heard}


CASES = [(n, s, a) for n in REDUCTIONS for s in SHAPES for a in (None, *range(len(s)))]


@pytest.mark.parametrize("name, shape, axis", CASES, ids=lambda v: str(v))
def test_reductions_of_nothing(name, shape, axis):
    x = np.zeros(shape)
    wanted, warned = attempt(lambda a: REDUCTIONS[name](a, axis=axis), x)
    leaf = Tensor(x, requires_grad=True)
    got, said = attempt(lambda a: REDUCTIONS[name](a, axis=axis), leaf)
    if isinstance(wanted, type):
        assert isinstance(got, type) and issubclass(got, (ValueError, IndexError))
        return
    np.testing.assert_array_equal(got.data, wanted)
    if any("Mean of empty" in w or "Degrees of freedom" in w for w in warned):
        assert said & warned, (said, warned)
    else:
        assert said == set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if warned else "error")
        (g,) = gradients(np.sum(got), [leaf], create_graph=True)
        assert g.shape == shape
        if g.requires_grad:
            assert gradients(np.sum(g * g), [leaf])[0].shape == shape


TWO = {
    "matmul, no rows": (np.matmul, (0, 3), (3, 2)),
    "matmul, no columns": (np.matmul, (2, 3), (3, 0)),
    "matmul over nothing": (np.matmul, (2, 0), (0, 3)),
    "matmul of no matrices": (np.matmul, (0, 2, 3), (3, 2)),
    "dot": (np.dot, (0,), (0,)),
    "inner": (np.inner, (2, 0), (3, 0)),
    "outer": (np.outer, (0,), (3,)),
    "vdot": (np.vdot, (0,), (0,)),
    "vecdot": (np.vecdot, (0, 3), (3,)),
    "tensordot": (lambda a, b: np.tensordot(a, b, 1), (2, 0), (0, 3)),
    "kron": (np.kron, (0, 2), (2, 1)),
    "einsum": (lambda a, b: np.einsum("ij,jk->ik", a, b), (2, 0), (0, 3)),
    "einsum, no batch": (lambda a, b: np.einsum("bi,bj->ij", a, b), (0, 2), (0, 3)),
    "einsum, no sum": (lambda a, b: np.einsum("i,j->ij", a, b), (0,), (3,)),
    "concatenate": (lambda a, b: np.concatenate([a, b]), (0, 2), (3, 2)),
    "stack": (lambda a, b: np.stack([a, b]), (0, 2), (0, 2)),
    "append": (np.append, (0,), (3,)),
    "add": (np.add, (0, 3), (3,)),
    "multiply": (np.multiply, (2, 0), ()),
    "power": (np.power, (0,), (1,)),
    "where": (lambda a, b: np.where(np.zeros((2, 0), bool), a, b), (2, 0), (1,)),
    "maximum": (np.maximum, (0,), (1,)),
    "solve": (np.linalg.solve, (0, 2, 2), (2, 1)),
}


@pytest.mark.parametrize("name", TWO)
def test_products_and_joins_of_nothing(name):
    f, *shapes = TWO[name]
    arrays = [np.ones(s) for s in shapes]
    leaves = [Tensor(a, requires_grad=True) for a in arrays]
    y = f(*leaves)
    np.testing.assert_array_equal(y.data, f(*arrays))
    slopes = gradients(np.sum(y * y), leaves, create_graph=True)
    assert [g.shape for g in slopes] == shapes
    second = gradients(sum(np.sum(g * g) for g in slopes), leaves)
    assert [g.shape for g in second] == shapes


ONE = {
    "reshape": (lambda x: np.reshape(x, (3, 0)), (0, 2)),
    "transpose": (np.transpose, (2, 0, 3)),
    "ravel": (np.ravel, (2, 0)),
    "split": (lambda x: np.concatenate(np.split(x, 2)), (0, 3)),
    "array_split": (lambda x: np.concatenate(np.array_split(x, 3)), (0, 3)),
    "tile": (lambda x: np.tile(x, 2), (0,)),
    "broadcast_to": (lambda x: np.broadcast_to(x, (0, 3)), (1, 3)),
    "pad": (lambda x: np.pad(x, 1), (0, 2)),
    "slice": (lambda x: x[1:1], (3, 2)),
    "mask": (lambda x: x[np.zeros(3, bool)], (3,)),
    "no rows": (lambda x: x[np.zeros(0, int)], (3, 2)),
    "tril": (np.tril, (0, 3)),
    "diagonal": (np.diagonal, (0, 3)),
    "trace": (np.trace, (0, 0)),
    "diag": (np.diag, (0,)),
    "inv": (np.linalg.inv, (0, 2, 2)),
    "det": (np.linalg.det, (0, 2, 2)),
    "det of 0 by 0": (np.linalg.det, (0, 0)),
    "slogdet": (lambda x: np.linalg.slogdet(x)[1], (0, 0)),
    "eigvalsh": (np.linalg.eigvalsh, (0, 2, 2)),
    "exp": (np.exp, (0,)),
    "log": (np.log, (0, 1)),
    "clip": (lambda x: np.clip(x, 0, 1), (0,)),
    "astype": (lambda x: x.astype("float32"), (0,)),
    "windows": (lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, axis=1), (0, 3)),
}


@pytest.mark.parametrize("name", ONE)
def test_shapes_of_nothing(name):
    f, shape = ONE[name]
    x = np.ones(shape)
    leaf = Tensor(x, requires_grad=True)
    y = f(leaf)
    np.testing.assert_array_equal(y.data, f(x))
    (g,) = gradients(np.sum(y), [leaf])
    assert g.shape == shape
