"""The registry: every entry has a sample, values and dtypes are NumPy's, nothing is unknown."""

import sys
import types

import numpy as np
import pytest
from numpy.testing.overrides import (
    get_overridable_numpy_array_functions,
    get_overridable_numpy_ufuncs,
)

from dlscratch.engine import COMPOSED, CONSTANT, RULES, CustomOperation, Tensor
from dlscratch.engine.operation import describe
from dlscratch.engine.rules.signals import REFUSED
from dlscratch.engine.tensor import unwrap
from tests.samples import SAMPLES

from .differences import nodes, ours, run

OURS = ours(RULES)  # before any test, or example in a docstring, adds one of its own


def test_every_rule_has_a_sample():
    seen = {node.op for sample in SAMPLES for node in nodes(run(sample, requires_grad=True)[1])}
    assert {describe(f) for f in OURS - seen - set(COMPOSED)} == set()
    assert len(seen) >= 60


def test_every_fast_twin_has_a_sample():
    modules = [m for name, m in sys.modules.items() if name.startswith("dlscratch.functional")]
    twins = {f for m in modules for f in vars(m).values() if isinstance(f, CustomOperation)}
    seen = {node.op for sample in SAMPLES for node in nodes(run(sample, requires_grad=True)[1])}
    assert twins - seen == set() and len(twins) >= 9


def test_every_composition_has_a_sample(monkeypatch):
    called = set()
    for function, composition in list(COMPOSED.items()):
        monkeypatch.setitem(COMPOSED, function, noting(function, composition, called))
    for sample in SAMPLES:
        run(sample)
    assert {describe(f) for f in ours(COMPOSED) - called - set(REFUSED)} == set()


def noting(function, composition, called):
    def call(*args, **kwargs):
        called.add(function)
        return composition(*args, **kwargs)

    return call


def test_each_sample_uses_the_function_that_it_names(monkeypatch):
    called = set()
    for function, composition in list(COMPOSED.items()):
        monkeypatch.setitem(COMPOSED, function, noting(function, composition, called))
    for sample in SAMPLES:
        called.clear()
        made = run(sample, requires_grad=True)[1]
        operations = {node.op for node in nodes(made)}
        short = (
            "x[" in sample.label or "x **" in sample.label
        )  # x[index] is filed under np.take, x ** 2 under np.power
        ours = sample.function in COMPOSED or sample.function in RULES
        assert short or not ours or sample.function in called | operations, sample.label


def test_labels_differ():
    labels = [s.label for s in SAMPLES]
    assert sorted({x for x in labels if labels.count(x) > 1}) == []


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.label)
def test_value_is_that_of_numpy(sample):
    for plain, traced in zip(*run(sample), strict=True):
        assert isinstance(traced, Tensor) and not isinstance(plain, Tensor)
        assert traced.shape == np.shape(plain)
        np.testing.assert_allclose(traced.data, plain, rtol=1e-12, atol=1e-14)


WIDER = {
    "np.astype: (2, 3), float64",
    "np.power: x ** 3.0",
    "np.hypot: with a list",
    "np.quantile: (2, 5), [0.1, 0.85], axis=1",
    "np.percentile: (2, 4), [[25], [75]], axis=1, keepdims=True",
    "np.interp: x and y",
    "np.interp: beyond the ends",
}  # NumPy itself makes float64 of these


@pytest.mark.parametrize(
    "sample", [s for s in SAMPLES if s.label not in WIDER], ids=lambda s: s.label
)
def test_float32_stays_float32(sample):
    plain, traced = run(sample, "float32", requires_grad=True)
    assert {y.dtype for y in plain} == {y.dtype for y in traced} == {np.dtype("float32")}
    for node in nodes(traced):
        g = np.ones(node.shape, "float32")
        for create_graph, seed in (False, g), (True, Tensor(g, requires_grad=True)):
            operation = RULES.get(node.op, node.op)
            needs = tuple(isinstance(x, Tensor) and x.requires_grad for x in node.inputs)
            # not through the backward pass, which would cast
            values = (
                node if create_graph else node.data,
                (node.inputs if create_graph else unwrap(node.inputs)),
            )
            made = operation.input_gradients(node, seed, *values, needs, create_graph)
            dtypes = {
                gx.dtype for gx, need in zip(made, needs, strict=False) if need and gx is not None
            }
            assert dtypes <= {np.dtype("float32")}, (operation.name, create_graph)


def test_casts():
    x = Tensor([1.5, 2.5], requires_grad=True)
    x.astype("float32").sum().backward()
    assert x.grad.dtype == np.float64 and x.astype("float32").dtype == np.float32
    assert type(x.astype(int)) is np.ndarray
    assert x.sum().astype("float32").requires_grad  # a 0-d result, which NumPy gives as a scalar


