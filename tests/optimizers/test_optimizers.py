"""Optimizers follow PyTorch's trajectories; their state moves; wrong options are told."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import Tensor, default_dtype, layers, losses, optimizers
from dlscratch.layers.parameters import Parameters

from .twins import backward, batches, run_together, small, torch_backward, twins

CASES = [
    ("SGD", dict(lr=0.1)),
    ("SGD", dict(lr=0.1, momentum=0.9, weight_decay=0.01)),
    ("SGD", dict(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01)),
    ("SGD", dict(lr=0.1, momentum=0.9, dampening=0.5)),
    ("Adagrad", dict()),
    (
        "Adagrad",
        dict(lr=0.05, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.3, eps=1e-5),
    ),
    ("RMSprop", dict()),
    ("RMSprop", dict(lr=0.02, alpha=0.9, eps=1e-4, weight_decay=0.1)),
    ("RMSprop", dict(lr=0.005, centered=True, alpha=0.8, eps=1e-3)),
    ("RMSprop", dict(lr=0.002, momentum=0.9, centered=True, eps=1e-3, weight_decay=0.01)),
    ("Adadelta", dict()),
    ("Adadelta", dict(lr=0.5, rho=0.8, eps=1e-4, weight_decay=0.1)),
    ("Adam", dict(lr=0.01)),
    ("Adam", dict(lr=0.01, betas=(0.8, 0.9), eps=1e-4, weight_decay=0.1)),
    ("Adam", dict(lr=0.01, betas=(0.8, 0.9), amsgrad=True, weight_decay=0.1)),
    ("AdamW", dict(lr=0.01)),
    ("AdamW", dict(lr=0.01, weight_decay=0.3)),
    ("AdamW", dict(lr=0.01, betas=(0.8, 0.9), amsgrad=True)),
    ("Adamax", dict()),
    ("Adamax", dict(lr=0.01, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1)),
    ("NAdam", dict()),
    ("NAdam", dict(lr=0.01, betas=(0.8, 0.9), weight_decay=0.1, momentum_decay=0.1)),
    ("NAdam", dict(lr=0.01, weight_decay=0.1, decoupled_weight_decay=True)),
    ("RAdam", dict()),
    ("RAdam", dict(lr=0.01, betas=(0.8, 0.9), eps=1e-4, weight_decay=0.1)),
    ("RAdam", dict(lr=0.01, betas=(0.8, 0.95), weight_decay=0.1, decoupled_weight_decay=True)),
    ("Adafactor", dict()),
    ("Adafactor", dict(lr=0.1, beta2_decay=-0.5, eps=(1e-4, 1e-2), d=1.5, weight_decay=0.1)),
]


@pytest.mark.parametrize("name, options", CASES, ids=str)
def test_trajectory_equals_torch(name, options):
    torch = pytest.importorskip("torch")
    ours, theirs = twins()
    mine, torchs = (
        getattr(optimizers, name)(ours.parameters(), **options),
        getattr(torch.optim, name)(theirs.parameters(), **options),
    )
    assert run_together(ours, theirs, [mine], [torchs]) <= 1e-8


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES} | {"Muon", "LBFGS"}))
def test_names_and_defaults_are_torchs(name):
    import inspect

    torch = pytest.importorskip("torch")
    ours, theirs = (
        inspect.signature(getattr(m, name)).parameters for m in (optimizers, torch.optim)
    )
    left_out = {"foreach", "capturable", "differentiable", "fused"}
    assert [n for n in theirs if n not in left_out] == list(ours)
    for parameter, value in ours.items():
        assert (value.default, value.kind) == (theirs[parameter].default, theirs[parameter].kind), (
            parameter
        )


OPTIONS = {  # beside lr, weight_decay and maximize
    "SGD": dict(momentum=(0.0, 0.5)),
    "Adagrad": dict(lr_decay=(0.0, 0.1)),
    "RMSprop": dict(momentum=(0.0, 0.5), centered=(False, True)),
    "Adadelta": dict(rho=(0.8, 0.9)),
    "Adam": dict(amsgrad=(False, True), decoupled_weight_decay=(False, True)),
    "AdamW": dict(amsgrad=(False, True)),
    "Adamax": dict(betas=((0.9, 0.999), (0.8, 0.9))),
    "NAdam": dict(decoupled_weight_decay=(False, True)),
    "RAdam": dict(decoupled_weight_decay=(False, True)),
    "Adafactor": dict(d=(1.0, 1.5)),
}


@pytest.mark.parametrize("name", OPTIONS)
@settings(max_examples=4, deadline=None)
@given(st.data())
def test_trajectory_with_any_options_equals_torch(name, data):
    """eps is large enough that rounding is not divided by what is nearly 0."""
    torch = pytest.importorskip("torch")
    choices = OPTIONS[name] | dict(
        lr=(0.01, 0.03), weight_decay=(0.0, 0.1), maximize=(True, True, False)
    )
    options = {key: data.draw(st.sampled_from(values)) for key, values in choices.items()}
    options |= {} if name in ("SGD", "Adafactor") else {"eps": 1e-4}
    ours, theirs = twins()
    mine, torchs = (
        getattr(optimizers, name)(ours.parameters(), **options),
        getattr(torch.optim, name)(theirs.parameters(), **options),
    )
    assert run_together(ours, theirs, [mine], [torchs]) <= 1e-8


@pytest.mark.parametrize("sam", [False, True])
def test_maximize_climbs_as_descent_of_the_negative_would(sam):
    """And SAM then looks for the lowest point nearby."""
    models, wrap = (small(), small()), (lambda o: optimizers.SAM(o, 0.1)) if sam else (lambda o: o)
    for model, sign in zip(models, (1, -1)):
        optimizer = wrap(
            optimizers.SGD(model.parameters(), lr=0.1, momentum=0.5, maximize=sign > 0)
        )
        for x, y in batches(5):

            def closure(model=model, sign=sign):
                model.zero_grad()
                (losses.cross_entropy(model(Tensor(x)), y) * sign).backward()

            optimizer.step(closure)
    np.testing.assert_allclose(
        models[0].parameters().theta, models[1].parameters().theta, rtol=1e-12
    )
    assert not np.allclose(models[0].parameters().theta, small().parameters().theta)


def exact(monkeypatch):
    """PyTorch's Muon computes Newton-Schulz in bfloat16; here in the precision of the parameters."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    return torch


