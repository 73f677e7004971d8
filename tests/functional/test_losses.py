"""Losses equal PyTorch's at orders 0, 1 and 2, and papers' formulas where PyTorch has none."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import Tensor, layers, losses
from dlscratch import functional as F
from dlscratch.functional import losses as functional_losses
from tests.parity import same

pytestmark = pytest.mark.filterwarnings(
    "ignore:reduction. 'mean' divides"
)  # PyTorch's own of kl_div
few = settings(max_examples=10, deadline=None)
seeds = st.integers(0, 10**6)
shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)
reductions = st.sampled_from(["mean", "sum", "none"])


def f(name):
    return getattr(pytest.importorskip("torch").nn.functional, name)


def normal(rng, shape):
    return rng.normal(size=shape)


def unit(rng, shape):
    return rng.uniform(0.05, 0.95, shape)


def counts(rng, shape):
    return rng.poisson(3.0, shape).astype(float)


PAIRS = [  # name, how outputs and targets are drawn, options
    ("mse_loss", normal, normal, {}),
    ("l1_loss", normal, normal, {}),
    ("huber_loss", normal, normal, {"delta": 0.8}),
    ("smooth_l1_loss", normal, normal, {}),
    ("smooth_l1_loss", normal, normal, {"beta": 0.0}),
    ("smooth_l1_loss", normal, normal, {"beta": 0.6}),
    ("huber_loss", normal, normal, {}),
    ("binary_cross_entropy", unit, unit, {}),
    ("binary_cross_entropy_with_logits", normal, unit, {}),
    ("kl_div", normal, unit, {}),
    ("kl_div", normal, normal, {"log_target": True}),
    ("poisson_nll_loss", normal, counts, {}),
    ("poisson_nll_loss", normal, counts, {"full": True}),
    ("poisson_nll_loss", unit, counts, {"log_input": False}),
]


@pytest.mark.parametrize("name, y, t, options", PAIRS)
@few
@given(shape=shapes, reduction=reductions, seed=seeds)
def test_pairs_equal_torch(name, y, t, options, shape, reduction, seed):
    rng = np.random.default_rng(seed)
    options = options | {"reduction": reduction}
    arrays = y(rng, shape), t(rng, shape)
    if t is counts:  # a count is no variable: PyTorch's derivative for it is another one
        same(
            lambda y: getattr(F, name)(y, arrays[1].astype(y.dtype), **options),
            lambda y: f(name)(y, y.new_tensor(arrays[1]), **options),
            arrays[0],
        )
    else:
        same(lambda *a: getattr(F, name)(*a, **options), lambda *a: f(name)(*a, **options), *arrays)


@few
@given(
    name=st.sampled_from(["mse_loss", "l1_loss", "huber_loss"]),
    shape=shapes,
    reduction=reductions,
    seed=seeds,
)
def test_weighted_equal_torch(name, shape, reduction, seed):
    rng = np.random.default_rng(seed)
    arrays = normal(rng, shape), normal(rng, shape), unit(rng, shape)
    same(
        lambda y, t, w: getattr(F, name)(y, t, weight=w, reduction=reduction),
        lambda y, t, w: f(name)(y, t, weight=w, reduction=reduction),
        *arrays,
    )


@few
@given(shape=shapes, reduction=reductions, full=st.booleans(), seed=seeds)
def test_gaussian_equals_torch(shape, reduction, full, seed):
    rng = np.random.default_rng(seed)
    options = {"reduction": reduction, "full": full}
    same(
        lambda *a: F.gaussian_nll_loss(*a, **options),
        lambda *a: f("gaussian_nll_loss")(*a, **options),
        normal(rng, shape),
        normal(rng, shape),
        unit(rng, shape),
    )


def test_one_variance_for_each_example_equals_torch():
    rng = np.random.default_rng(0)
    arrays = normal(rng, (3, 3)), normal(rng, (3, 3)), unit(rng, (3,))
    same(F.gaussian_nll_loss, f("gaussian_nll_loss"), *arrays)


@few
@given(
    shape=shapes.filter(lambda s: s[-1] > 1),
    reduction=reductions,
    p=st.sampled_from([1.0, 2.0, 3.0]),
    swap=st.booleans(),
    seed=seeds,
)
def test_triplet_and_cosine_equal_torch(shape, reduction, p, swap, seed):
    rng = np.random.default_rng(seed)
    a, b, c = (normal(rng, shape) for _ in range(3))
    options = {"reduction": reduction, "margin": 0.7, "swap": swap}
    same(
        lambda *x: F.triplet_margin_loss(*x, p=p, **options),
        lambda *x: f("triplet_margin_loss")(*x, p=p, **options),
        a,
        b,
        c,
    )
    if len(shape) == 2:
        t = rng.choice([-1, 1], shape[0])
        same(
            lambda *x: F.cosine_embedding_loss(*x, t, margin=0.2, reduction=reduction),
            lambda *x: f("cosine_embedding_loss")(
                *x, x[0].new_tensor(t), margin=0.2, reduction=reduction
            ),
            a,
            b,
        )


@few
@given(
    N=st.integers(2, 4),
    C=st.integers(2, 4),
    places=st.sampled_from([(), (3,), (2, 3)]),
    reduction=reductions,
    smoothing=st.sampled_from([0.0, 0.1, 0.6]),
    weighted=st.booleans(),
    ignored=st.booleans(),
    seed=seeds,
)
def test_cross_entropy_equals_torch(N, C, places, reduction, smoothing, weighted, ignored, seed):
    torch, rng = pytest.importorskip("torch"), np.random.default_rng(seed)
    z, y = normal(rng, (N, C, *places)), rng.integers(0, C, (N, *places))
    if ignored:
        y.flat[0] = -100
    w = unit(rng, C) if weighted else None
    options = {"reduction": reduction, "label_smoothing": smoothing}
    weigh = lambda z: None if w is None else z.new_tensor(w)
    same(
        lambda z: F.cross_entropy(z, y, weight=w, **options),
        lambda z: f("cross_entropy")(z, torch.tensor(y), weight=weigh(z), **options),
        z,
    )
    soft = F.softmax(normal(rng, z.shape), axis=1)
    same(
        lambda z, t: F.cross_entropy(z, t, weight=w, **options),
        lambda z, t: f("cross_entropy")(z, t, weight=weigh(z), **options),
        z,
        soft,
    )
    same(
        lambda z: F.nll_loss(F.log_softmax(z, axis=1), y, weight=w, reduction=reduction),
        lambda z: f("nll_loss")(
            z.log_softmax(1), torch.tensor(y), weight=weigh(z), reduction=reduction
        ),
        z,
    )


@few
@given(shape=shapes, reduction=reductions, seed=seeds)
def test_weighted_bce_equals_torch(shape, reduction, seed):
    rng = np.random.default_rng(seed)
    w, pos, bce_with_logits = (
        unit(rng, shape),
        unit(rng, shape[-1:]) * 3,
        f("binary_cross_entropy_with_logits"),
    )
    z, t = normal(rng, shape), unit(rng, shape)
    same(
        lambda z, t: F.binary_cross_entropy_with_logits(
            z, t, w.astype(z.dtype), reduction, pos.astype(z.dtype)
        ),
        lambda z, t: bce_with_logits(
            z, t, z.new_tensor(w), None, None, reduction, z.new_tensor(pos)
        ),
        z,
        t,
    )
    same(
        lambda z, t: F.binary_cross_entropy(z, t, w.astype(z.dtype), reduction),
        lambda z, t: f("binary_cross_entropy")(z, t, z.new_tensor(w), reduction=reduction),
        unit(rng, shape),
        t,
    )


@few
@given(
    N=st.integers(1, 4),
    S=st.integers(1, 3),
    C=st.integers(2, 4),
    extra=st.integers(0, 4),
    reduction=reductions,
    last=st.booleans(),
    seed=seeds,
)
def test_ctc_equals_torch(N, S, C, extra, reduction, last, seed):
    rng = np.random.default_rng(seed)
    T, blank = 2 * S + 1 + extra, C - 1 if last else 0
    y = rng.integers(0, C - 1, (N, S)) + (not last)
    steps, sizes = rng.integers(2 * S + 1, T + 1, N), rng.integers(0, S + 1, N)
    options = {"blank": blank, "reduction": reduction}
    torch = pytest.importorskip("torch")
    same(
        lambda z: F.ctc_loss(F.log_softmax(z), y, steps, sizes, **options),
        lambda z: f("ctc_loss")(z.log_softmax(2), *map(torch.tensor, (y, steps, sizes)), **options),
        normal(rng, (T, N, C)),
        order=1,
    )


def test_ctc_sums_over_all_paths():
    """By brute force: every path of T symbols that collapses to the target."""
    logp = F.log_softmax(np.random.default_rng(0).normal(size=(4, 1, 3)))
    target, total = [1, 1], 0.0
    for path in itertools.product(range(3), repeat=4):
        read = [k for k, _ in itertools.groupby(path) if k != 0]
        total += np.exp(sum(logp[t, 0, k] for t, k in enumerate(path))) * (read == target)
    np.testing.assert_allclose(
        F.ctc_loss(logp, [target], [4], [2], reduction="sum"), -np.log(total), rtol=1e-12
    )


def test_ctc_of_too_long_a_target():
    logp = Tensor(F.log_softmax(np.zeros((2, 1, 3))), requires_grad=True)
    assert np.isinf(F.ctc_loss(logp, [[1, 1]], [2], [2]).data)
    loss = F.ctc_loss(logp, [[1, 1]], [2], [2], zero_infinity=True)
    loss.backward()
    assert loss.data == 0 and not logp.grad.any()


@few
@given(N=st.integers(1, 5), C=st.integers(2, 4), seed=seeds)
def test_what_torch_lacks_equals_its_formula(N, C, seed):
    rng = np.random.default_rng(seed)
    z, y = normal(rng, (N, C)), rng.integers(0, C, N)
    p = (np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))[np.arange(N), y]
    np.testing.assert_allclose(
        F.focal_loss(z, y, gamma=1.5),
        np.mean([-((1 - q) ** 1.5) * np.log(q) for q in p]),
        rtol=1e-9,
    )
    np.testing.assert_allclose(F.focal_loss(z, y, gamma=0.0), F.cross_entropy(z, y), rtol=1e-9)
    t = rng.choice([-1.0, 1.0], (N, C))
    np.testing.assert_allclose(
        F.hinge_loss(z, t),
        np.mean([max(0, 1 - a * b) for a, b in zip(z.flat, t.flat, strict=True)]),
        rtol=1e-9,
    )
    e = (t - z).ravel()
    np.testing.assert_allclose(
        F.quantile_loss(z, t, q=0.8), np.mean([max(0.8 * a, -0.2 * a) for a in e]), rtol=1e-9
    )
    a, b = normal(rng, (N, C)), normal(rng, (N, C))
    cos = np.array([[u @ v / np.linalg.norm(u) / np.linalg.norm(v) for v in b] for u in a]) / 0.3
    want = np.mean([np.log(np.exp(row).sum()) - row[i] for i, row in enumerate(cos)])
    np.testing.assert_allclose(F.info_nce(a, b, temperature=0.3), want, rtol=1e-9, atol=1e-12)


def test_quantile_loss_is_least_at_the_quantile():
    t = np.random.default_rng(0).exponential(size=20_001)
    y = Tensor(np.array(np.quantile(t, 0.9)), requires_grad=True)
    F.quantile_loss(np.broadcast_to(y, t.shape), t, q=0.9, reduction="sum").backward()
    assert abs(y.grad) <= 1


MODULES = [
    ("MSELoss", {}, 2),
    ("L1Loss", {"reduction": "sum"}, 2),
    ("SmoothL1Loss", {"beta": 0.5}, 2),
    ("HuberLoss", {"delta": 0.5}, 2),
    ("KLDivLoss", {"reduction": "batchmean"}, 2),
    ("PoissonNLLLoss", {}, 2),
    ("BCEWithLogitsLoss", {}, 2),
    ("BCELoss", {}, 2),
    ("TripletMarginLoss", {"margin": 0.3}, 3),
    ("GaussianNLLLoss", {"full": True}, 3),
]


@pytest.mark.parametrize("name, options, inputs", MODULES)
def test_modules_equal_torchs(name, options, inputs):
    torch = pytest.importorskip("torch")
    arrays = np.random.default_rng(0).uniform(0.1, 0.9, (inputs, 4, 3))
    same(getattr(layers, name)(**options), getattr(torch.nn, name)(**options), *arrays)


def test_modules_of_classes_equal_torchs():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    z, y, w = rng.normal(size=(4, 3)), rng.integers(0, 3, 4), rng.uniform(size=3)
    ours, theirs = (
        layers.CrossEntropyLoss(w, label_smoothing=0.1),
        torch.nn.CrossEntropyLoss(torch.tensor(w), label_smoothing=0.1),
    )
    np.testing.assert_allclose(ours(z, y), theirs(torch.tensor(z), torch.tensor(y)), rtol=1e-12)
    np.testing.assert_allclose(ours(input=z, target=y), ours(z, y))
    np.testing.assert_allclose(
        layers.NLLLoss()(z, y), torch.nn.NLLLoss()(torch.tensor(z), torch.tensor(y)), rtol=1e-12
    )
    t = rng.choice([-1, 1], 4)
    ours, theirs = layers.CosineEmbeddingLoss(0.1), torch.nn.CosineEmbeddingLoss(0.1)
    np.testing.assert_allclose(
        ours(z, -z + 1, t),
        theirs(torch.tensor(z), torch.tensor(-z + 1), torch.tensor(t)),
        rtol=1e-12,
    )
    logp, y, four = (
        F.log_softmax(rng.normal(size=(6, 4, 3))),
        rng.integers(1, 3, (4, 2)),
        np.full(4, 6),
    )
    ours, theirs = layers.CTCLoss(), torch.nn.CTCLoss()
    np.testing.assert_allclose(
        ours(logp, y, four, four // 3),
        theirs(*map(torch.tensor, (logp, y, four, four // 3))),
        rtol=1e-9,
    )


def test_losses_are_functionals_own_under_the_same_names():
    assert losses.__all__ == functional_losses.__all__
    for name in losses.__all__:
        assert getattr(losses, name) is getattr(F, name)
    assert layers.CrossEntropyLoss(ignore_index=3).__repr__() == "CrossEntropyLoss(ignore_index=3)"


x, y = np.zeros((4, 3)), np.array([0, 1, 2, 0])


@pytest.mark.parametrize(
    "call, message",
    [
        *(
            (lambda name=name: getattr(F, name)(x, x[:, 0]), "must have one shape")
            for name in (
                "mse_loss",
                "l1_loss",
                "huber_loss",
                "smooth_l1_loss",
                "quantile_loss",
                "poisson_nll_loss",
                "kl_div",
                "hinge_loss",
                "binary_cross_entropy",
                "binary_cross_entropy_with_logits",
            )
        ),
        (lambda: F.cosine_embedding_loss(x, x[:2], y), "must have one shape"),
        (lambda: F.mse_loss(x, x, reduction="average"), "want 'mean', 'sum' or 'none'"),
        (lambda: F.huber_loss(x, x, delta=0), "delta=0; want a number > 0"),
        (lambda: F.smooth_l1_loss(x, x, beta=-1), "beta=-1; want a number > 0"),
        (lambda: F.quantile_loss(x, x, q=1), "want 0 < q < 1"),
        (lambda: F.gaussian_nll_loss(x, x, x - 1), "variance below 0"),
        (lambda: F.gaussian_nll_loss(x, x[0], x), "must have one shape"),
        (lambda: F.hinge_loss(x, x), "target holds more than -1 and 1"),
        (lambda: F.triplet_margin_loss(x, x, x[:2]), "must have one shape"),
        (lambda: F.triplet_margin_loss(x, x, x, margin=0), "margin=0; want"),
        *(
            (lambda name=name: getattr(F, name)(x, x, weight=x[0]), "must have one shape")
            for name in ("mse_loss", "l1_loss", "huber_loss")
        ),
        (lambda: F.cosine_embedding_loss(x, x, y), "target holds more than -1 and 1"),
        (lambda: F.cross_entropy(x, y, label_smoothing=2), "want 0 to 1"),
        (
            lambda: F.cross_entropy(x, y, weight=np.ones(4)),
            r"want \(N, C\) or \(N, C, ...\), and \(C,\)",
        ),
        (lambda: F.cross_entropy(x, y + 1), "classes from 1 to 3, but input has 3"),
        (lambda: F.nll_loss(x, y[:2]), r"nll_loss: input \(4, 3\) wants target \(4,\)"),
        (lambda: F.focal_loss(x, y - 1), "classes from -1 to 1"),
        (lambda: F.binary_cross_entropy(x - 1, x), "use binary_cross_entropy_with_logits"),
        (lambda: F.info_nce(x, x[:2]), r"want \(N, D\) twice"),
        (lambda: F.ctc_loss(x, [[1]], [4], [1]), r"want \(T, N, C\), \(N, S\)"),
        (lambda: F.ctc_loss(x[:, None], [[1]], [5], [1]), "out of range"),
        (lambda: F.ctc_loss(x[:, None], [[3]], [4], [1]), "classes from 0 to 2"),
        (lambda: F.ctc_loss(x[:, None], [[0]], [4], [1]), "other than the blank"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_labels_that_are_no_integers():
    for name in ("cross_entropy", "nll_loss", "focal_loss"):
        with pytest.raises(TypeError, match="want class indices"):
            getattr(F, name)(x, y + 0.5)


@pytest.mark.parametrize(
    "name, args, options",
    [
        ("MSELoss", (), {"size_average": 1}),
        ("HuberLoss", ("mean", 1, 2), {}),
        ("MaxPool2d", (), {}),
    ],
)
def test_unknown_or_missing_options(name, args, options):
    with pytest.raises(TypeError, match="want"):
        getattr(layers, name)(*args, **options)
