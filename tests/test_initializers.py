"""First weights have the moments that their formulas say."""

import numpy as np
import pytest

from dlscratch import Tensor, default_dtype, initializers, layers, losses, optimizers

SHAPE = (300, 200)
STD = {
    "xavier_normal": np.sqrt(2 / 500),
    "xavier_uniform": np.sqrt(2 / 500),
    "normal": 1,
    "uniform": np.sqrt(1 / 12),
    "kaiming_normal": np.sqrt(2 / 200),
    "kaiming_uniform": np.sqrt(2 / 200),
    "trunc_normal": 0.87962566103423978,
}


@pytest.mark.parametrize("name", STD)
def test_moments(name):
    W = getattr(initializers, name)(np.random.default_rng(0), SHAPE)
    n = W.size
    assert W.shape == SHAPE and W.dtype == np.float32
    assert abs(W.mean() - (0.5 if name == "uniform" else 0)) < 4 * STD[name] / np.sqrt(n)
    assert abs(W.std() / STD[name] - 1) < 4 / np.sqrt(n)


@pytest.mark.parametrize("shape", [(40, 30), (30, 10, 3, 3)])
@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
@pytest.mark.parametrize(
    "nonlinearity, a",
    [("relu", 0), ("leaky_relu", 0.5), ("tanh", 0), ("linear", 0), ("sigmoid", 0), ("selu", 0)],
)
def test_kaiming_has_the_bounds_and_moments_of_torchs(shape, mode, nonlinearity, a):
    torch = pytest.importorskip("torch")
    for name in ("kaiming_uniform", "kaiming_normal"):
        W = np.concatenate(
            [
                getattr(initializers, name)(np.random.default_rng(i), shape, a, mode, nonlinearity)
                for i in range(20)
            ]
        )
        twin = torch.empty(20, *shape).double()
        for i in range(20):
            getattr(torch.nn.init, name + "_")(
                twin[i], a=a, mode=mode, nonlinearity=nonlinearity, generator=torch.manual_seed(i)
            )
        assert abs(W.std() / twin.std().item() - 1) < 5 / np.sqrt(W.size)
        assert (
            name == "kaiming_normal" or abs(np.abs(W).max() / twin.abs().max().item() - 1) < 0.003
        )


def test_gains_are_torchs():
    torch = pytest.importorskip("torch")
    for name in (
        "linear",
        "conv1d",
        "conv2d",
        "conv_transpose1d",
        "conv_transpose2d",
        "sigmoid",
        "tanh",
        "relu",
        "leaky_relu",
        "selu",
    ):
        assert initializers.calculate_gain(name) == pytest.approx(
            torch.nn.init.calculate_gain(name), rel=1e-15
        )
    assert initializers.calculate_gain("leaky_relu", 0.3) == pytest.approx(
        torch.nn.init.calculate_gain("leaky_relu", 0.3), rel=1e-15
    )


def test_truncated():
    from scipy import stats

    W = initializers.trunc_normal(np.random.default_rng(0), 20_000, mean=1.0, std=2.0, a=0.0, b=2.5)
    assert W.min() >= 0 and W.max() <= 2.5
    assert stats.kstest(W, stats.truncnorm(-0.5, 0.75, loc=1.0, scale=2.0).cdf).pvalue > 1e-3


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 3)])
def test_orthogonal(shape):
    with default_dtype("float64"):
        W = initializers.orthogonal(np.random.default_rng(0), shape, gain=2).reshape(shape[0], -1)
    gram = W @ W.T if W.shape[0] <= W.shape[1] else W.T @ W
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-12)


@pytest.mark.parametrize(
    "shape, groups", [((4, 4, 3), 1), ((6, 3, 5, 5), 2), ((6, 2, 3, 4), 3), ((2, 5, 4, 4), 1)]
)
def test_dirac_is_torchs(shape, groups):
    torch = pytest.importorskip("torch")
    W = initializers.dirac(None, shape, groups)
    assert np.array_equal(W, torch.nn.init.dirac_(torch.empty(shape), groups).numpy()) and W.any()


