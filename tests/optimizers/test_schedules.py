"""Schedules give PyTorch's learning rates, and continue where they were saved."""

import math
import re

import numpy as np
import pytest

from dlscratch import optimizers

from .twins import run_together, small, twins

CASES = [
    ("StepLR", dict(step_size=7)),
    ("StepLR", dict(step_size=3, gamma=0.9)),
    ("MultiStepLR", dict(milestones=[50, 10, 10, 80], gamma=0.5)),
    ("ExponentialLR", dict(gamma=0.97)),
    ("CosineAnnealingLR", dict(T_max=30)),
    ("CosineAnnealingLR", dict(T_max=100, eta_min=0.01)),
    ("CosineAnnealingWarmRestarts", dict(T_0=9)),
    ("CosineAnnealingWarmRestarts", dict(T_0=5, T_mult=2, eta_min=0.01)),
    ("OneCycleLR", dict(max_lr=0.5, total_steps=100)),
    ("OneCycleLR", dict(max_lr=0.5, total_steps=100, three_phase=True)),
    (
        "OneCycleLR",
        dict(
            max_lr=0.5,
            total_steps=120,
            pct_start=0.4,
            anneal_strategy="linear",
            div_factor=10.0,
            base_momentum=0.7,
        ),
    ),
    ("OneCycleLR", dict(max_lr=0.5, total_steps=100, pct_start=0.25, cycle_momentum=False)),
    ("PolynomialLR", dict(total_iters=80, power=2.0)),
    ("PolynomialLR", {}),
    ("OneCycleLR", dict(max_lr=0.5, epochs=25, steps_per_epoch=4)),
    ("SWALR", dict(swa_lr=0.3)),
    ("SWALR", dict(swa_lr=0.01, anneal_epochs=37, anneal_strategy="linear")),
    ("SWALR", dict(swa_lr=0.02, anneal_epochs=0)),
    ("LinearLR", {}),
    ("LinearLR", dict(start_factor=0.01, total_iters=60)),
    ("LinearLR", dict(start_factor=1.0, end_factor=0.1)),
    ("LambdaLR", dict(lr_lambda=lambda t: 1 / (1 + t))),
    ("LambdaLR", dict(lr_lambda=[lambda t: 0.95**t])),
    ("MultiplicativeLR", dict(lr_lambda=lambda t: 1 - 1 / (t + 3))),
    ("ConstantLR", {}),
    ("ConstantLR", dict(factor=0.5, total_iters=40)),
]


def without_addresses(value):
    """A case's name, which must be the same in every process: functions print their address."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))


def twin(name):
    import torch

    return getattr(torch.optim.swa_utils if name == "SWALR" else torch.optim.lr_scheduler, name)


@pytest.mark.parametrize("name, options", CASES, ids=without_addresses)
@pytest.mark.parametrize("rule", ["SGD", "Adam"])
def test_learning_rates_and_trajectories_equal_torchs(name, options, rule):
    torch = pytest.importorskip("torch")
    ours, theirs = twins()
    settings = dict(lr=0.1, momentum=0.9) if rule == "SGD" else dict(lr=0.01)
    mine, other = (
        getattr(optimizers, rule)(ours.parameters(), **settings),
        getattr(torch.optim, rule)(theirs.parameters(), **settings),
    )
    a, b = getattr(optimizers, name)(mine, **options), twin(name)(other, **options)

    def after(i):
        group = other.param_groups[0]
        a.step(), b.step()
        assert mine.lr == pytest.approx(group["lr"], rel=1e-8, abs=1e-12), i
        if rule == "SGD":
            assert mine.param_groups[0]["momentum"] == pytest.approx(group["momentum"], rel=1e-12)
        else:
            assert mine.param_groups[0]["betas"] == pytest.approx(group["betas"], rel=1e-12)

    assert mine.lr == pytest.approx(other.param_groups[0]["lr"], rel=1e-12)
    assert run_together(ours, theirs, [mine], [other], after) <= 1e-8


@pytest.mark.parametrize(
    "name", sorted({name for name, _ in CASES} | {"ReduceLROnPlateau", "SequentialLR"})
)
def test_names_and_defaults_are_torchs(name):
    import inspect

    pytest.importorskip("torch")
    ours, theirs = (
        inspect.signature(schedule).parameters
        for schedule in (getattr(optimizers, name), twin(name))
    )
    assert list(theirs) == list(ours)
    for parameter, value in ours.items():
        assert value.default == theirs[parameter].default, parameter


@pytest.mark.parametrize("name, options", CASES, ids=without_addresses)
def test_last_epoch_goes_on_where_another_schedule_was(name, options):
    """As if not interrupted, and as in PyTorch, whose warm restarts forget their cycle's length."""
    torch = pytest.importorskip("torch")
    ours, theirs = twins()
    whole, mine = (optimizers.SGD(small().parameters(), lr=0.1, momentum=0.9) for _ in range(2))
    other = torch.optim.SGD(theirs.parameters(), lr=0.1, momentum=0.9)
    make = getattr(optimizers, name)
    uninterrupted, a, b = (
        make(whole, **options),
        make(mine, **options),
        twin(name)(other, **options),
    )
    for _ in range(20):
        other.step(), uninterrupted.step(), a.step(), b.step()
    a, b = make(mine, **options, last_epoch=19), twin(name)(other, **options, last_epoch=19)
    for t in range(20, 90):
        if name != "SWALR":
            assert mine.lr == pytest.approx(whole.lr, rel=1e-12)
            assert mine.param_groups[0]["momentum"] == whole.param_groups[0]["momentum"]
        if name != "CosineAnnealingWarmRestarts":
            assert mine.lr == pytest.approx(other.param_groups[0]["lr"], rel=1e-8, abs=1e-12), t
        other.step(), uninterrupted.step(), a.step(), b.step()