@pytest.mark.parametrize(
    "options",
    [
        {},
        dict(lr=0.02, nesterov=False, momentum=0.8, ns_steps=3, weight_decay=0.0),
        dict(lr=0.02, adjust_lr_fn="match_rms_adamw"),
    ],
    ids=str,
)
def test_muon_on_matrices_and_adamw_on_the_rest_equal_torch(monkeypatch, options):
    torch = exact(monkeypatch)
    ours, theirs = twins()
    mine = [
        optimizers.Muon([p for p in ours.parameters() if p.ndim == 2], **options),
        optimizers.AdamW([p for p in ours.parameters() if p.ndim != 2]),
    ]
    torchs = [
        torch.optim.Muon([p for p in theirs.parameters() if p.ndim == 2], **options),
        torch.optim.AdamW([p for p in theirs.parameters() if p.ndim != 2]),
    ]
    assert run_together(ours, theirs, mine, torchs) <= 1e-8


@pytest.mark.parametrize("shape", [(5, 5), (3, 8), (8, 3)])
def test_orthogonalize(shape):
    G = np.random.default_rng(0).normal(size=shape)
    U, _, V = np.linalg.svd(G, full_matrices=False)
    O = optimizers.orthogonalize(G)
    assert O.shape == shape and np.all(np.abs(np.linalg.svd(O, compute_uv=False) - 0.95) < 0.35)
    np.testing.assert_allclose(
        U.T @ O @ V.T, np.diag(np.diag(U.T @ O @ V.T)), atol=1e-9
    )  # the same singular vectors
    cubic = optimizers.orthogonalize(
        G, (1.5, -0.5, 0.0), steps=40
    )  # the classic Newton-Schulz goes all the way
    np.testing.assert_allclose(cubic, U @ V, atol=1e-9)


GROUPS = [
    ("SGD", dict(lr=0.1, momentum=0.9)),
    ("AdamW", dict(lr=0.01)),
    ("Adam", dict(lr=0.01)),
    ("RMSprop", {}),
    ("Adafactor", {}),
    ("RAdam", {}),
    ("NAdam", {}),
    ("Adagrad", {}),
    ("Adamax", {}),
    ("Adadelta", {}),
]


@pytest.mark.parametrize("name, options", GROUPS)
def test_groups_equal_torchs(name, options):
    torch = pytest.importorskip("torch")
    ours, theirs = twins()

    def groups(model):
        p = list(model.parameters())
        return [
            dict(params=[p[3], p[1]], weight_decay=0.0),
            dict(params=[p[2]], lr=0.02),
            dict(params=[p[0]], weight_decay=0.2),
        ]

    mine, torchs = (
        getattr(optimizers, name)(groups(ours), **options),
        getattr(torch.optim, name)(groups(theirs), **options),
    )
    assert (
        type(mine.parameters) is Parameters
    )  # one stretch of memory, whatever the order of the groups
    assert run_together(ours, theirs, [mine], [torchs]) <= 1e-8


