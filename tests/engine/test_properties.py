"""For any shapes gradients have the shape of their inputs, and rules are adjoints of derivatives.

Directional checks: <gradient, v> equals the central difference of the function along v, for shapes
and options that hypothesis makes up. The functions are polynomials of low degree wherever possible,
so that the difference is exact.
"""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dlscratch.engine import Tensor, gradients

few = settings(max_examples=60, deadline=None)
many = settings(few, max_examples=200)

side = st.integers(1, 3)
shapes = hnp.array_shapes(min_dims=1, max_dims=3, max_side=3)
seeds = st.integers(0, 999)


def numbers(rng, shape):
    """Different sizes, at least 0.4 from zero, so that no step crosses a kink."""
    size = int(np.prod(shape))
    return (rng.permutation(np.linspace(0.4, 2, size)) * rng.choice([-1, 1], size)).reshape(shape)


def check(f, arrays, seed=0, step=1e-5, tolerance=1e-6):
    """Orders 0, 1 and 2 of f along a random direction."""
    rng = np.random.default_rng(seed)
    weight = rng.uniform(0.5, 1.5, np.shape(f(*arrays)))
    along = [rng.uniform(-1, 1, a.shape) for a in arrays]
    leaves = [Tensor(a, requires_grad=True) for a in arrays]
    y = f(*leaves)
    np.testing.assert_allclose(y.data, f(*arrays), rtol=1e-12, atol=1e-12)
    slopes = gradients(np.sum(weight * y * y), leaves, create_graph=True)
    assert [g.shape for g in slopes] == [a.shape for a in arrays]

    def value(t):
        return np.sum(weight * f(*(a + t * v for a, v in zip(arrays, along, strict=True))) ** 2)

    def slope(t):
        moved = [Tensor(a + t * v, requires_grad=True) for a, v in zip(arrays, along, strict=True)]
        return dot(gradients(np.sum(weight * f(*moved) ** 2), moved), along).item()

    first = dot(slopes, along)
    second = dot(gradients(first, leaves), along)
    for got, function in (first, value), (second, slope):
        wanted = (function(step) - function(-step)) / (2 * step)
        assert abs(got.item() - wanted) <= tolerance * max(1, abs(wanted), abs(value(0)))


def dot(us, vs):
    return sum(np.sum(u * v) for u, v in zip(us, vs, strict=True))


BINARY = [
    np.add,
    np.subtract,
    np.multiply,
    np.divide,
    np.maximum,
    np.minimum,
    np.hypot,
    np.arctan2,
    np.logaddexp,
]


@few
@given(
    hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3),
    st.sampled_from(BINARY),
    seeds,
)
def test_broadcasting(pair, ufunc, seed):
    rng = np.random.default_rng(seed)
    a, b = pair.input_shapes
    both = numbers(rng, (int(np.prod(a)) + int(np.prod(b)),))
    check(ufunc, [both[: int(np.prod(a))].reshape(a), both[int(np.prod(a)) :].reshape(b)], seed)


@few
@given(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3), seeds)
def test_where_broadcasts(triple, seed):
    rng = np.random.default_rng(seed)
    c, a, b = triple.input_shapes
    mask = rng.random(c) > 0.5
    check(lambda a, b: np.where(mask, a, b), [numbers(rng, a), numbers(rng, b)], seed)


@st.composite
def reductions(draw):
    shape = draw(shapes)
    axis = draw(
        st.none() | st.integers(-len(shape), len(shape) - 1) | hnp.valid_tuple_axes(len(shape))
    )
    return shape, axis, draw(st.booleans())


@few
@given(reductions(), st.sampled_from([np.sum, np.mean, np.max, np.min, np.prod, np.var]), seeds)
def test_reductions(form, function, seed):
    shape, axis, keepdims = form
    if axis == () and function in (np.max, np.min):
        axis = None
    check(
        lambda x: function(x, axis=axis, keepdims=keepdims),
        [numbers(np.random.default_rng(seed), shape)],
        seed,
    )


@st.composite
def indices(draw):
    shape = draw(shapes)
    kind = draw(st.sampled_from(["basic", "fancy", "mask"]))
    if kind == "basic":
        return shape, draw(hnp.basic_indices(shape, allow_newaxis=True))
    if kind == "mask":
        return shape, draw(hnp.arrays(bool, shape))
    return shape, draw(
        hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=4))
    )


@many
@given(indices(), seeds)
def test_indexing(pair, seed):
    shape, index = pair
    check(lambda x: x[index] * 1.0, [numbers(np.random.default_rng(seed), shape)], seed)


@st.composite
def mixed_indices(draw):
    """Integers, slices, lists and None beside each other."""
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=3, min_side=2, max_side=3))
    length = draw(side)
    parts = []
    for n in shape:
        slices = st.builds(slice, st.integers(0, n - 1), st.just(n), st.integers(1, 2))
        lists = st.lists(st.integers(-n, n - 1), min_size=length, max_size=length)
        parts.append(draw(st.integers(-n, n - 1) | slices | lists | lists.map(np.array)))
        if draw(st.integers(0, 4)) == 0:
            parts.append(None)
    return shape, tuple(parts)