def smuggled(function, seen=()):
    """The arrays and Tensors that a function reaches by closures, defaults and globals."""
    cells = [c.cell_contents for c in function.__closure__ or ()]
    names = [
        function.__globals__[n] for n in function.__code__.co_names if n in function.__globals__
    ]
    for value in [
        *cells,
        *names,
        *(function.__defaults__ or ()),
        *(function.__kwdefaults__ or {}).values(),
    ]:
        if isinstance(value, (np.ndarray, Tensor)):
            yield value
        elif isinstance(value, types.FunctionType) and value not in seen:
            yield from smuggled(value, (*seen, function))


def test_no_rule_closes_over_an_array():
    for op in ours(RULES):
        for vjp in RULES[op].vjps:
            assert list(smuggled(vjp)) == [], describe(op)


def test_the_closure_check_sees_an_array():
    kept = np.ones(3)
    assert len(list(smuggled(lambda g, y, x: g * kept))) == 1
    assert len(list(smuggled(lambda g, y, x, kept=kept: g * kept))) == 1


# What NumPy lets through --------------------------------------------------------------------------

FUNCTIONS = sorted(get_overridable_numpy_array_functions(), key=describe)
UFUNCS = sorted(get_overridable_numpy_ufuncs(), key=describe)
METHODS = [
    getattr(u, m) for u in UFUNCS for m in ("reduce", "accumulate", "outer", "reduceat", "at")
]


def test_numpy_offers_what_we_think():
    assert len(FUNCTIONS) > 200 and len(UFUNCS) > 80
    assert np.concatenate in FUNCTIONS and np.exp in UFUNCS


@pytest.mark.parametrize(
    "function", [f for f in FUNCTIONS if f not in {*RULES, *COMPOSED, *CONSTANT}], ids=describe
)
def test_unknown_function_is_refused_by_name(function):
    t = Tensor(np.ones((2, 2)), requires_grad=True)
    with pytest.raises(
        TypeError, match=rf"{describe(function)} has no derivative rule.*rules.*\.data"
    ):
        t.__array_function__(function, (Tensor,), (t,), {})


@pytest.mark.parametrize(
    "ufunc", [f for f in UFUNCS if f not in {*RULES, *COMPOSED, *CONSTANT}], ids=describe
)
def test_unknown_ufunc_is_refused_by_name(ufunc):
    t = Tensor(np.ones((2, 2)), requires_grad=True)
    with pytest.raises(TypeError, match=f"{describe(ufunc)} has no derivative rule"):
        ufunc(*[t] * ufunc.nin)


@pytest.mark.parametrize("method", [m for m in METHODS if m not in COMPOSED], ids=describe)
def test_unknown_ufunc_method_is_refused_by_name(method):
    t = Tensor(np.ones((2, 2)), requires_grad=True)
    with pytest.raises(TypeError, match=f"{describe(method)} has no derivative rule"):
        t.__array_ufunc__(method.__self__, method.__name__, t)


ARGUMENTS = {
    np.searchsorted: ([1.0, 2.0], "t"),
    np.digitize: ("t", [1.0, 2.0]),
    np.bincount: ("i",),
    np.can_cast: ("float32", "float64"),
    np.einsum_path: ("ij->i", "t"),
    np.argpartition: ("t", 1),
    np.diag_indices_from: ("t",),
}


@pytest.mark.parametrize("function", sorted(ours(CONSTANT), key=describe), ids=describe)
def test_constants_give_plain_values(function):
    arrays = {"t": np.array([[1.5, 0.5], [2.5, -1.5]]), "i": np.array([1, 0, 2])}
    tensors = {"t": Tensor(arrays["t"], requires_grad=True), "i": Tensor(arrays["i"])}
    nin = getattr(function, "nin", 1)
    if function in (
        np.isclose,
        np.allclose,
        np.array_equal,
        np.array_equiv,
        np.isin,
        np.shares_memory,
        np.may_share_memory,
    ):
        nin = 2
    whole = {np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert}
    said = ARGUMENTS.get(function, ("i" if function in whole else "t",) * nin)
    got, wanted = (
        function(*(kind.get(a, a) if isinstance(a, str) else a for a in said))
        for kind in (tensors, arrays)
    )
    assert not isinstance(got, Tensor) and not any(
        isinstance(x, Tensor) for x in (got if isinstance(got, tuple) else ())
    )
    if function is not np.empty_like:
        np.testing.assert_equal(got, wanted)
