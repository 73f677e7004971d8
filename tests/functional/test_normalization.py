"""Normalization equals PyTorch's at orders 0, 1 and 2; other norms do what their names say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import functional as F
from dlscratch import layers
from tests.parity import same

few = settings(max_examples=10, deadline=None)
sizes = st.lists(st.integers(3, 5), min_size=1, max_size=2).map(tuple)
seeds = st.integers(0, 10**6)


def torch():
    return pytest.importorskip("torch")


def draw(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=s) for s in shapes]


@few
@given(C=st.integers(1, 4), places=sizes, affine=st.booleans(), seed=seeds)
def test_over_channels_equal_torch(C, places, affine, seed):
    f, arrays = torch().nn.functional, draw(seed, (3, 2 * C, *places), *[(2 * C,)] * 2 * affine)
    same(
        *(lambda x, *p, f=f: f.batch_norm(x, None, None, *p, training=True) for f in (F, f)),
        *arrays,
    )
    mean, var = draw(seed, (2 * C,), (2 * C,))
    ours, theirs = (
        (lambda x: [v.astype(x.dtype) for v in (mean, var**2)]),
        (lambda x: [x.new_tensor(v) for v in (mean, var**2)]),
    )
    same(
        *(
            lambda x, *p, f=f, move=move: f.batch_norm(x, *move(x), *p)
            for f, move in ((F, ours), (f, theirs))
        ),
        *arrays,
    )
    same(*(lambda x, *p, f=f: f.instance_norm(x, None, None, *p) for f in (F, f)), *arrays)
    for groups in (1, 2, C):
        same(
            lambda x, *p, n=groups: F.group_norm(x, n, *p),
            lambda x, *p, n=groups: f.group_norm(x, n, *p),
            *arrays,
        )


@few
@given(
    C=st.integers(1, 4),
    places=sizes,
    affine=st.booleans(),
    own=st.booleans(),
    momentum=st.sampled_from([0.0, 0.1, 0.7]),
    seed=seeds,
)
def test_running_instance_norm_equals_torch(C, places, affine, own, momentum, seed):
    f, arrays, (mean, var) = (
        torch().nn.functional,
        draw(seed, (3, C, *places), *[(C,)] * 2 * affine),
        draw(seed + 1, (C,), (C,)),
    )
    moved = {}

    def call(name, module, move):
        def run(x, *p):
            moved[name] = [move(x, v) for v in (mean, var**2)]
            return module.instance_norm(x, *moved[name], *(p or (None, None)), own, momentum, 1e-3)

        return run

    same(
        call("ours", F, lambda x, v: v.astype(x.dtype)),
        call("theirs", f, lambda x, v: x.new_tensor(v)),
        *arrays,
        order=1,
    )
    for a, b in zip(moved["ours"], moved["theirs"], strict=True):  # of float32, which came last
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-4, atol=1e-6)


NORMS = [  # what is kept between batches, and what evaluation takes
    ("BatchNorm1d", (3, 1e-5, None), {}),
    ("BatchNorm1d", (3,), {"track_running_stats": False}),
    ("BatchNorm2d", (3, 1e-3, 0.3), {}),
    ("BatchNorm2d", (3,), {"bias": False}),
    ("InstanceNorm1d", (3, 1e-5, 0.2, True, True), {}),
    ("InstanceNorm2d", (3, 1e-5, None, True, True), {}),
    ("InstanceNorm2d", (3,), {"affine": True, "bias": False}),
    ("InstanceNorm1d", (3,), {"track_running_stats": True}),
    ("GroupNorm", (3, 3), {"bias": False}),
]


@pytest.mark.parametrize("name, args, options", NORMS)
def test_state_and_evaluation_of_layers_equal_torch(name, args, options):
    ours, theirs = (
        getattr(layers, name)(*args, **options).astype("float64"),
        getattr(torch().nn, name)(*args, **options).double(),
    )
    for seed, training in enumerate((True, True, False, True, False)):
        (x,) = draw(seed, (4, 3, 5, 2) if name.endswith("2d") else (4, 3, 5))
        y, z = ours.train(training)(x * 2 + 1), theirs.train(training)(torch().tensor(x * 2 + 1))
        np.testing.assert_allclose(getattr(y, "data", y), z.detach().numpy(), rtol=1e-9, atol=1e-12)
        assert ours.state_dict().keys() == theirs.state_dict().keys()
        for key, value in theirs.state_dict().items():
            np.testing.assert_allclose(
                ours.state_dict()[key], value.numpy(), rtol=1e-12, err_msg=key
            )


@few
@given(N=st.integers(1, 3), shape=sizes, affine=st.booleans(), seed=seeds)
def test_over_the_last_axes_equal_torch(N, shape, affine, seed):
    f = torch().nn.functional
    same(
        lambda x, *p: F.layer_norm(x, shape, *p),
        lambda x, *p: f.layer_norm(x, shape, *p),
        *draw(seed, (N, *shape), *[shape] * 2 * affine),
    )
    same(
        lambda x, *p: F.rms_norm(x, shape, *p, eps=1e-5),
        lambda x, *p: f.rms_norm(x, shape, *p, eps=1e-5),
        *draw(seed, (N, *shape), *[shape] * affine),
    )


@few
@given(p=st.sampled_from([1, 1.5, 2, 3]), shape=sizes, axis=st.integers(-1, 1), seed=seeds)
def test_lengths_and_angles_equal_torch(p, shape, axis, seed):
    f, (a, b) = torch().nn.functional, draw(seed, (3, *shape), (3, *shape))
    same(lambda x: F.normalize(x, p=p, axis=axis), lambda x: f.normalize(x, p=p, dim=axis), a)
    same(
        lambda a, b: F.cosine_similarity(a, b, axis=axis),
        lambda a, b: f.cosine_similarity(a, b, dim=axis),
        a,
        b,
    )


def test_rms_norm_takes_its_eps_from_the_dtype():
    for dtype in ("float32", "float64"):
        x = np.full((1, 4), 1e-9, dtype)
        theirs = torch().nn.functional.rms_norm(torch().tensor(x), (4,)).numpy()
        np.testing.assert_allclose(F.rms_norm(x, 4), theirs, rtol=1e-5)


@pytest.mark.parametrize("shape", [(5, 3), (4, 2, 3, 3)])
def test_weight_norm_equals_torch(shape):
    v, g = draw(0, shape, (shape[0],) + (1,) * (len(shape) - 1))
    same(F.weight_norm, lambda v, g: torch()._weight_norm(v, g, 0), v, g, order=1)
    same(
        F.weight_norm,
        lambda v, g: v * (g / (v**2).sum([*range(1, v.ndim)], keepdim=True).sqrt()),
        v,
        g,
    )  # order 2: fused, theirs is off


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x: F.group_norm(x, 2), "want .N, C, .... with C divisible by num_groups=2"),
        (lambda x: F.instance_norm(x), "has no variance"),
        (lambda x: F.instance_norm(x[None], np.ones(3), np.ones(3)), "want .2,."),
        (lambda x: F.instance_norm(x[None], use_input_stats=False), "a running mean and variance"),
        (lambda x: layers.BatchNorm1d(3, momentum=2), "momentum=2; want 0 to 1"),
        (
            lambda x: layers.InstanceNorm1d(3, momentum=-1, track_running_stats=True),
            "momentum=-1; want 0 to 1",
        ),
        (
            lambda x: layers.BatchNorm1d(3, track_running_stats=False).eval()(x[:1]),
            "has no variance",
        ),
        (lambda x: layers.GroupNorm(2, 3), "must divide"),
        (lambda x: layers.GroupNorm(3, 6)(x), r"want \(N, 6\) or \(N, 6, L\)"),
        (
            lambda x: layers.BatchNorm2d(3)(x),
            r"BatchNorm2d\(3\): input \(2, 3\); want \(N, 3, H, W\)",
        ),
        (lambda x: layers.InstanceNorm1d(4)(x), r"want \(N, 4, L\)"),
        (
            lambda x: layers.RMSNorm(4)(x),
            r"rms_norm: input \(2, 3\) ends in \(3,\), expected \(4,\)",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.ones((2, 3), "float32"))