def test_groups_of_some_parameters_leave_the_others():
    ours = small()
    before = ours.state_dict()
    some = optimizers.SGD(
        [dict(params=ours[0].parameters(), lr=0.5), dict(params=[ours[2].bias])], lr=0.1
    )
    backward(ours, *batches(1)[0])
    g = ours.parameters().dtheta.copy()
    some.step()
    after = ours.state_dict()
    assert np.array_equal(after["2.weight"], before["2.weight"])
    np.testing.assert_allclose(
        before["0.weight"] - after["0.weight"], 0.5 * g[:42].reshape(7, 6), rtol=1e-12
    )
    np.testing.assert_allclose(before["2.bias"] - after["2.bias"], 0.1 * g[-3:], rtol=1e-12)
    some.zero_grad()
    assert not ours[0].weight.grad.any() and ours[2].weight.grad.any()


EVERY = {
    "SGD": dict(lr=0.1, momentum=0.9),
    "Lion": {},
    "Adagrad": {},
    "RMSprop": dict(momentum=0.5, centered=True),
    "Adadelta": {},
    "Adam": dict(amsgrad=True),
    "AdamW": {},
    "Adamax": {},
    "NAdam": {},
    "RAdam": {},
    "Adafactor": {},
    "LAMB": {},
    "Shampoo": {},
    "ScheduleFreeSGD": dict(lr=0.1),
    "ScheduleFreeAdamW": dict(warmup_steps=4),
    "LBFGS": dict(max_iter=4, line_search_fn="strong_wolfe", history_size=3),
    "SAM": dict(rho=0.1),
    "Muon": {},
}


def make(name, model):
    if name == "SAM":
        return optimizers.SAM(
            optimizers.SGD(model.parameters(), lr=0.1, momentum=0.9), **EVERY[name]
        )
    params = (
        [p for p in model.parameters() if p.ndim == 2] if name == "Muon" else model.parameters()
    )
    return getattr(optimizers, name)(params, **EVERY[name])


def advance(model, optimizer, pairs):
    for x, y in pairs:

        def closure():
            optimizer.zero_grad()
            return backward(model, x, y)

        optimizer.step(closure)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_state_moves_and_the_rest_is_equal_bit_for_bit(name, dtype):
    whole = small().astype(dtype)
    a = make(name, whole)
    advance(whole, a, batches(6))
    half = small().astype(dtype)
    advance(half, first := make(name, half), batches(6)[:3])
    rest = half.copy()
    second = make(name, rest)
    saved = first.state_dict()
    assert all(isinstance(v, np.ndarray) for v in saved.values())
    second.load_state_dict(saved)
    advance(rest, second, batches(6)[3:])
    assert whole.parameters().theta.dtype == dtype and np.isfinite(whole.parameters().theta).all()
    assert np.array_equal(rest.parameters().theta, whole.parameters().theta) and second.t == a.t
    assert not np.array_equal(half.parameters().theta, whole.parameters().theta)
    assert all(v.dtype == dtype for n, v in saved.items() if v.ndim), {
        n: v.dtype for n, v in saved.items()
    }


@pytest.mark.parametrize("name", EVERY)
def test_learns_and_leaves_frozen_parameters_alone(name):
    x, y = batches(1)[0]
    model = small()
    frozen = model[0].weight
    frozen.requires_grad = False
    before, optimizer = frozen.data.copy(), make(name, model)
    start = backward(model, x, y).item()
    for _ in range(10):
        advance(model, optimizer, [(x, y)])
    optimizer.eval()
    assert np.array_equal(frozen.data, before)
    assert backward(model, x, y).item() < start


def test_accumulation_is_backward_twice():
    torch = pytest.importorskip("torch")
    ours, theirs = twins()
    for x, y in batches(2):
        backward(ours, x, y), torch_backward(theirs, x, y)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-10)
    (
        optimizers.SGD(ours.parameters(), lr=0.1).step(),
        torch.optim.SGD(theirs.parameters(), lr=0.1).step(),
    )
    np.testing.assert_allclose(ours[2].bias.data, theirs[2].bias.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    "limit, kind", [(0.1, 2.0), (100.0, 2.0), (0.1, 1.0), (0.05, float("inf"))]
)
def test_clipping_equals_torchs(limit, kind):
    torch = pytest.importorskip("torch")
    ours, theirs = twins()
    backward(ours, *batches(1)[0]), torch_backward(theirs, *batches(1)[0])
    norm = optimizers.clip_grad_norm(ours.parameters(), limit, kind)
    assert norm == pytest.approx(
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), limit, kind).item(), rel=1e-12
    )
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-10)
    (
        optimizers.clip_grad_value(ours.parameters(), 0.01),
        torch.nn.utils.clip_grad_value_(theirs.parameters(), 0.01),
    )
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-10)


