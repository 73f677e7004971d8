"""Constants, empty batches, bad rows, options, dtypes: through activations, losses and norms."""

import numpy as np
import pytest

from dlscratch import Tensor, layers
from dlscratch import functional as F
from tests.functional.test_precision import ENTRYWISE

rng = np.random.default_rng(0)
CONSTANTS = [0.0, 1.0, 1234.0, 1e4, 1e6, 1e30]
NORMS = {  # name: (norm, shape of its input)
    "layer_norm": (lambda x: F.layer_norm(x, 7), (3, 7)),
    "layer_norm, wide": (lambda x: F.layer_norm(x, 768), (1, 768)),
    "group_norm": (lambda x: F.group_norm(x, 2), (2, 6, 17)),
    "instance_norm": (F.instance_norm, (2, 3, 100)),
    "batch_norm": (lambda x: F.batch_norm(x, None, None, training=True), (10, 3)),
    "batch_norm of images": (
        lambda x: F.batch_norm(x, None, None, training=True),
        (3, 2, 5, 7),
    ),
}


@pytest.mark.parametrize("value", CONSTANTS)
@pytest.mark.parametrize("name", NORMS)
def test_equal_numbers_are_normalized_to_0(name, value):
    norm, shape = NORMS[name]
    x = Tensor(np.full(shape, value / 3, "float32"), requires_grad=True)
    with np.errstate(over="ignore", invalid="ignore"):
        y = norm(x)
        y.backward(rng.normal(size=shape).astype("float32"))
    assert np.abs(y.data).max() <= 1e-2 and np.isfinite(x.grad).all()


@pytest.mark.parametrize("name", NORMS)
def test_numbers_far_from_0_are_normalized_as_in_float64(name):
    norm, shape = NORMS[name]
    x = (1000 + rng.normal(size=shape)).astype("float32")
    np.testing.assert_allclose(norm(x), norm(x.astype(float)), atol=2e-5)


