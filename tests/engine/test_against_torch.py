"""Values, first and second gradients against PyTorch, wherever it has the same function.

A second opinion on every convention.
"""

import numpy as np
import pytest

from dlscratch.engine import Tensor, gradients
from tests.samples.case import apart, within

torch = pytest.importorskip("torch")
linalg = torch.linalg

SAME_NAME = """
    negative positive square exp exp2 expm1 sin cos tan arctan sinh cosh tanh arcsinh sinc deg2rad
    rad2deg absolute sqrt log log2 log10 log1p reciprocal add subtract multiply divide hypot
    logaddexp logaddexp2 maximum minimum fmax fmin remainder fmod copysign arctan2 outer inner kron
    vdot flipud fliplr triu tril diag trace matmul dot
""".split()
SHAPES = {
    "outer": [(2,), (3,)],
    "vdot": [(4,), (4,)],
    "dot": [(4,), (4,)],
    "inner": [(2, 3), (4, 3)],
    "matmul": [(3, 4), (4, 2)],
}
BINARY = """
    add subtract multiply divide hypot logaddexp logaddexp2 maximum minimum fmax fmin remainder fmod
    copysign arctan2 kron
""".split()


def _same(name):
    shapes = SHAPES.get(name, [(3, 4), (3, 4)] if name in BINARY else [(4, 4)])
    draw = (
        within(0.3, 0.9)
        if name in ("sqrt", "log", "log2", "log10", "log1p", "reciprocal", "tan")
        else apart
    )
    return name, getattr(np, name), getattr(torch, name), draw(*shapes)


def _spd(m):
    return lambda x: (
        x @ m.swapaxes(x, -1, -2) + 3 * m.eye(3)
        if m is np
        else x @ x.mT + 3 * m.eye(3, dtype=x.dtype)
    )


TIES = [np.array([[1.0, 3, 3], [2, 2, 2], [0, -1, 0]])]
ZERO = [np.zeros(3)]
INDEX = np.array([[2, 0, 0], [1, 1, 2]])

