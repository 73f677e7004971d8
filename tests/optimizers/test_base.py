"""What all optimizers share: options, groups, state that moves, what stays, errors."""

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


class Parts(layers.Module):
    """A network that uses its second part, a layer of as many numbers as it, only when asked to."""

    def __init__(self):
        self.first = small()
        self.second = layers.Linear(3, 3, rng=5).astype("float64")

    def forward(self, x, both):
        y = self.first(x)
        return self.second(y) if both else y


def numbers_and_state(optimizer, parameters):
    """Copies of all that a step may change, of these parameters."""
    inner = optimizer.optimizer if isinstance(optimizer, optimizers.SAM) else optimizer
    held = [
        (p.data.copy(), {k: v.copy() for k, v in inner.state.get(p, {}).items()})
        for p in parameters
    ]
    counts = dict(zip(map(id, inner.parameters), inner._counts, strict=True))
    return held, [counts.get(id(p)) for p in parameters]


def same(a, b):
    np.testing.assert_equal(a, b)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("name", EVERY)
def test_what_got_no_gradient_stays_with_its_state(name, frozen):
    """With decay and momentum; with an earlier step, so that there is state."""
    model = Parts()
    decay = {} if name == "LBFGS" else dict(weight_decay=0.1)
    optimizer = make(name, model.parameters(), **decay)

    def step(both, seed):
        (x, y), *_ = batches(1, seed)

        def closure():
            optimizer.zero_grad()
            loss = losses.cross_entropy(model(Tensor(x), both), y)
            loss.backward()
            return loss

        optimizer.step(closure)

    rest = list(model.second.parameters())
    used = model.first[0].weight
    for both in (True, False, True):
        if frozen:
            for p in rest:
                p.requires_grad = both
        before = numbers_and_state(optimizer, rest)
        moved = used.data.copy()
        step(both or frozen, seed=int(both))
        assert not np.array_equal(used.data, moved)
        if both:
            assert not np.array_equal(rest[0].data, before[0][0][0])
        else:
            same(numbers_and_state(optimizer, rest), before)


