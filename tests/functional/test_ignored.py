"""What is ignored, masked, of weight 0 or padding counts exactly nothing, whatever is there."""

import numpy as np
import pytest

from dlscratch import Tensor
from dlscratch import functional as F

BAD = [np.nan, np.inf, -np.inf, 1e30]
reductions = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
rng = np.random.default_rng(0)
LOGITS = rng.normal(size=(5, 4)).astype(np.float32)
LABELS = np.array([0, 3, 1, 2, 1])
WEIGHT = np.array([0.5, 1.0, 2.0, 0.25])


def run(loss, *arrays):
    """Value and gradients."""
    tensors = [Tensor(a, requires_grad=True) for a in arrays]
    y = loss(*tensors)
    y.backward(np.ones_like(y.data))
    return y.data, [t.grad for t in tensors]


def nll(z, *args, **options):
    return F.nll_loss(F.log_softmax(z, axis=1), *args, **options)


IGNORING = {
    "cross_entropy": F.cross_entropy,
    "weighted": lambda *a, **o: F.cross_entropy(*a, weight=WEIGHT, **o),
    "smooth": lambda *a, **o: F.cross_entropy(*a, label_smoothing=0.2, **o),
    "weighted and smooth": lambda *a, **o: F.cross_entropy(
        *a, weight=WEIGHT, label_smoothing=0.2, **o
    ),
    "nll_loss": F.nll_loss,
    "weighted nll_loss": lambda *a, **o: F.nll_loss(*a, weight=WEIGHT, **o),
}


@reductions
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", IGNORING)
def test_ignored_rows_have_no_effect(name, bad, reduction):
    loss = IGNORING[name]
    z, y = LOGITS.copy(), LABELS.copy()
    z[1] = bad
    y[1] = -100
    kept = [0, 2, 3, 4]
    value, (dz,) = run(lambda z: loss(z, y, reduction=reduction), z)
    wanted, (slope,) = run(lambda z: loss(z, y[kept], reduction=reduction), z[kept])
    np.testing.assert_allclose(dz[kept], slope, rtol=1e-6)
    assert not dz[1].any()
    if reduction == "none":
        assert value[1] == 0
        value = value[kept]
    np.testing.assert_allclose(value, wanted, rtol=1e-6)


@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("name", IGNORING)
def test_the_mean_of_nothing_is_nan_and_its_gradient_0(name, empty):
    z = LOGITS[:0] if empty else LOGITS
    y = np.full(len(z), -100)
    value, (dz,) = run(lambda z: IGNORING[name](z, y), z)
    assert np.isnan(value) and dz.shape == z.shape and not dz.any()
    value, (dz,) = run(lambda z: IGNORING[name](z, y, reduction="sum"), z)
    assert value == 0 and not dz.any()
    value, (dz,) = run(lambda z: IGNORING[name](z, y, reduction="none"), z)
    assert value.shape == y.shape and not value.any() and not dz.any()


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("ignored", [False, True])
def test_masked_classes_of_weight_0_have_no_effect(smoothing, ignored):
    z, y = LOGITS.copy(), np.array([0, 2, 1, 2, 1])
    z[:, 3] = -np.inf
    w = np.array([0.5, 1.0, 2.0, 0.0])
    if ignored:
        y[0] = -100
    value, (dz,) = run(lambda z: F.cross_entropy(z, y, w, label_smoothing=smoothing), z)
    less = np.array(value), dz[:, :3]
    share = smoothing / 4  # of the four classes, of which one has no weight
    log_p = F.log_softmax(z[:, :3].astype(float))
    counts = y != -100
    label = np.where(counts, y, 0)
    rows = -(1 - smoothing) * w[label] * log_p[np.arange(5), label] - share * (log_p * w[:3]).sum(1)
    wanted = (rows * counts).sum() / (w[label] * counts).sum()
    np.testing.assert_allclose(less[0], wanted, rtol=1e-6)
    assert np.isfinite(dz).all() and not dz[:, 3].any() and dz[1:, :3].all()
    assert dz[0].any() != ignored


def test_a_label_of_weight_0_counts_nothing_but_is_smoothed_as_in_torch():
    torch = pytest.importorskip("torch")
    w, t = np.array([0.5, 0.0, 2.0, 1.0], "float32"), torch.tensor
    for options in ({}, {"label_smoothing": 0.3}):
        z = t(LOGITS, requires_grad=True)
        theirs = torch.nn.functional.cross_entropy(z, t(LABELS), t(w), **options)
        theirs.backward()
        value, (dz,) = run(lambda z: F.cross_entropy(z, LABELS, w, **options), LOGITS)
        np.testing.assert_allclose(value, theirs.item(), rtol=1e-6)
        np.testing.assert_allclose(dz, z.grad.numpy(), rtol=1e-5, atol=1e-8)
    z = LOGITS.copy()
    z[2:5:2] = np.nan  # the rows of label 1
    value, (dz,) = run(lambda z: F.cross_entropy(z, LABELS, w), z)
    assert np.isfinite(value) and np.isfinite(dz).all() and not dz[[2, 4]].any()