def test_zero_vectors_have_torchs_slopes():
    torch = pytest.importorskip("torch")
    f = torch.nn.functional
    a = np.array([[0.0, 0, 0], [1e-9, 2e-9, 0], [1, 2, 3]])
    b = np.array([[1.0, 2, 3], [1, 0, 0], [0, 0, 0]])
    for ours, theirs, arrays in (
        (F.normalize, f.normalize, [a]),
        (F.cosine_similarity, f.cosine_similarity, [a, b]),
        (lambda x: F.rms_norm(x, 3), lambda x: f.rms_norm(x, (3,)), [a]),
        (lambda x: F.layer_norm(x, 3), lambda x: f.layer_norm(x, (3,)), [a]),
    ):
        xs = [Tensor(x, requires_grad=True) for x in arrays]
        zs = [torch.tensor(x, requires_grad=True) for x in arrays]
        y, z = ours(*xs), theirs(*zs)
        y.backward(np.ones_like(y.data))
        z.backward(torch.ones_like(z))
        np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-9, atol=1e-12)
        for x, t in zip(xs, zs, strict=True):
            np.testing.assert_allclose(x.grad, t.grad.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("v, eps", [(0.25, 1.0), (1e-9, 1e-6), (0.0, 1e-6), (4.0, 1.0)])
def test_a_variance_at_its_floor_has_torchs_slope(v, eps):
    torch = pytest.importorskip("torch")
    var, other = Tensor(np.array([v]), requires_grad=True), torch.tensor([v], requires_grad=True)
    F.gaussian_nll_loss(np.array([0.3]), np.array([0.0]), var, eps=eps).backward()
    torch.nn.functional.gaussian_nll_loss(
        torch.tensor([0.3]), torch.tensor([0.0]), other, eps=eps
    ).backward()
    np.testing.assert_allclose(var.grad, other.grad.numpy(), rtol=1e-5)


@pytest.mark.parametrize("shape", [(), (1,), (3, 1), (3,), (1, 4), (3, 4)])
def test_variances_broadcast(shape):
    y, t = rng.normal(size=(2, 3, 4))
    var = rng.uniform(1, 2, shape)
    v = var[:, None] if shape == (3,) else var
    wanted = np.mean(0.5 * (np.log(v) + (y - t) ** 2 / v))
    np.testing.assert_allclose(F.gaussian_nll_loss(y, t, var), wanted, rtol=1e-12)


def test_a_number_as_variance():
    y, t = np.ones((2, 3), "float32"), np.zeros((2, 3), "float32")
    assert F.gaussian_nll_loss(y, t, 0.25) == np.float32(0.5 * (np.log(0.25) + 4))


pairs = (
    "mse_loss l1_loss smooth_l1_loss huber_loss quantile_loss poisson_nll_loss kl_div hinge_loss "
    "binary_cross_entropy binary_cross_entropy_with_logits"
).split()
EMPTY = {
    **{name: (lambda x, n=name: getattr(F, n)(x, np.zeros(x.shape)), (0, 3)) for name in pairs},
    "gaussian_nll_loss": (lambda x: F.gaussian_nll_loss(x, np.zeros((0, 3)), x), (0, 3)),
    "triplet_margin_loss": (lambda x: F.triplet_margin_loss(x, x, x), (0, 3)),
    "cosine_embedding_loss": (lambda x: F.cosine_embedding_loss(x, x, np.zeros(0)), (0, 3)),
    "info_nce": (lambda x: F.info_nce(x, x), (0, 3)),
    "cross_entropy": (lambda x: F.cross_entropy(x, np.zeros(0, int)), (0, 3)),
    "cross_entropy, soft": (lambda x: F.cross_entropy(x, np.zeros((0, 3))), (0, 3)),
    "cross_entropy of images": (lambda x: F.cross_entropy(x, np.zeros((0, 4), int)), (0, 3, 4)),
    "nll_loss": (lambda x: F.nll_loss(x, np.zeros(0, int)), (0, 3)),
    "focal_loss": (lambda x: F.focal_loss(x, np.zeros(0, int)), (0, 3)),
    "ctc_loss": (
        lambda x: F.ctc_loss(x, np.zeros((0, 2), int), np.zeros(0, int), np.zeros(0, int)),
        (5, 0, 3),
    ),
}


@pytest.mark.parametrize("name", EMPTY)
def test_the_mean_over_no_examples_is_nan_without_a_word(name):
    loss, shape = EMPTY[name]
    x = Tensor(np.zeros(shape, "float32"), requires_grad=True)
    y = loss(x)
    y.backward()
    assert y.dtype == np.float32 and np.isnan(y.data) and x.grad.shape == shape


ROWS = {
    "softmax": F.softmax,
    "log_softmax": F.log_softmax,
    "softmax of columns": lambda x: F.softmax(x.T, axis=0).T,
    "layer_norm": lambda x: F.layer_norm(x, 4),
    "rms_norm": lambda x: F.rms_norm(x, 4),
    "group_norm": lambda x: F.group_norm(x, 2),
    "instance_norm": lambda x: F.instance_norm(np.reshape(x, (3, 1, 4))).reshape(3, 4),
    "normalize": F.normalize,
    "cross_entropy": lambda x: F.cross_entropy(x, np.array([0, 1, 2]), reduction="none")[:, None],
    "gumbel_softmax": lambda x: F.gumbel_softmax(x, rng=0),
    "gelu": F.gelu,
    "silu": F.silu,
    "mish": F.mish,
}


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", ROWS)
def test_one_bad_entry_spoils_its_row_only(name, bad):
    x = rng.normal(size=(3, 4)).astype("float32")
    clean = Tensor(x, requires_grad=True)
    y = ROWS[name](clean)
    y.backward(y.data)
    x = x.copy()
    x[1, 2] = bad
    spoiled = Tensor(x, requires_grad=True)
    with np.errstate(invalid="ignore"):
        z = ROWS[name](spoiled)
        z.backward(y.data)
    others = [0, 2]
    np.testing.assert_allclose(z.data[others], y.data[others], rtol=1e-5)
    np.testing.assert_allclose(spoiled.grad[others], clean.grad[others], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", [np.float64, lambda v: np.array(v)])
def test_options_given_as_numpy_numbers_leave_the_dtype(kind):
    h, x, ids = kind(0.3), np.full((4, 8), 0.5, "float32"), np.zeros(4, int)
    zero, w = np.zeros((4, 8), "float32"), np.ones(8, "float32")
    calls = [
        lambda x: F.leaky_relu(x, h),
        lambda x: F.leaky_relu(x, negative_slope=h),
        lambda x: F.elu(x, h),
        lambda x: F.softplus(x, h, h),
        lambda x: F.hardtanh(x, -h, h),
        lambda x: F.gumbel_softmax(x, h, rng=0),
        lambda x: F.layer_norm(x, 8, w, w, h),
        lambda x: F.rms_norm(x, 8, w, h),
        lambda x: F.group_norm(x, 2, w, w, h),
        lambda x: F.instance_norm(x[None], w[:4] * 0, w[:4] * 1, momentum=h, eps=h),
        lambda x: F.batch_norm(x, w * 0, w * 1, w, w, True, h, h),
        lambda x: F.batch_norm(x, w * 0, w * 1, w, w, False, h, h),
        lambda x: F.normalize(x, kind(2.0), eps=h),
        lambda x: F.cosine_similarity(x, x, eps=h),
        lambda x: F.huber_loss(x, zero, delta=h),
        lambda x: F.smooth_l1_loss(x, zero, beta=h),
        lambda x: F.quantile_loss(x, zero, q=h),
        lambda x: F.hinge_loss(x, zero + 1, margin=h),
        lambda x: F.cross_entropy(x, ids, label_smoothing=h),
        lambda x: F.cross_entropy(x, ids, weight=np.ones(8)),
        lambda x: F.binary_cross_entropy_with_logits(x, zero, pos_weight=h),
        lambda x: F.binary_cross_entropy_with_logits(x, zero, weight=np.full(8, 0.3)),
        lambda x: F.info_nce(x, x, h),
        lambda x: F.focal_loss(x, ids, gamma=h),
        lambda x: F.triplet_margin_loss(x, x, x, h, kind(2.0), kind(1e-6)),
        lambda x: F.gaussian_nll_loss(x, zero, x, eps=h),
        lambda x: F.gaussian_nll_loss(x, zero, h),
        lambda x: F.poisson_nll_loss(x, zero, False, eps=h),
        lambda x: F.cosine_embedding_loss(x, x, np.ones(4), h),
    ]
    for f in calls:
        t = Tensor(x, requires_grad=True)
        y = f(t)
        assert y.dtype == np.float32
        np.sum(y).backward()
        assert t.grad.dtype == np.float32


@pytest.mark.parametrize("dtype", ["float64", "int64", "float16", "bool"])
@pytest.mark.parametrize("name", pairs)
def test_losses_compute_in_the_dtype_of_the_input(name, dtype):
    t = np.ones((2, 3), dtype)
    y = getattr(F, name)(np.full((2, 3), 0.5, "float32"), t)
    wanted = getattr(F, name)(np.full((2, 3), 0.5, "float32"), t.astype("float32"))
    assert y.dtype == np.float32 and y == wanted


@pytest.mark.parametrize(
    "call",
    [
        *(
            lambda x, n=name: getattr(F, n)(x)
            for name in (
                "leaky_relu elu selu sigmoid logsigmoid softplus gelu silu mish glu softmax "
                "log_softmax normalize"
            ).split()
        ),
        *(lambda x, n=name: getattr(F, n)(x, x) for name in pairs),
        lambda x: F.prelu(x, np.ones(1)),
        lambda x: F.layer_norm(x, 4),
        lambda x: F.rms_norm(x, 4),
        lambda x: F.group_norm(x, 1),
        lambda x: F.batch_norm(x, None, None, training=True),
        lambda x: F.instance_norm(x[None]),
        lambda x: F.cosine_similarity(x, x),
        lambda x: F.cross_entropy(x, np.array([0, 1])),
        lambda x: F.nll_loss(x, np.array([0, 1])),
        lambda x: F.focal_loss(x, np.array([0, 1])),
        lambda x: F.gaussian_nll_loss(x, x, x),
        lambda x: F.triplet_margin_loss(x, x, x),
        lambda x: F.cosine_embedding_loss(x, x, np.array([1, -1])),
        lambda x: F.info_nce(x, x),
        lambda x: F.ctc_loss(x[None], [[1], [1]], [1, 1], [1, 1]),
    ],
)
def test_integers_are_refused_with_the_repair(call):
    for x in (np.ones((2, 4), int), Tensor(np.ones((2, 4), int))):
        with pytest.raises(TypeError, match=r"\w+: expected floats, got int64; .*x.astype"):
            call(x)


NORM_LAYERS = {
    "LayerNorm(3)": (lambda: layers.LayerNorm(3), (2, 3)),
    "RMSNorm(3)": (lambda: layers.RMSNorm(3), (2, 3)),
    "BatchNorm1d(3)": (lambda: layers.BatchNorm1d(3), (2, 3)),
    "BatchNorm2d(3)": (lambda: layers.BatchNorm2d(3), (2, 3, 2, 2)),
    "InstanceNorm1d(3)": (lambda: layers.InstanceNorm1d(3, affine=True), (2, 3, 4)),
    "GroupNorm(3)": (lambda: layers.GroupNorm(1, 3), (2, 3)),
}


@pytest.mark.parametrize("name", NORM_LAYERS)
def test_layers_refuse_mixed_dtypes_by_their_own_name(name):
    make, shape = NORM_LAYERS[name]
    x = rng.normal(size=shape)
    with pytest.raises(TypeError) as caught:
        make()(x)
    said = str(caught.value)
    assert said.startswith(f"{name}: expected float32 input (the dtype of weight), got float64; ")
    make()(x.astype("float32"))
    make().astype("float64")(x)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_one_example_without_a_batch_equals_torch(reduction):
    torch = pytest.importorskip("torch")
    f, t = torch.nn.functional, torch.tensor
    z = rng.normal(size=4)
    p = F.softmax(rng.normal(size=4))
    o = {"reduction": reduction}
    w = np.array([0.5, 1, 2, 3])
    cases = [
        (F.cross_entropy(z, np.array(2), **o), f.cross_entropy(t(z), t(2), **o)),
        (F.cross_entropy(z, 2, **o), f.cross_entropy(t(z), t(2), **o)),
        (F.cross_entropy(z, 2, w, **o), f.cross_entropy(t(z), t(2), t(w), **o)),
        (F.cross_entropy(z, p, **o), f.cross_entropy(t(z), t(p), **o)),
        (F.nll_loss(z, np.array(2), **o), f.nll_loss(t(z), t(2), **o)),
    ]
    for ours, theirs in cases:
        assert np.shape(ours) == tuple(theirs.shape)
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-12)
    x = Tensor(z, requires_grad=True)
    F.cross_entropy(x, 1).backward()
    wanted = F.softmax(z)
    wanted[1] -= 1
    np.testing.assert_allclose(x.grad, wanted)
    x = rng.normal(size=(3, 5)).astype("float32")
    np.testing.assert_allclose(
        layers.InstanceNorm1d(3)(x), torch.nn.InstanceNorm1d(3)(t(x)).numpy(), atol=1e-6
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_targets_of_ctc_one_after_the_other_or_of_one_example_equal_torch(reduction):
    torch = pytest.importorskip("torch")
    f, t = torch.nn.functional.ctc_loss, torch.tensor
    log_p = F.log_softmax(rng.normal(size=(6, 3, 4)))
    y, steps, sizes = np.array([1, 2, 3, 3, 1]), np.array([6, 5, 6]), np.array([2, 0, 3])
    o = {"reduction": reduction}
    ours = F.ctc_loss(log_p, y, steps, sizes, **o)
    theirs = f(t(log_p), t(y), t(steps), t(sizes), **o).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    for lengths in ((6, 2), (np.array(6), np.array(2)), (np.array([6]), np.array([2]))):
        ours = F.ctc_loss(log_p[:, 0], np.array([1, 2]), *lengths, **o)
        theirs = f(t(log_p[:, 0]), t([1, 2]), *(t(np.array(n)) for n in lengths), **o).numpy()
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    with pytest.raises(ValueError, match="hold 4 symbols, target_lengths sum to 5"):
        F.ctc_loss(log_p, y[:4], steps, sizes)


@pytest.mark.parametrize("slopes", [1, 3])
def test_prelu_equals_torch(slopes):
    torch = pytest.importorskip("torch")
    x = rng.normal(size=(2, 3, 4)).astype("float32")
    x[0, 0, 0] = 0
    ours, theirs = layers.PReLU(slopes, 0.1), torch.nn.PReLU(slopes, 0.1)
    a, b = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, z = ours(a), theirs(b)
    y.backward(x)
    z.backward(torch.tensor(x))
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-6)
    np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-6)
    np.testing.assert_allclose(ours.weight.grad, theirs.weight.grad.numpy(), rtol=1e-5)
    assert ours.state_dict().keys() == theirs.state_dict().keys()