SKIPPING = {
    "SGD": dict(lr=0.1, momentum=0.9, weight_decay=0.1, nesterov=True),
    "Adagrad": dict(lr=0.1, lr_decay=0.1, weight_decay=0.1),
    "RMSprop": dict(momentum=0.5, centered=True, weight_decay=0.1, eps=1e-3),
    "Adadelta": dict(weight_decay=0.1, eps=1e-3),
    "Adam": dict(amsgrad=True, weight_decay=0.1, eps=1e-4),
    "AdamW": dict(weight_decay=0.3, eps=1e-4),
    "Adamax": dict(weight_decay=0.1, eps=1e-3),
    "NAdam": dict(weight_decay=0.1, eps=1e-4),
    "RAdam": dict(weight_decay=0.1, eps=1e-4, betas=(0.8, 0.9)),
    "Adafactor": dict(weight_decay=0.1),
    "Muon": {},
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", SKIPPING)
def test_parameters_that_take_turns_equal_torchs(name, seed, monkeypatch):
    """Each has a gradient in a third of the steps; its count of steps is then its own, too."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)  # of PyTorch's Muon
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        rng = np.random.default_rng(seed)
        shapes = [(3, 4), (4, 3), (2, 2)] if name == "Muon" else [(3, 4), (3,), (), (2, 3, 2), (5,)]
        start = [rng.normal(size=s) for s in shapes]
        ours = [layers.Parameter(x) for x in start]
        theirs = [torch.nn.Parameter(torch.tensor(x)) for x in start]
        mine = getattr(optimizers, name)(ours, **SKIPPING[name])
        other = getattr(torch.optim, name)(theirs, **SKIPPING[name])
        for _ in range(40):
            mine.zero_grad(), other.zero_grad()
            for p, q in zip(ours, theirs, strict=True):
                if rng.random() < 1 / 3:
                    g = rng.normal(size=p.shape)
                    p.grad = g
                    q.grad = torch.tensor(g)
            mine.step(), other.step()
            for p, q in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-8, atol=1e-10)
    finally:
        torch.set_default_dtype(default)


OWN = {  # a group's own options
    "SGD": dict(momentum=0.5, nesterov=True, weight_decay=0.2),
    "Adagrad": dict(lr_decay=0.3, eps=1e-3),
    "RMSprop": dict(alpha=0.5, centered=True, momentum=0.3, eps=1e-3),
    "Adadelta": dict(rho=0.5, lr=0.3, eps=1e-3),
    "Adam": dict(betas=(0.5, 0.8), amsgrad=True, eps=1e-4),
    "AdamW": dict(betas=(0.5, 0.8), weight_decay=0.0, maximize=True, eps=1e-4),
    "Adamax": dict(betas=(0.5, 0.8), eps=1e-3),
    "NAdam": dict(momentum_decay=0.1, decoupled_weight_decay=True, eps=1e-4),
    "RAdam": dict(betas=(0.5, 0.8), eps=1e-4),
    "Adafactor": dict(d=2.0, beta2_decay=-0.5),
}


@pytest.mark.parametrize("name", OWN)
def test_groups_may_have_any_option_and_may_come_later(name):
    torch = pytest.importorskip("torch")
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        ours, theirs = twins()
        mine = getattr(optimizers, name)([dict(params=ours[0].parameters(), **OWN[name])], lr=0.02)
        other = getattr(torch.optim, name)(
            [dict(params=theirs[0].parameters(), **OWN[name])], lr=0.02
        )

        def after(i):
            if i == 5:
                mine.add_param_group(dict(params=ours[2].weight, lr=0.01))
                other.add_param_group(dict(params=theirs[2].weight, lr=0.01))
            if i == 10:
                mine.param_groups[1]["lr"] = np.float64(0.05)
                other.param_groups[1]["lr"] = 0.05

        assert run_together(ours, theirs, [mine], [other], after, steps=40) <= 1e-8
        assert [list(g) for g in mine.param_groups] == [
            [k for k in g if k in mine.param_groups[0]] for g in mine.param_groups
        ]
        for a, b in zip(mine.param_groups, other.param_groups, strict=True):
            assert {k: a[k] for k in a if k != "params"} == {k: b[k] for k in a if k != "params"}
    finally:
        torch.set_default_dtype(default)


AS_NUMPY = lambda v: tuple(map(AS_NUMPY, v)) if isinstance(v, tuple) else np.float64(v)


@pytest.mark.parametrize("name", EVERY)
def test_options_from_numpy_leave_float32_as_it_is(name):
    """Given at first or set later; and the numbers are those that Python's give."""
    plain, of_numpy = small().astype("float32"), small().astype("float32")
    a = make(name, plain.parameters())
    defaults = (a.optimizer if name == "SAM" else a).defaults
    floats = {
        k: AS_NUMPY(v)
        for k, v in defaults.items()
        if isinstance(v, float) or isinstance(v, tuple) and None not in v
    }
    b = make(name, of_numpy.parameters(), **floats)
    for i, batch in enumerate(batches(4)):
        if i == 2:
            for group in b.param_groups:
                group |= floats
        advance(plain, a, [batch])
        advance(of_numpy, b, [batch])
    assert all(p.dtype == p.grad.dtype == "float32" for p in of_numpy.parameters())
    assert np.array_equal(plain.parameters().theta, of_numpy.parameters().theta)
    big = {n: v for n, v in b.state_dict().items() if v.size >= 20}
    assert all(v.dtype == "float32" for v in big.values())


def test_state_of_groups_moves_bit_for_bit():
    """Options of groups, counts of parameters that take turns, a group that came later."""

    def fresh(lr):
        model = Parts()
        optimizer = optimizers.Adam([dict(params=model.first.parameters(), betas=(0.5, 0.6))], lr)
        optimizer.add_param_group(dict(params=model.second.parameters(), weight_decay=0.3))
        return model, optimizer

    def run(model, optimizer, steps):
        for i, (x, y) in enumerate(batches(8)):
            if i in steps:
                optimizer.zero_grad()
                losses.cross_entropy(model(Tensor(x), i % 3 == 0), y).backward()
                optimizer.step()

    whole, a = fresh(0.01)
    a.param_groups[1]["lr"] = 0.03
    run(whole, a, range(4))
    rest, b = fresh(0.5)
    rest.load_state_dict(whole.state_dict())
    b.load_state_dict(a.state_dict())
    assert [g["lr"] for g in b.param_groups] == [0.01, 0.03]
    run(whole, a, range(4, 8))
    run(rest, b, range(4, 8))
    assert np.array_equal(whole.parameters().theta, rest.parameters().theta)
    same(a.state_dict(), b.state_dict())


def test_a_state_of_another_optimizer_changes_nothing():
    model = small()
    optimizer = optimizers.Adam(model.parameters())
    advance(model, optimizer, batches(2))
    before = optimizer.state_dict()
    for wrong in (dict(m=np.ones(2)), dict(step=np.ones(9)), dict(lr=np.ones(2))):
        with pytest.raises(ValueError, match="has shape"):
            optimizer.load_state_dict(before | wrong)
    same(optimizer.state_dict(), before)


def test_zero_grad_is_torchs():
    torch = pytest.importorskip("torch")
    ours, theirs = twins()
    mine = optimizers.SGD(ours.parameters(), 0.1, momentum=0.9)
    other = torch.optim.SGD(theirs.parameters(), 0.1, momentum=0.9)
    backward(ours, *batches(1)[0]), torch_backward(theirs, *batches(1)[0])
    mine.step(), other.step()
    for set_to_none in (False, True):  # zeros are gradients, and momentum moves on; None are not
        mine.zero_grad(set_to_none=set_to_none), other.zero_grad(set_to_none=set_to_none)
        mine.step(), other.step()
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-12)
            assert (p.grad is None) == (q.grad is None) == set_to_none


def test_gradients_written_past_the_parameters_are_refused():
    model = small()
    optimizer = optimizers.SGD(model.parameters(), 0.1)
    model.parameters().dtheta[...] = 1
    with pytest.raises(RuntimeError, match="set p.grad, or all by parameters.write_grad"):
        optimizer.step()
    before = model.parameters().theta.copy()
    model.parameters().write_grad(np.ones(before.size))
    optimizer.step()
    np.testing.assert_allclose(model.parameters().theta, before - 0.1, rtol=1e-12)


def test_new_parameters_of_float32_stay_float32():
    with default_dtype("float32"):
        w = layers.Parameter(np.ones(3, "float32"))
    optimizer = optimizers.Adam([w], lr=np.float64(0.1).item())
    w.grad = np.ones(3)
    optimizer.step()
    np.testing.assert_allclose(w.data, 0.9, rtol=1e-6)
    assert w.dtype == "float32"