def test_soft_targets_of_0_on_masked_classes_cost_nothing():
    z = LOGITS.copy()
    z[:, 0] = -np.inf
    t = np.full(z.shape, 1 / 3, "float32")
    t[:, 0] = 0
    value, (dz, dt) = run(F.cross_entropy, z, t)
    wanted, (slope,) = run(lambda z: F.cross_entropy(z, t[:, 1:]), z[:, 1:])
    np.testing.assert_allclose(value, wanted, rtol=1e-6)
    np.testing.assert_allclose(dz[:, 1:], slope, rtol=1e-6, atol=1e-8)
    assert not dz[:, 0].any() and np.isfinite(dt).all()


@reductions
@pytest.mark.parametrize("bad", BAD)
def test_focal_loss_ignores_too(bad, reduction):
    z, y = LOGITS.copy(), LABELS.copy()
    z[1], y[1] = bad, -100
    _, (dz,) = run(lambda z: F.focal_loss(z, y, reduction=reduction), z)
    assert np.isfinite(dz).all() and not dz[1].any() and dz[0].all()


WEIGHTED = {
    "mse_loss": F.mse_loss,
    "l1_loss": F.l1_loss,
    "huber_loss": F.huber_loss,
    "binary_cross_entropy": F.binary_cross_entropy,
    "binary_cross_entropy_with_logits": F.binary_cross_entropy_with_logits,
}


@reductions
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", WEIGHTED)
def test_entries_of_weight_0_have_no_effect(name, bad, reduction):
    loss = WEIGHTED[name]
    y = rng.uniform(0.1, 0.9, (4, 3)).astype(np.float32)
    t, w = np.ones_like(y), rng.uniform(1, 2, (4, 3)).astype(np.float32)
    w[1, 2] = 0
    wanted, (slope,) = run(lambda y: loss(y, t, weight=w, reduction=reduction), y)
    y[1, 2] = bad
    t[1, 2] = bad
    value, (dy,) = run(lambda y: loss(y, t, weight=w, reduction=reduction), y)
    np.testing.assert_array_equal(value, wanted)
    np.testing.assert_array_equal(dy, slope)
    assert dy[1, 2] == 0 and np.count_nonzero(dy) == 11


def test_weights_that_are_all_0_leave_no_gradient():
    y, zero = LOGITS, np.zeros_like(LOGITS)
    for loss in (F.mse_loss, F.l1_loss):
        value, (dy,) = run(lambda y: loss(y, zero, weight=zero), y)
        assert np.isnan(value) and not np.nan_to_num(dy).any()


def test_what_has_probability_0_costs_no_divergence():
    p = np.array([[0.5, 0.5, 0.0]])
    log_q = np.array([[-1.0, -2.0, -np.inf]])
    with np.errstate(divide="ignore"):
        logarithms = np.log(p)
    for target, log_target in ((p, False), (logarithms, True)):
        value, (dq,) = run(lambda q: F.kl_div(q, target, "sum", log_target=log_target), log_q)
        np.testing.assert_allclose(value, np.log(0.5) + 1.5)
        np.testing.assert_allclose(dq, [[-0.5, -0.5, 0]])


@reductions
@pytest.mark.parametrize("pad", [-100, -1, 0, 1, 999])
def test_ctc_reads_no_padding_of_targets(pad, reduction):
    logits = rng.normal(size=(6, 2, 5))
    lengths = np.array([6, 4]), np.array([3, 1])
    options = {"reduction": reduction}
    wanted, (slope,) = run(
        lambda z: F.ctc_loss(F.log_softmax(z), [[1, 2, 3], [4, 4, 4]], *lengths, **options), logits
    )
    value, (dz,) = run(
        lambda z: F.ctc_loss(F.log_softmax(z), [[1, 2, 3], [4, pad, pad]], *lengths, **options),
        logits,
    )
    np.testing.assert_array_equal(value, wanted)
    np.testing.assert_array_equal(dz, slope)


@pytest.mark.parametrize("bad", BAD)
def test_ctc_reads_no_frames_beyond_the_input(bad):
    log_p = F.log_softmax(rng.normal(size=(6, 2, 5)))
    arguments = [[1, 2], [3, 4]], [6, 3], [2, 1]
    wanted, (slope,) = run(lambda p: F.ctc_loss(p, *arguments), log_p)
    log_p = log_p.copy()
    log_p[3:, 1] = bad
    with np.errstate(over="ignore", invalid="ignore"):
        value, (dp,) = run(lambda p: F.ctc_loss(p, *arguments), log_p)
    np.testing.assert_array_equal(value, wanted)
    np.testing.assert_array_equal(dp, slope)
    assert not dp[3:, 1].any()