@pytest.mark.parametrize("name", [name for name, case in ENTRYWISE.items() if len(case) > 2])
def test_empty_arrays_and_single_numbers_pass(name):
    if name == "glu":
        return
    ours = ENTRYWISE[name][0]
    empty = Tensor(np.zeros((0, 3), "float32"), requires_grad=True)
    y = ours(empty)
    y.backward(y.data)
    assert y.shape == empty.grad.shape == (0, 3)
    assert np.shape(ours(np.array(0.5, "float32"))) == ()


def test_softmax_along_an_empty_axis_is_empty():
    for f in (F.softmax, F.log_softmax):
        assert f(Tensor(np.zeros((2, 0)))).shape == (2, 0)


@pytest.mark.parametrize("name", ["BatchNorm1d", "BatchNorm2d", "InstanceNorm1d", "LayerNorm"])
@pytest.mark.parametrize("training", [True, False])
def test_norms_of_no_examples_are_empty_and_leave_the_running_ones(name, training):
    layer = getattr(layers, name)(3).train(training)
    shape = {"BatchNorm2d": (0, 3, 2, 2), "InstanceNorm1d": (0, 3, 5)}.get(name, (0, 3))
    x = Tensor(np.zeros(shape, "float32"), requires_grad=True)
    y = layer(x)
    np.sum(y).backward()
    assert y.shape == x.grad.shape == shape
    if name.startswith("Batch"):
        assert not layer.running_mean.any() and (layer.running_var == 1).all()
        assert not layer.weight.grad.any() and not layer.bias.grad.any()