@many
@given(mixed_indices(), seeds)
def test_mixed_indexing(pair, seed):
    shape, index = pair
    check(lambda x: x[index] * 1.0, [numbers(np.random.default_rng(seed), shape)], seed)


@st.composite
def contractions(draw):
    """One to three operands; an index may be shared, repeated, summed, kept, or '...'."""
    sizes = {c: draw(side) for c in "ijkl"}
    dots = draw(hnp.array_shapes(min_dims=1, max_dims=2, max_side=2))
    terms, operand_shapes = [], []
    for _ in range(draw(st.integers(1, 3))):
        term = draw(st.text("ijkl", max_size=3))
        shape = tuple(sizes[c] for c in term)
        if draw(st.booleans()):
            lead = tuple(
                n if draw(st.booleans()) else 1 for n in dots[draw(st.integers(0, len(dots))) :]
            )
            place = draw(st.integers(0, len(term)))
            term, shape = f"{term[:place]}...{term[place:]}", shape[:place] + lead + shape[place:]
        terms.append(term)
        operand_shapes.append(shape)
    present = sorted(set("".join(terms)) - {"."})
    out = "..." * any("." in t for t in terms)
    out += "".join(
        draw(
            st.permutations(
                draw(st.lists(st.sampled_from(present), unique=True)) if present else []
            )
        )
    )
    implicit = draw(st.booleans())
    return ",".join(terms) + ("" if implicit else f"->{out}"), operand_shapes


@many
@given(contractions(), seeds)
def test_einsum(form, seed):
    subscripts, operand_shapes = form
    arrays = [numbers(np.random.default_rng(seed + k), s) for k, s in enumerate(operand_shapes)]
    try:
        np.einsum(subscripts, *arrays)
    except ValueError:
        assume(False)
    check(lambda *xs: np.einsum(subscripts, *xs) * 1.0, arrays, seed, tolerance=1e-5)


@few
@given(st.integers(0, 2), st.integers(0, 2), side, side, side, seeds)
def test_matmul_broadcasts(left, right, n, m, k, seed):
    rng = np.random.default_rng(seed)
    batch = (2, 3)
    a = numbers(rng, (*batch[2 - left :], n, m)) if left or seed % 2 else numbers(rng, (m,))
    b = numbers(rng, (*batch[2 - right :], m, k)) if right or seed % 3 else numbers(rng, (m,))
    check(lambda a, b: np.matmul(a, b) * 1.0, [a, b], seed)


@few
@given(reductions(), st.sampled_from([np.cumsum, np.cumprod, np.sort, np.flip]), seeds)
def test_along_an_axis(form, function, seed):
    shape, axis, _ = form
    axis = axis if isinstance(axis, int) else None
    check(
        lambda x: function(x, axis=axis) * 1.0, [numbers(np.random.default_rng(seed), shape)], seed
    )


@few
@given(shapes, st.data(), seeds)
def test_moves(shape, data, seed):
    order = data.draw(st.permutations(range(len(shape))))
    signs = data.draw(st.lists(st.booleans(), min_size=len(shape), max_size=len(shape)))
    axes = [a - len(shape) if s else a for a, s in zip(order, signs, strict=True)]
    x = numbers(np.random.default_rng(seed), shape)
    check(lambda x: np.transpose(x, axes) * 1.0, [x], seed)
    check(lambda x: np.moveaxis(x, axes, range(len(shape))) * 1.0, [x], seed)
    check(lambda x: np.roll(x, [3 * s - 1 for s in signs], axes) * 1.0, [x], seed)


@few
@given(
    shapes, st.data(), st.sampled_from(["constant", "edge", "wrap", "reflect", "symmetric"]), seeds
)
def test_pads(shape, data, mode, seed):
    width = [data.draw(st.tuples(st.integers(0, 4), st.integers(0, 4))) for _ in shape]
    check(
        lambda x: np.pad(x, width, mode=mode) * 1.0,
        [numbers(np.random.default_rng(seed), shape)],
        seed,
    )


@few
@given(st.lists(shapes, min_size=1, max_size=3), st.integers(-3, 2), seeds)
def test_joins(made, axis, seed):
    first = made[0]
    assume(-len(first) <= axis < len(first))
    parts = []
    for k, other in enumerate(made):
        shape = list(first)
        shape[axis] = other[0]
        parts.append(numbers(np.random.default_rng(seed + k), shape))
    check(lambda *xs: np.concatenate(xs, axis=axis) * 1.0, parts, seed)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@few
@given(
    pair=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3),
    ufunc=st.sampled_from(BINARY),
)
def test_dtypes_meet_as_in_numpy(pair, ufunc, dtype):
    a, b = (np.ones(s, d) for s, d in zip(pair.input_shapes, ("float32", dtype), strict=True))
    x, y = Tensor(a, requires_grad=True), Tensor(b, requires_grad=True)
    z = ufunc(x, y)
    assert z.dtype == ufunc(a, b).dtype
    np.sum(z).backward()
    assert (x.grad.dtype, y.grad.dtype) == (a.dtype, b.dtype) and (x.grad.shape, y.grad.shape) == (
        a.shape,
        b.shape,
    )