def test_averaging_begins_where_another_schedule_has_come_to():
    """PyTorch's recipe: both are made before training, then one moves, then the other."""
    torch = pytest.importorskip("torch")
    ours, theirs = twins()
    mine, other = (
        optimizers.SGD(ours.parameters(), lr=0.1),
        torch.optim.SGD(theirs.parameters(), lr=0.1),
    )
    a = optimizers.ExponentialLR(mine, 0.9), optimizers.SWALR(mine, 0.05, 7)
    b = (
        torch.optim.lr_scheduler.ExponentialLR(other, 0.9),
        torch.optim.swa_utils.SWALR(other, 0.05, 7),
    )
    for t in range(25):
        assert mine.lr == pytest.approx(other.param_groups[0]["lr"], rel=1e-12), t
        a[1].load_state_dict(a[1].state_dict())  # before its first step it changes nothing
        other.step(), a[t >= 10].step(), b[t >= 10].step()


def test_a_sequence_equals_torchs():
    torch = pytest.importorskip("torch")
    ours, theirs = twins()
    mine, other = (
        optimizers.SGD(ours.parameters(), lr=0.1),
        torch.optim.SGD(theirs.parameters(), lr=0.1),
    )

    def sequence(module, o):
        parts = [
            module.LinearLR(o, start_factor=0.1, total_iters=10),
            module.CosineAnnealingLR(o, T_max=30),
            module.ExponentialLR(o, 0.9),
        ]
        return module.SequentialLR(o, parts, milestones=[10, 40])

    a, b = sequence(optimizers, mine), sequence(torch.optim.lr_scheduler, other)
    for i in range(100):
        assert mine.lr == pytest.approx(other.param_groups[0]["lr"], rel=1e-8, abs=1e-12), i
        other.step(), a.step(), b.step()