PAIRS = [
    *map(_same, SAME_NAME),
    ("arcsin", np.arcsin, torch.arcsin, within(-0.8, 0.9)(5)),
    ("arctanh", np.arctanh, torch.arctanh, within(-0.8, 0.9)(5)),
    ("arccosh", np.arccosh, torch.arccosh, within(1.2, 3)(5)),
    ("power", np.power, torch.pow, within(0.3, 2)((2, 3), (3,))),
    ("cube", lambda x: x**3, lambda x: x**3, apart((5,))),
    ("2 ** x", lambda x: 2**x, lambda x: 2**x, apart((5,))),
    ("sum", lambda x: np.sum(x, (0, 2)), lambda x: x.sum((0, 2)), apart((2, 3, 2))),
    ("mean", lambda x: np.mean(x, 1), lambda x: x.mean(1), apart((2, 3))),
    ("var", lambda x: np.var(x, axis=0, ddof=1), lambda x: x.var(0), apart((4, 2))),
    ("std", lambda x: np.std(x, axis=1), lambda x: x.std(1, correction=0), apart((2, 4))),
    ("prod", lambda x: np.prod(x, axis=1), lambda x: x.prod(1), apart((2, 4))),
    ("cumsum", lambda x: np.cumsum(x, axis=1), lambda x: x.cumsum(1), apart((2, 4))),
    ("cumprod", lambda x: np.cumprod(x, axis=0), lambda x: x.cumprod(0), apart((4, 2))),
    ("max", lambda x: np.max(x, axis=1), lambda x: x.amax(1), apart((3, 4))),
    ("min", lambda x: np.min(x), lambda x: x.amin(), apart((3, 4))),
    (
        "logsumexp",
        lambda x: np.logaddexp.reduce(x, axis=1),
        lambda x: x.logsumexp(1),
        apart((2, 4)),
    ),
    (
        "norm",
        lambda x: np.linalg.norm(x, axis=1),
        lambda x: linalg.vector_norm(x, dim=1),
        apart((3, 4)),
    ),
    (
        "norm 3",
        lambda x: np.linalg.norm(x, 3, axis=1),
        lambda x: linalg.vector_norm(x, 3, dim=1),
        apart((3, 4)),
    ),
    (
        "nuclear norm",
        lambda x: np.linalg.norm(x, "nuc"),
        lambda x: linalg.matrix_norm(x, "nuc"),
        apart((3, 2)),
    ),
    ("clip", lambda x: np.clip(x, -1, 1), lambda x: x.clip(-1, 1), apart((8,))),
    (
        "where",
        lambda x: np.where(x > 0.5, x * x, x),
        lambda x: torch.where(x > 0.5, x * x, x),
        apart((8,)),
    ),
    (
        "einsum",
        lambda a, b: np.einsum("bij,bkj->bik", a, b),
        lambda a, b: torch.einsum("bij,bkj->bik", a, b),
        apart((2, 2, 3), (2, 3, 3)),
    ),
    (
        "einsum trace",
        lambda a, b: np.einsum("ii,j->j", a, b),
        lambda a, b: torch.einsum("ii,j->j", a, b),
        apart((3, 3), (2,)),
    ),
    (
        "tensordot",
        lambda a, b: np.tensordot(a, b, 2),
        lambda a, b: torch.tensordot(a, b, 2),
        apart((2, 3, 2), (3, 2, 4)),
    ),
    (
        "transpose",
        lambda x: np.transpose(x, (2, 0, 1)),
        lambda x: x.permute(2, 0, 1),
        apart((2, 3, 2)),
    ),
    ("moveaxis", lambda x: np.moveaxis(x, 0, -1), lambda x: x.moveaxis(0, -1), apart((2, 3, 2))),
    (
        "roll",
        lambda x: np.roll(x, (1, -1), (0, 1)),
        lambda x: x.roll((1, -1), (0, 1)),
        apart((3, 4)),
    ),
    ("rot90", lambda x: np.rot90(x), lambda x: torch.rot90(x), apart((3, 4))),
    ("tile", lambda x: np.tile(x, (2, 3)), lambda x: x.tile((2, 3)), apart((2, 3))),
    (
        "repeat",
        lambda x: np.repeat(x, 2, axis=1),
        lambda x: x.repeat_interleave(2, 1),
        apart((2, 3)),
    ),
    ("sort", lambda x: np.sort(x, axis=0), lambda x: x.sort(0)[0], apart((4, 3))),
    (
        "take_along_axis",
        lambda x: np.take_along_axis(x, INDEX, 1),
        lambda x: x.gather(1, torch.tensor(INDEX)),
        apart((2, 3)),
    ),
    ("fancy index", lambda x: x[[0, 0, 2], 1:], lambda x: x[[0, 0, 2], 1:], apart((3, 4))),
    (
        "diagonal",
        lambda x: np.diagonal(x, 1, 1, 2),
        lambda x: x.diagonal(1, 1, 2),
        apart((2, 3, 4)),
    ),
    (
        "windows",
        lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, 1),
        lambda x: x.unfold(1, 2, 1),
        apart((2, 5)),
    ),
    (
        "pad",
        lambda x: np.pad(x, ((0, 0), (1, 2))),
        lambda x: torch.nn.functional.pad(x, (1, 2)),
        apart((2, 4)),
    ),
    *(
        (
            f"pad {ours}",
            lambda x, m=ours: np.pad(x, ((0, 0), (1, 2)), mode=m),
            lambda x, m=theirs: torch.nn.functional.pad(x, (1, 2), mode=m),
            apart((2, 4)),
        )
        for ours, theirs in (("edge", "replicate"), ("reflect", "reflect"), ("wrap", "circular"))
    ),
    (
        "stack",
        lambda a, b: np.stack([a, b], 1),
        lambda a, b: torch.stack([a, b], 1),
        apart((2, 3), (2, 3)),
    ),
    (
        "concatenate",
        lambda a, b: np.concatenate([a, b], -1),
        lambda a, b: torch.cat([a, b], -1),
        apart((2, 3), (2, 1)),
    ),
    (
        "inv",
        lambda x: np.linalg.inv(_spd(np)(x)),
        lambda x: linalg.inv(_spd(torch)(x)),
        apart((2, 3, 3)),
    ),
    (
        "solve",
        lambda x, b: np.linalg.solve(_spd(np)(x), b),
        lambda x, b: linalg.solve(_spd(torch)(x), b),
        apart((3, 3), (3, 2)),
    ),
    (
        "det",
        lambda x: np.linalg.det(_spd(np)(x)),
        lambda x: linalg.det(_spd(torch)(x)),
        apart((2, 3, 3)),
    ),
    (
        "slogdet",
        lambda x: np.linalg.slogdet(_spd(np)(x))[1],
        lambda x: linalg.slogdet(_spd(torch)(x))[1],
        apart((3, 3)),
    ),
    (
        "cholesky",
        lambda x: np.linalg.cholesky(_spd(np)(x)),
        lambda x: linalg.cholesky(_spd(torch)(x)),
        apart((2, 3, 3)),
    ),
    (
        "eigvalsh",
        lambda x: np.linalg.eigvalsh(_spd(np)(x)),
        lambda x: linalg.eigvalsh(_spd(torch)(x)),
        apart((3, 3)),
    ),
    ("svdvals", lambda x: np.linalg.svdvals(x), lambda x: linalg.svdvals(x), apart((2, 3, 2))),
    ("cross", lambda a, b: np.cross(a, b), lambda a, b: linalg.cross(a, b), apart((2, 3), (2, 3))),
    ("diff", lambda x: np.diff(x, axis=0), lambda x: torch.diff(x, dim=0), apart((4, 2))),
    # Conventions where a function has a kink or a singular point
    ("absolute at 0", np.abs, torch.abs, lambda rng: ZERO),
    (
        "sqrt norm at 0",
        lambda x: np.linalg.norm(x),
        lambda x: linalg.vector_norm(x),
        lambda rng: ZERO,
    ),
    (
        "std of equal numbers",
        lambda x: np.std(x + 1),
        lambda x: (x + 1).std(correction=0),
        lambda rng: ZERO,
    ),
    ("power at 0", lambda x: x**3, lambda x: x**3, lambda rng: ZERO),
    ("power 0 at 0", lambda x: x**0, lambda x: x**0, lambda rng: ZERO),
    ("power 1 at 0", lambda x: x**1, lambda x: x**1, lambda rng: ZERO),
    ("prod of zeros", np.prod, torch.prod, lambda rng: [np.array([0.0, 2, 3])]),
    ("prod of two zeros", np.prod, torch.prod, lambda rng: [np.array([0.0, 2, 0])]),
    (
        "cumprod of zeros",
        lambda x: np.cumprod(x),
        lambda x: x.cumprod(0),
        lambda rng: [np.array([2.0, 0, 3, 0, 1])],
    ),
    ("max ties", lambda x: np.max(x, axis=1), lambda x: x.amax(1), lambda rng: TIES),
    (
        "maximum ties",
        lambda x: np.maximum(x, 2),
        lambda x: torch.maximum(x, torch.tensor(2.0)),
        lambda rng: TIES,
    ),
    ("clip on its bounds", lambda x: np.clip(x, -1, 3), lambda x: x.clip(-1, 3), lambda rng: TIES),
    (
        "sort ties",
        lambda x: np.sort(x, axis=1),
        lambda x: x.sort(dim=1, stable=True)[0],
        lambda rng: TIES,
    ),
    (
        "logaddexp far apart",
        np.logaddexp,
        torch.logaddexp,
        lambda rng: [np.array([900.0, -900]), np.array([-900.0, -901])],
    ),
    (
        "logsumexp of large",
        lambda x: np.logaddexp.reduce(x),
        lambda x: x.logsumexp(0),
        lambda rng: [np.array([1000.0, 999, -1000])],
    ),
    ("sinc at 0", np.sinc, torch.sinc, lambda rng: ZERO),
]