def test_clipping_refuses_a_gradient_that_is_not_finite():
    ours, _ = twins()
    backward(ours, *batches(1)[0])
    g = ours.parameters().dtheta
    g[3] = math.nan
    before = g.copy()
    with pytest.raises(RuntimeError, match="norm is nan; want a finite one"):
        optimizers.clip_grad_norm(ours.parameters(), 1.0, error_if_nonfinite=True)
    np.testing.assert_array_equal(g, before)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda p: optimizers.SGD(p, lr=-1), ValueError, "want a number >= 0"),
        (
            lambda p: optimizers.SGD(p, weight_decay=-1),
            ValueError,
            "weight_decay=-1; want a number >= 0",
        ),
        (lambda p: optimizers.SGD(p, lr=1, nesterov=True), ValueError, "nesterov wants momentum"),
        (lambda p: optimizers.Adam(p, betas=(0.9, 1.0)), ValueError, "betas"),
        (lambda p: optimizers.Lion(p, betas=(0.9, 1.0)), ValueError, "betas"),
        (lambda p: optimizers.RMSprop(p, alpha=1.0), ValueError, "want numbers in"),
        (lambda p: optimizers.Adadelta(p, rho=-0.1), ValueError, "want numbers in"),
        (lambda p: optimizers.Adagrad(p, lr_decay=-1), ValueError, "lr_decay=-1"),
        (lambda p: optimizers.Adafactor(p, beta2_decay=1), ValueError, "want a number <= 0"),
        (lambda p: optimizers.Shampoo(p, eps=0), ValueError, "want a number > 0"),
        (lambda p: optimizers.Muon(p), ValueError, "want matrices, give the others to AdamW"),
        (lambda p: optimizers.Muon(p, adjust_lr_fn="x"), ValueError, "match_rms_adamw"),
        (lambda p: optimizers.LBFGS(p, line_search_fn="armijo"), ValueError, "strong_wolfe"),
        (
            lambda p: optimizers.LBFGS([dict(params=p[:2], lr=2.0), dict(params=p[2:])]),
            ValueError,
            "want one lr",
        ),
        (lambda p: optimizers.SAM(p), TypeError, "want the optimizer that makes the steps"),
        (lambda p: optimizers.SAM(optimizers.SGD(p), rho=-1), ValueError, "rho=-1"),
        (lambda p: optimizers.ScheduleFreeSGD(p, momentum=1.0), ValueError, "want numbers in"),
        (lambda p: optimizers.ScheduleFreeAdamW(p, betas=(0.9, 2)), ValueError, "want numbers in"),
        (
            lambda p: optimizers.SGD([dict(params=p, momentum=0.9)]),
            ValueError,
            "it may set lr and weight_decay",
        ),
        (
            lambda p: optimizers.SGD([dict(params=p), dict(params=p[:1])]),
            ValueError,
            "in two groups",
        ),
        (lambda p: optimizers.SGD([dict(params=p), p[0]]), TypeError, "are mixed"),
        (lambda p: optimizers.SGD([dict(params=p, lr=1.0)], lr=0), ValueError, "groups scale it"),
        (lambda p: optimizers.clip_grad_norm(list(p), 1.0), TypeError, "model.parameters()"),
        (lambda p: optimizers.clip_grad_value(p, 0), ValueError, "want a number > 0"),
        (lambda p: optimizers.Optimizer(p, lr=1).step(), NotImplementedError, "defines no update"),
        (lambda p: optimizers.Adam(p).load_state_dict({}), KeyError, "missing"),
        (lambda p: optimizers.LBFGS(p).load_state_dict({}), KeyError, "missing"),
        (
            lambda p: optimizers.LBFGS(p).load_state_dict(
                optimizers.LBFGS(p).state_dict() | dict(g=np.ones(2))
            ),
            ValueError,
            "g has shape",
        ),
        (
            lambda p: optimizers.Adam(p).load_state_dict(
                dict(t=1, lr=1, m=np.ones(2), v=np.ones(2))
            ),
            ValueError,
            "m has shape",
        ),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(small().parameters())


def test_new_parameters_of_float32_stay_float32():
    with default_dtype("float32"):
        w = layers.Parameter(np.ones(3, "float32"))
    optimizer = optimizers.Adam([w], lr=np.float64(0.1).item())
    w.grad = np.ones(3)
    optimizer.step()
    np.testing.assert_allclose(w.data, 0.9, rtol=1e-6)
    assert w.dtype == "float32"