def test_a_chain_equals_torchs():
    torch = pytest.importorskip("torch")
    ours, theirs = twins()
    mine, other = (
        o([dict(params=m[0].parameters(), lr=0.2), dict(params=m[2].parameters())], lr=0.1)
        for m, o in ((ours, optimizers.SGD), (theirs, torch.optim.SGD))
    )

    def chain(module, o):
        rates = [lambda t: 1 / (1 + t), lambda t: 0.97**t]
        return module.ChainedScheduler(
            [module.ConstantLR(o, 0.5, 8), module.ExponentialLR(o, 0.95), module.LambdaLR(o, rates)]
        )

    def torch_chain(o):  # its LambdaLR is no factor of the others: it sets base λ(t) anew
        parts = torch.optim.lr_scheduler
        return parts.ChainedScheduler([parts.ConstantLR(o, 0.5, 8), parts.ExponentialLR(o, 0.95)])

    a, b = chain(optimizers, mine), torch_chain(other)
    for t in range(30):
        lambdas = (1 / (1 + t), 0.97**t)
        for group, theirs_group, factor in zip(mine.param_groups, other.param_groups, lambdas):
            assert group["lr"] == pytest.approx(theirs_group["lr"] * factor, rel=1e-9), t
        other.step(), a.step(), b.step()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda o, other: optimizers.ChainedScheduler([]), "at least one"),
        (
            lambda o, other: optimizers.ChainedScheduler([optimizers.OneCycleLR(o, 1.0, 5)]),
            "base times a factor, got OneCycleLR",
        ),
        (
            lambda o, other: optimizers.ChainedScheduler(
                [optimizers.ExponentialLR(o, 0.9), optimizers.ExponentialLR(other, 0.9)]
            ),
            "optimizer",
        ),
    ],
    ids=["none", "no factor", "two optimizers"],
)
def test_what_makes_no_chain(make, message):
    first, second = (optimizers.SGD(small().parameters(), lr=0.1) for _ in range(2))
    with pytest.raises(ValueError, match=message):
        make(first, second)


@pytest.mark.parametrize(
    "options",
    [
        {},
        dict(patience=2, factor=0.5, cooldown=3),
        dict(mode="max", patience=1, factor=0.7),
        dict(threshold_mode="abs", threshold=0.1, patience=3),
        dict(mode="max", threshold_mode="abs", threshold=0.05, patience=0, min_lr=1e-3),
        dict(patience=0, factor=0.5, eps=1e-3),
    ],
    ids=str,
)
def test_reduce_on_plateau_equals_torchs(options):
    torch = pytest.importorskip("torch")
    ours, theirs = twins()
    mine, other = (
        optimizers.SGD(ours.parameters(), lr=0.1),
        torch.optim.SGD(theirs.parameters(), lr=0.1),
    )
    a, b = (
        optimizers.ReduceLROnPlateau(mine, **options),
        torch.optim.lr_scheduler.ReduceLROnPlateau(other, **options),
    )
    rng, values = np.random.default_rng(0), []
    for i in range(100):
        metric = math.exp(-i / 30) + 0.1 * rng.normal()
        a.step(metric), b.step(metric)
        values.append(mine.lr)
        assert mine.lr == pytest.approx(other.param_groups[0]["lr"], rel=1e-12)
    assert len(set(values)) > 1


def test_groups_follow_in_proportion():
    torch = pytest.importorskip("torch")
    ours, theirs = twins()
    mine, other = (
        o([dict(params=m[0].parameters(), lr=0.2), dict(params=m[2].parameters())], lr=0.1)
        for m, o in ((ours, optimizers.SGD), (theirs, torch.optim.SGD))
    )
    a, b = optimizers.PolynomialLR(mine, 60), torch.optim.lr_scheduler.PolynomialLR(other, 60)
    assert run_together(ours, theirs, [mine], [other], lambda i: (a.step(), b.step())) <= 1e-8


def test_warmup_stable_decay():
    optimizer = optimizers.SGD(small().parameters(), lr=0.5)
    schedule = optimizers.WSD(optimizer, warmup=10, stable=50, decay=20, final_factor=0.1)
    corners = [(0, 0.05), (9, 0.5), (60, 0.5), (80, 0.05), (200, 0.05)]
    wanted = np.interp(
        np.arange(100), *zip(*corners, strict=True)
    )  # straight lines between the corners
    for t in range(100):
        assert optimizer.lr == pytest.approx(wanted[t], rel=1e-12), t
        schedule.step()
    optimizers.WSD(
        other := optimizers.SGD(small().parameters(), lr=0.5), warmup=0, stable=0, decay=4
    )
    assert other.lr == 0.5