def derivatives(arrays, leaf, f, first, total):
    """[value, first gradients, gradients of a fixed combination of these]."""
    leaves = [leaf(a) for a in arrays]
    y = f(*leaves)
    slopes = first(total(y * y + y), leaves, True)
    mixed = sum(total(g * (k + 1.5) * g) for k, g in enumerate(slopes))
    return [y, *slopes, *first(mixed, leaves, False)]


def ours(arrays, f):
    return derivatives(
        arrays,
        lambda a: Tensor(a, requires_grad=True),
        f,
        lambda y, xs, c: gradients(y, xs, create_graph=c),
        np.sum,
    )


def theirs(arrays, f):
    def first(y, xs, create_graph):
        if not y.requires_grad:
            return [torch.zeros_like(x) for x in xs]
        return torch.autograd.grad(y, xs, create_graph=create_graph, materialize_grads=True)

    return derivatives(arrays, lambda a: torch.tensor(a, requires_grad=True), f, first, torch.sum)


@pytest.mark.parametrize("name, f, g, draw", PAIRS, ids=[p[0] for p in PAIRS])
def test_same_as_torch(name, f, g, draw):
    arrays = [np.array(a) for a in draw(np.random.default_rng(1))]
    for k, (got, wanted) in enumerate(zip(ours(arrays, f), theirs(arrays, g), strict=True)):
        wanted = wanted.detach().numpy()
        assert got.shape == wanted.shape and got.dtype == wanted.dtype
        assert np.all(np.isfinite(got.data))
        got, wanted = (
            np.where(np.isnan(wanted), 0, got.data),
            np.nan_to_num(wanted),
        )  # at kinks PyTorch may give NaN
        np.testing.assert_allclose(
            got, wanted, rtol=1e-8, atol=1e-10, err_msg=f"{name}, result {k}"
        )