def test_constants_and_fans():
    assert not initializers.zeros(None, (2, 3)).any() and initializers.ones(None, (2, 3)).all()
    assert initializers.fans((8, 4, 3, 3)) == (36, 72)


def test_lsuv_gives_every_layer_unit_variance():
    rng = np.random.default_rng(0)
    hidden = [
        f
        for i in range(6)
        for f in (layers.Linear(32, 32, rng=i), layers.ReLU(), layers.Dropout(0.5, rng=i))
    ]
    first = layers.Conv2d(1, 2, 3, padding=1, rng=1)
    model = layers.Sequential(
        first, layers.Tanh(), layers.Flatten(), *hidden, layers.Linear(32, 4, rng=9)
    )
    x = 5 * rng.normal(size=(200, 1, 4, 4)).astype("float32")
    found = initializers.lsuv(model, Tensor(x), tol=0.02)
    assert list(found) == ["0", "3", "6", "9", "12", "15", "18", "21"] and model.training
    y = x
    for name, layer in enumerate(model.eval()):
        y = layer(y)
        if str(name) in found:
            assert abs(y.data.var() - 1) < 0.021 and found[str(name)] == pytest.approx(
                y.data.var(), rel=1e-4
            )
            W = layer.weight.data.reshape(len(layer.weight), -1)
            gram = W @ W.T if len(W) <= W.shape[1] else W.T @ W
            np.testing.assert_allclose(
                gram, gram[0, 0] * np.eye(len(gram)), atol=1e-4 * gram[0, 0]
            )  # still orthogonal


def test_lsuv_leaves_modes_and_frozen_parts_as_they_were():
    model = layers.Sequential(layers.Linear(4, 4, rng=0), layers.BatchNorm1d(4), layers.Dropout())
    model[1].eval()
    before = [m.training for m in model.modules()]
    x = np.random.default_rng(0).normal(size=(50, 4)).astype("float32")
    initializers.lsuv(model, x)
    assert [m.training for m in model.modules()] == before and not model[1].running_mean.any()
    with pytest.raises(ValueError, match="another batch"):
        initializers.lsuv(model, np.full_like(x, np.nan))
    assert [m.training for m in model.modules()] == before
    assert not any(m._hooks for m in model.modules())


DRAWN = [
    initializers.normal,
    initializers.uniform,
    initializers.trunc_normal,
    initializers.xavier_normal,
    initializers.xavier_uniform,
    initializers.kaiming_normal,
    initializers.kaiming_uniform,
    initializers.orthogonal,
]


@pytest.mark.parametrize("draw", DRAWN)
def test_a_seed_is_as_good_as_a_generator_and_the_dtype_is_the_default(draw):
    W = draw(3, (4, 5))
    np.testing.assert_array_equal(W, draw(np.random.default_rng(3), (4, 5)))
    assert W.dtype == np.float32
    with default_dtype("float64"):
        assert draw(3, (4, 5)).dtype == np.float64


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (3, 2, 0)])
@pytest.mark.parametrize("draw", DRAWN)
def test_nothing_is_drawn_for_a_shape_of_no_numbers(draw, shape):
    assert draw(0, shape).shape == shape


def test_options_given_as_numpy_numbers_leave_the_dtype():
    h = np.float64(0.5)
    for W in (
        initializers.normal(0, (), h, h),
        initializers.uniform(0, (2,), -h, h),
        initializers.trunc_normal(0, (2,), h, h, -h, h),
        initializers.xavier_normal(0, (2, 2), h),
        initializers.xavier_uniform(0, (2, 2), h),
        initializers.kaiming_normal(0, (2, 2), h),
        initializers.kaiming_uniform(0, (2, 2), h),
        initializers.orthogonal(0, (np.int64(2), 2), h),
    ):
        assert isinstance(W, np.ndarray) and W.dtype == np.float32


