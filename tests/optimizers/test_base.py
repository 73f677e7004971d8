"""What all optimizers share: options and groups, state that moves, what is left out of a step, errors."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import Tensor, default_dtype, layers, losses, optimizers
from dlscratch.layers.parameters import Parameters

from .twins import (
    EVERY,
    advance,
    backward,
    batches,
    make,
    run_together,
    small,
    torch_backward,
    trajectory,
    twins,
)

OF_TORCH = "SGD Adagrad RMSprop Adadelta Adam AdamW Adamax NAdam RAdam Adafactor Muon LBFGS".split()


@pytest.mark.parametrize("name", OF_TORCH)
def test_names_and_defaults_are_torchs(name):
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
    choices = OPTIONS[name] | dict(
        lr=(0.01, 0.03), weight_decay=(0.0, 0.1), maximize=(True, True, False)
    )
    options = {key: data.draw(st.sampled_from(values)) for key, values in choices.items()}
    options |= {} if name in ("SGD", "Adafactor") else {"eps": 1e-4}
    assert trajectory(name, options) <= 1e-8


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
    assert type(mine.parameters) is Parameters
    assert len(mine.param_groups) == len(torchs.param_groups) == 3
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
    assert ours[0].weight.grad is None and ours[2].weight.grad.any()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_state_moves_and_the_rest_is_equal_bit_for_bit(name, dtype):
    whole = small().astype(dtype)
    a = make(name, whole.parameters())
    advance(whole, a, batches(6))
    half = small().astype(dtype)
    advance(half, first := make(name, half.parameters()), batches(6)[:3])
    rest = half.copy()
    second = make(name, rest.parameters())
    saved = first.state_dict()
    assert all(isinstance(v, np.ndarray) for v in saved.values())
    second.load_state_dict(saved)
    advance(rest, second, batches(6)[3:])
    assert whole.parameters().theta.dtype == dtype and np.isfinite(whole.parameters().theta).all()
    assert np.array_equal(rest.parameters().theta, whole.parameters().theta) and second.t == a.t
    assert not np.array_equal(half.parameters().theta, whole.parameters().theta)
    vectors = {n: v for n, v in saved.items() if v.size >= 20}  # the others are counts and options
    assert all(v.dtype == dtype for v in vectors.values()), {n: v.dtype for n, v in saved.items()}


@pytest.mark.parametrize("name", EVERY)
def test_learns_and_leaves_frozen_parameters_alone(name):
    x, y = batches(1)[0]
    model = small()
    frozen = model[0].weight
    frozen.requires_grad = False
    before, optimizer = frozen.data.copy(), make(name, model.parameters())
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
    "call, error, message",
    [
        (lambda p: optimizers.SGD(p, lr=-1), ValueError, "expected lr >= 0, got lr=-1"),
        (
            lambda p: optimizers.SGD(p, weight_decay=-1),
            ValueError,
            "expected weight_decay >= 0, got weight_decay=-1",
        ),
        (lambda p: optimizers.SGD(p, lr=1, nesterov=True), ValueError, "nesterov wants momentum"),
        (lambda p: optimizers.Adam(p, betas=(0.9, 1.0)), ValueError, "betas"),
        (lambda p: optimizers.Lion(p, betas=(0.9, 1.0)), ValueError, "betas"),
        (lambda p: optimizers.RMSprop(p, alpha=1.0), ValueError, "expected numbers in"),
        (lambda p: optimizers.Adadelta(p, rho=-0.1), ValueError, "expected numbers in"),
        (lambda p: optimizers.Adagrad(p, lr_decay=-1), ValueError, "lr_decay=-1"),
        (lambda p: optimizers.Adafactor(p, beta2_decay=1), ValueError, "expected beta2_decay <= 0"),
        (lambda p: optimizers.Shampoo(p, eps=0), ValueError, "expected eps > 0"),
        (lambda p: optimizers.Muon(p), ValueError, "expected matrices, .*give the others to AdamW"),
        (lambda p: optimizers.Muon(p, adjust_lr_fn="x"), ValueError, "match_rms_adamw"),
        (lambda p: optimizers.LBFGS(p, line_search_fn="armijo"), ValueError, "strong_wolfe"),
        (
            lambda p: optimizers.LBFGS([dict(params=p[:2], lr=2.0), dict(params=p[2:])]),
            ValueError,
            "want one lr",
        ),
        (lambda p: optimizers.SAM(p), TypeError, "pass the optimizer that makes the steps"),
        (lambda p: optimizers.SAM(optimizers.SGD(p), rho=-1), ValueError, "rho=-1"),
        (lambda p: optimizers.ScheduleFreeSGD(p, momentum=1.0), ValueError, "expected numbers in"),
        (
            lambda p: optimizers.ScheduleFreeAdamW(p, betas=(0.9, 2)),
            ValueError,
            "expected numbers in",
        ),
        (
            lambda p: optimizers.SGD([dict(params=p, momentun=0.9)]),
            ValueError,
            r"a group has \['momentun'\]; expected options of SGD: lr, momentum",
        ),
        (
            lambda p: optimizers.SGD([dict(params=p), dict(params=p[:1])]),
            ValueError,
            "in two groups",
        ),
        (lambda p: optimizers.SGD([dict(params=p), p[0]]), TypeError, "are mixed"),
        (lambda p: optimizers.SGD([dict(params=p, lr=-1.0)]), ValueError, "expected lr >= 0"),
        (lambda p: optimizers.SGD(p, foreach=True), TypeError, "foreach"),
        (lambda p: optimizers.SGD([dict(params=p, foreach=True)]), ValueError, "foreach"),
        (lambda p: optimizers.LBFGS(p).add_param_group(dict(params=p)), ValueError, "one group"),
        (lambda p: optimizers.SGD(p).add_param_group(dict(params=p[0])), ValueError, "two groups"),
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
                optimizers.Adam(p).state_dict() | dict(m=np.ones(2))
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