MAKE = {
    "StepLR": lambda o: optimizers.StepLR(o, 3),
    "SWALR": lambda o: optimizers.SWALR(o, 0.5),
    "OneCycleLR": lambda o: optimizers.OneCycleLR(o, 1.0, 50),
    "SequentialLR": lambda o: optimizers.SequentialLR(
        o, [optimizers.LinearLR(o), optimizers.ExponentialLR(o, 0.9)], [4]
    ),
    "ReduceLROnPlateau": lambda o: optimizers.ReduceLROnPlateau(o, patience=1),
}


@pytest.mark.parametrize("name", MAKE)
def test_state_moves(name):
    first, second = (optimizers.SGD(small().parameters(), lr=lr, momentum=0.9) for lr in (0.1, 0.7))
    a, b = MAKE[name](first), MAKE[name](second)
    metric = (1.0,) if name == "ReduceLROnPlateau" else ()
    for _ in range(7):
        a.step(*metric)
    second.load_state_dict(first.state_dict()), b.load_state_dict(a.state_dict())
    assert second.lr == first.lr
    assert second.param_groups[0]["momentum"] == first.param_groups[0]["momentum"]
    for _ in range(7):
        a.step(*metric), b.step(*metric)
        assert second.lr == first.lr and a.t == b.t
    with pytest.raises(KeyError, match="expected"):
        b.load_state_dict({})


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda o: optimizers.StepLR(o, 0), "StepLR: expected step_size >= 1, got 0"),
        (lambda o: optimizers.ExponentialLR(o, 0), "gamma > 0"),
        (lambda o: optimizers.MultiStepLR(o, [-1]), "milestones >= 0"),
        (lambda o: optimizers.PolynomialLR(o, 0), "total_iters >= 1"),
        (lambda o: optimizers.LinearLR(o, start_factor=0.0), "factors in"),
        (lambda o: optimizers.LinearLR(o, total_iters=0), "total_iters >= 1"),
        (lambda o: optimizers.CosineAnnealingLR(o, 0), "T_max >= 1"),
        (lambda o: optimizers.CosineAnnealingWarmRestarts(o, 5, 0), "T_0 and T_mult"),
        (lambda o: optimizers.OneCycleLR(o, 1.0, 0), "total_steps >= 1"),
        (
            lambda o: optimizers.OneCycleLR(o, 1.0, epochs=3),
            "total_steps, or epochs and steps_per_epoch",
        ),
        (lambda o: optimizers.SWALR(o, -1.0), "swa_lr >= 0"),
        (lambda o: optimizers.SWALR(o, 1.0, anneal_strategy="x"), "'cos' or 'linear'"),
        (
            lambda o: optimizers.StepLR(o, 3, last_epoch=4),
            "without initial_lr, got 4; set group",
        ),
        (lambda o: optimizers.OneCycleLR(o, 1.0, 9, anneal_strategy="x"), "'cos' or 'linear'"),
        (
            lambda o: optimizers.OneCycleLR(optimizers.Adagrad(small().parameters()), 1.0, 9),
            "has no momentum",
        ),
        (
            lambda o: [s := optimizers.OneCycleLR(o, 1.0, 1), s.step(), s.step()],
            "at most total_steps=1 steps, got 2",
        ),
        (lambda o: optimizers.WSD(o, 1, 1, 0), "decay >= 1"),
        (
            lambda o: optimizers.SequentialLR(o, [optimizers.StepLR(o, 1)], [3]),
            "0 milestones, got 1",
        ),
        (
            lambda o: optimizers.SequentialLR(
                o, [optimizers.StepLR(optimizers.SGD(small().parameters()), 1)], []
            ),
            "the same optimizer",
        ),
        (
            lambda o: optimizers.SequentialLR(o, [optimizers.ReduceLROnPlateau(o)], []),
            "a function of t",
        ),
        (lambda o: optimizers.SequentialLR(o, [optimizers.SWALR(o, 0.1)], []), "a function of t"),
        (lambda o: optimizers.ReduceLROnPlateau(o, mode="best"), "min or max"),
        (lambda o: optimizers.ReduceLROnPlateau(o, factor=1.0), "factor < 1"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call(optimizers.SGD(small().parameters(), lr=0.1, momentum=0.9))


def test_a_schedule_without_a_formula_says_so():
    with pytest.raises(NotImplementedError, match="defines no lr"):
        optimizers.Schedule(optimizers.SGD(small().parameters()))