@pytest.mark.parametrize(
    "shape, base, adam, sgd",
    [
        (
            (1024, 10),
            (64, 10),
            (10**-0.5, 1),
            (10**-0.5, 16),
        ),  # input layer: SGD's rate grows with fan-out
        ((1024,), (64,), (1, 1), (1, 16)),  # bias
        ((1024, 1024), (64, 64), (1 / 32, 1 / 16), (1 / 32, 1)),  # hidden
        ((10, 1024), (10, 64), (1 / 128, 1 / 16), (1 / 128, 1 / 16)),  # output: std ~ 1 / fan-in
        ((64, 64), (64, 64), (1 / 8, 1), (1 / 8, 1)),  # the base itself is as usual
    ],
)
def test_mup_is_the_papers_table(shape, base, adam, sgd):
    assert initializers.mup(shape, base) == pytest.approx(adam, rel=1e-12)
    assert initializers.mup(shape, base, "sgd") == pytest.approx(sgd, rel=1e-12)


def logits_after(width, scaled, steps=3):
    """The std of the change of the logits in a few steps of Adam, for an MLP of this width."""
    rng = np.random.default_rng(0)
    shapes, base = [(width, 8), (width, width), (4, width)], [(32, 8), (32, 32), (4, 32)]
    model = layers.Sequential(
        *[
            f
            for out, n in shapes
            for f in (layers.Linear(n, out, bias=False, rng=0), layers.ReLU())
        ][:-1]
    )
    groups = []
    for layer, shape, narrow in zip(list(model)[::2], shapes, base, strict=True):
        std, factor = initializers.mup(shape, narrow if scaled else shape)
        layer.weight.data = initializers.normal(rng, shape, std=std)
        groups.append(dict(params=[layer.weight], lr=0.01 * (factor if scaled else 1.0)))
    optimizer = optimizers.Adam(groups, lr=0.01)
    x, y = rng.normal(size=(64, 8)).astype("float32"), rng.integers(0, 4, 64)
    before = model(x).data
    for _ in range(steps):
        optimizer.zero_grad()
        losses.cross_entropy(model(x), y).backward()
        optimizer.step()
    return float(np.std(model(x).data - before))


def test_mup_learns_alike_at_every_width():
    growth = logits_after(512, True) / logits_after(32, True)
    usual = logits_after(512, False) / logits_after(32, False)
    assert 0.5 < growth < 2 and usual > 4


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda rng: initializers.fans((3,)), "has no fan-in"),
        (
            lambda rng: initializers.kaiming_normal(rng, (3, 3), mode="fan"),
            "want 'fan_in' or 'fan_out'",
        ),
        (
            lambda rng: initializers.kaiming_uniform(rng, (3, 3), nonlinearity="cube"),
            "nonlinearity='cube'; want one of",
        ),
        (lambda rng: initializers.trunc_normal(rng, 3, a=9, b=10), "want a wider interval"),
        (lambda rng: initializers.trunc_normal(rng, 3, std=0), "std=0; want > 0"),
        (lambda rng: initializers.normal(rng, (2, -1)), "has a negative axis; want"),
        (lambda rng: initializers.uniform(rng, -2), "has a negative axis; want"),
        (lambda rng: initializers.dirac(rng, (3, 3)), "want .out, in, kernel"),
        (lambda rng: initializers.dirac(rng, (4, 2, 3), groups=3), "divisible by groups"),
        (lambda rng: initializers.mup((3, 3), (3,)), "as many axes"),
        (lambda rng: initializers.mup((3, 3), (3, 3), "lion"), "want 'adam' or 'sgd'"),
        (
            lambda rng: initializers.lsuv(
                layers.Sequential(layers.Linear(3, 3, bias=False)),
                Tensor(np.zeros((4, 3), "float32")),
            ),
            "another batch",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0))
