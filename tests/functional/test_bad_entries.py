"""One bad entry spoils only what depends on it; what a mask hides counts exactly nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import Tensor, layers
from dlscratch import functional as F

few = settings(max_examples=10, deadline=None)
rng = np.random.default_rng(0)
W1, W2 = rng.normal(size=(4, 3, 3)), rng.normal(size=(4, 3, 2, 3))
IMAGES = {  # what becomes of (2, 3, 7, 6)
    "max_pool2d": lambda f, x: f.max_pool2d(x, 2),
    "max_pool2d overlapping": lambda f, x: f.max_pool2d(x, 3, 2, 1),
    "max_pool2d over the border": lambda f, x: f.max_pool2d(x, 2, 2, 1, ceil_mode=True),
    "avg_pool2d": lambda f, x: f.avg_pool2d(x, 2),
    "avg_pool2d padded": lambda f, x: f.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    "adaptive_avg_pool2d": lambda f, x: f.adaptive_avg_pool2d(x, (3, 4)),
    "nearest": lambda f, x: f.interpolate(x, scale_factor=2),
    "nearest, odd": lambda f, x: f.interpolate(x, (5, 11)),
    "nearest-exact": lambda f, x: f.interpolate(x, (5, 11), mode="nearest-exact"),
    "bilinear": lambda f, x: f.interpolate(x, (14, 5), mode="bilinear"),
    "bilinear, corners": lambda f, x: f.interpolate(x, (9, 4), mode="bilinear", align_corners=True),
    "unfold": lambda f, x: f.unfold(x, (2, 3), padding=1),
    "pad": lambda f, x: f.pad(x, (1, 2, -1, 3), "reflect"),
}
SEQUENCES = {  # what becomes of (2, 3, 9)
    "max_pool1d": lambda f, x: f.max_pool1d(x, 3, 2, 1),
    "avg_pool1d": lambda f, x: f.avg_pool1d(x, 3, 2, 1),
    "adaptive_avg_pool1d": lambda f, x: f.adaptive_avg_pool1d(x, 4),
    "linear": lambda f, x: f.interpolate(x, 14, mode="linear"),
}
WEIGHTED = {  # (x, W) → y
    "conv2d": (lambda f, x, W: f.conv2d(x, W, padding=1), (2, 3, 7, 6), W2),
    "conv1d": (lambda f, x, W: f.conv1d(x, W, stride=2), (2, 3, 9), W1),
    "conv_transpose2d": (lambda f, x, W: f.conv_transpose2d(x, W, stride=2), (2, 4, 4, 3), W2),
    "conv_transpose1d": (lambda f, x, W: f.conv_transpose1d(x, W), (2, 4, 5), W1),
}
ALL = {
    **{n: ((lambda f, x, W, g=g: g(f, x)), (2, 3, 7, 6), None) for n, g in IMAGES.items()},
    **{n: ((lambda f, x, W, g=g: g(f, x)), (2, 3, 9), None) for n, g in SEQUENCES.items()},
    **WEIGHTED,
}


@pytest.mark.parametrize("name", ALL)
@few
@given(data=st.data(), bad=st.sampled_from([np.nan, np.inf, -np.inf]))
def test_a_bad_pixel_spoils_what_it_spoils_in_torch(name, data, bad):
    torch = pytest.importorskip("torch")
    f, shape, W = ALL[name]
    place = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    x = np.random.default_rng(1).normal(size=shape)
    x[place] = bad
    ours = Tensor(x, requires_grad=True)
    theirs = torch.tensor(x, requires_grad=True)
    y, z = f(F, ours, W), f(torch.nn.functional, theirs, W if W is None else torch.tensor(W))
    got, wanted = y.data, z.detach().numpy()
    if (
        "linear" in name
    ):  # PyTorch adds 0 · ∞ at the border, where there is one neighbour: NaN for ∞
        got, wanted = (np.where(np.isfinite(a), a, np.nan) for a in (got, wanted))
    np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-12)
    g = np.cos(np.arange(y.size)).reshape(y.shape)
    y.backward(g), z.backward(torch.tensor(g))
    np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ALL)
@few
@given(data=st.data(), bad=st.sampled_from([np.nan, np.inf]))
def test_a_bad_gradient_spoils_what_it_depends_on(name, data, bad):
    f, shape, W = ALL[name]
    x = Tensor(np.random.default_rng(1).normal(size=shape), requires_grad=True)
    shape = f(F, x, W).shape
    place = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    g, one = np.ones(shape), np.zeros(shape)
    g[place] = bad
    one[place] = 1
    f(F, x, W).backward(one)
    met = x.grad != 0
    x.grad = None
    with np.errstate(invalid="ignore"):
        f(F, x, W).backward(g)
    spoiled = ~np.isfinite(x.grad)
    assert not (met & ~spoiled).any()
    if not name.startswith(("bilinear", "linear", "conv")):  # where a weight may be 0
        np.testing.assert_array_equal(spoiled, met)
    assert spoiled.sum() <= spoiled[place[0]].size  # one example


def test_maxima_with_nan_and_minus_infinity_are_torch_s():
    torch = pytest.importorskip("torch")
    x = np.full((1, 2, 4, 4), -np.inf)
    x[0, 1, :2, :2] = [[np.nan, 1], [np.nan, 2]]
    for options in ((2,), (3, 2, 1), (2, 1)):
        ours, theirs = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        y, at = F.max_pool2d(ours, *options, return_indices=True)
        z, there = torch.nn.functional.max_pool2d(theirs, *options, return_indices=True)
        np.testing.assert_array_equal(y.data, z.detach().numpy())
        np.testing.assert_array_equal(at, there.numpy())
        np.sum(y).backward(), z.sum().backward()
        np.testing.assert_array_equal(ours.grad, theirs.grad.numpy())


ATTEND = {
    "all scores": F.scaled_dot_product_attention,
    "tiled": lambda *a, **o: F.tiled_attention(*a, block=2, **o),
}


@pytest.mark.parametrize("attend", ATTEND.values(), ids=ATTEND)
@pytest.mark.parametrize("kind", ["padding", "boolean", "float", "causal"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("where", ["key", "value", "both"])
def test_what_attention_may_not_see_counts_nothing(attend, kind, bad, where):
    """In value and gradient, whatever stands there: as with the numbers of another draw."""
    q, k, v = (np.random.default_rng(i).normal(size=(2, 4, 3)) for i in range(3))
    hidden = {"padding": [3], "boolean": [1, 3], "float": [2], "causal": [3]}[kind]
    allowed = np.ones((4, 4), bool)
    allowed[:, hidden] = False
    options = {"attn_mask": np.where(allowed, 0.5, -np.inf) if kind == "float" else allowed}
    rows = slice(None)
    if kind == "causal":
        options, rows = {"is_causal": True}, slice(0, 3)
    results = []
    for fill in (0.3, bad):
        keys, values = k.copy(), v.copy()
        if where != "value":
            keys[:, hidden] = fill
        if where != "key":
            values[:, hidden] = fill
        leaves = [Tensor(a, requires_grad=True) for a in (q[:, rows], keys, values)]
        if kind == "causal":  # three queries, of which none sees the fourth key
            leaves[0] = Tensor(q[:, :3], requires_grad=True)
        with np.errstate(over="ignore"):
            y = attend(*leaves, **options)
            y.backward(np.cos(np.arange(y.size)).reshape(y.shape))
        results.append([y.data, *(t.grad for t in leaves)])
        assert not leaves[1].grad[:, hidden].any() and not leaves[2].grad[:, hidden].any()
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_padded_tokens_do_not_change_the_others(need_weights, bad):
    layer = layers.MultiheadAttention(4, 2, batch_first=True, rng=0).astype("float64")
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    padding = np.array([[False, False, True], [False, True, True]])
    spoiled = np.where(padding[..., None], bad, x)
    with np.errstate(invalid="ignore"):
        y, w = layer(x, spoiled, spoiled, padding, need_weights)
    right, _ = layer(x, x, x, padding, need_weights)
    np.testing.assert_allclose(y.data, right.data, rtol=1e-12)
    assert w is None or not w.data[0, :, 2].any()


@pytest.mark.parametrize("need_weights", [True, False])
def test_a_query_that_sees_nothing_gets_the_bias_alone(need_weights):
    """In PyTorch so without weights; with them NaN, which is not followed."""
    layer = layers.MultiheadAttention(4, 2, batch_first=True, rng=0)
    layer.out_proj.bias.data = np.arange(4)
    x = Tensor(np.ones((1, 3, 4), "float32"), requires_grad=True)
    y, _ = layer(x, x, x, np.ones((1, 3), bool), need_weights)
    np.testing.assert_array_equal(y.data, np.tile(np.arange(4.0), (1, 3, 1)))
    np.sum(y).backward()
    assert not x.grad.any()


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_a_bad_sequence_spoils_its_own_outputs(kind):
    gates = {"lstm": 4, "gru": 3, "rnn": 1}[kind]
    states = [np.zeros((3, 2))] * (2 if kind == "lstm" else 1)
    weights = [rng.normal(size=(gates * 2, 4)), rng.normal(size=(gates * 2, 2))]
    x = rng.normal(size=(3, 5, 4))
    x[1, 2, 0] = np.nan
    t = Tensor(x, requires_grad=True)
    output, *_ = getattr(F, kind)(t, *states, *weights)
    bad = np.isnan(output.data)
    assert bad[1, 2:].all() and not bad[1, :2].any() and not bad[[0, 2]].any()
    np.sum(output).backward()
    assert np.isfinite(t.grad[[0, 2]]).all()


def test_padding_s_vector_gets_no_gradient_whatever_comes():
    w = Tensor(np.array([[np.inf, 1.0], [2.0, 3.0]]), requires_grad=True)
    y = F.embedding(np.array([0, 1]), w, padding_idx=0)
    np.testing.assert_array_equal(y.data, w.data)
    y.backward(np.array([[np.nan, np.inf], [1.0, 1.0]]))
    np.testing.assert_array_equal(w.grad, [[0, 0], [1, 1]])
