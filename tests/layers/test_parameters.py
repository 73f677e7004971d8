"""Parameters: whichever they are, of one model or of several, they read and write as one vector."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import Tensor, optimizers
from dlscratch.lab import curvature, landscape
from dlscratch.layers import Linear, Parameter, Parameters, Sequential, Tanh


def net(rng=0):
    return Sequential(Linear(4, 5, rng=rng), Tanh(), Linear(5, 3, rng=rng + 1)).astype("float64")


def joined(parameters):
    return np.concatenate([p.data.ravel() for p in parameters])


@st.composite
def selections(draw):
    """(models, some of their parameters in any order), packed or not, and a lone parameter."""
    models = [net(10 * i) for i in range(draw(st.integers(1, 3)))]
    for model in models:
        if draw(st.booleans()):
            model.parameters()
    all_of_them = [p for model in models for _, p in model.named_parameters()]
    all_of_them.append(Parameter(np.array(2.0)))
    order = draw(st.permutations(range(len(all_of_them))))
    count = draw(st.integers(1, len(all_of_them)))
    return models, [all_of_them[i] for i in order[:count]]


@given(selections())
@settings(max_examples=40, deadline=None)
def test_any_parameters_read_and_write_as_one_vector(drawn):
    models, chosen = drawn
    others = [p for m in models for _, p in m.named_parameters() if p not in set(chosen)]
    before = [p.data.copy() for p in others]
    parameters = Parameters(chosen, pack=False)
    assert list(parameters) == chosen and parameters.size == sum(p.size for p in chosen)
    np.testing.assert_array_equal(parameters.read(), joined(chosen))
    np.testing.assert_array_equal(parameters.theta, joined(chosen))
    new = np.random.default_rng(0).normal(size=parameters.size)
    parameters.write(new)
    np.testing.assert_array_equal(joined(chosen), new)
    parameters.write_grad(2 * new)
    np.testing.assert_array_equal(np.concatenate([p.grad.ravel() for p in chosen]), 2 * new)
    np.testing.assert_array_equal(parameters.read_grad(), 2 * new)
    for g in parameters.gradients():
        g *= 0.5
    np.testing.assert_array_equal(parameters.dtheta, new)
    parameters.zero_grad()
    assert all(p.grad is None for p in chosen) and not parameters.dtheta.any()
    for p, x in zip(others, before, strict=True):
        np.testing.assert_array_equal(p.data, x)


@given(selections(), st.sampled_from(["SGD", "Adam", "LAMB", "SAM"]))
@settings(max_examples=25, deadline=None)
def test_training_any_parameters_equals_training_them_one_by_one(drawn, name):
    """One optimizer of all against one for each; clipping sees them as one vector."""
    _, chosen = drawn
    twins = [Parameter(p.data) for p in chosen]
    options = dict(lr=0.1, weight_decay=0.1)

    def make(parameters):
        if name == "SAM":
            return optimizers.SAM(optimizers.SGD(parameters, **options), rho=0.0)
        return getattr(optimizers, name)(parameters, **options)

    ours = make(chosen)
    theirs = [make([p]) for p in twins]
    rng = np.random.default_rng(0)
    for _ in range(3):
        G = [rng.normal(size=p.shape) for p in chosen]
        size = np.sqrt(sum(np.sum(g * g) for g in G))

        def give(G=G):
            for p, g in zip(chosen, G, strict=True):
                p.grad = g
            optimizers.clip_grad_norm_(ours.parameters, 1.0)
            for p, g in zip(twins, G, strict=True):
                p.grad = g * min(1.0, 1 / (size + 1e-6))

        for optimizer in (ours, *theirs):
            optimizer.step(give)
    for p, q in zip(chosen, twins, strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-9, atol=1e-12)


@given(selections())
@settings(max_examples=25, deadline=None)
def test_averages_of_any_parameters_go_in_and_out_without_a_trace(drawn):
    _, chosen = drawn
    average = optimizers.SWA(chosen)
    start = joined(chosen)
    for shift in (0.0, 1.0, 5.0):
        average.parameters.write(start + shift)
        average.update()
    with average.swapped():
        np.testing.assert_allclose(joined(chosen), start + 2, rtol=1e-12)
    np.testing.assert_array_equal(joined(chosen), start + 5)


def test_getters_change_nothing():
    model = net()
    parts = [model[0].bias, model[2].weight]
    some = Parameters(parts, pack=False)
    homes = [p._vectors for p in parts]
    for _ in range(2):
        some.theta, some.dtheta, some.read(), some.stretches(), some.gradients(), some.size
    assert [p._vectors for p in parts] == homes and model[0].weight._vectors is None
    whole = model.parameters()
    memory = whole.theta
    assert model.parameters().theta.base is memory.base
    some.theta, model[2].parameters().theta, Parameters(parts, pack=False).theta
    assert all(np.shares_memory(p.data, memory) for p in model.parameters())


def test_what_cannot_be_written_says_so():
    model = net()
    model.parameters()
    some = Parameters([model[0].bias, model[2].bias], pack=False)
    for vector in (some.theta, some.dtheta):
        with pytest.raises(ValueError, match="read-only"):
            vector[...] = 1
    for write in (some.write, some.write_grad):
        with pytest.raises(ValueError, match=r"expected shape \(8,\).*got \(3,\)"):
            write(np.ones(3))


def test_stale_parameters_say_so():
    model = net()
    parameters = model.parameters()
    average = optimizers.SWA(parameters)
    model.astype("float32")
    for use in (lambda: parameters.theta, parameters.zero_grad, average.update):
        with pytest.raises(RuntimeError, match="has left its vector .*make .* anew"):
            use()
    model = net()
    parameters = model.parameters()
    model[0].extra = Parameter(np.ones(2))
    model.parameters()
    with pytest.raises(RuntimeError, match="make the optimizer after the model is complete"):
        parameters.read()


def test_some_parameters_survive_the_packing_of_their_model():
    model = net()
    some = optimizers.SGD([model[0].weight, model[2].weight], lr=1.0)
    before = joined(some.parameters)
    model.parameters()
    np.sum(model(Tensor(np.ones((2, 4))))).backward()
    g = np.concatenate([model[0].weight.grad.ravel(), model[2].weight.grad.ravel()])
    some.step()
    np.testing.assert_allclose(joined(some.parameters), before - g, rtol=1e-12)


def test_a_gradient_is_none_until_one_arrives():
    model = net()
    parameters = model.parameters()
    assert all(p.grad is None for p in parameters) and not parameters.dtheta.any()
    np.sum(model[2](Tensor(np.ones((2, 5))))).backward()
    assert model[0].weight.grad is None and np.shares_memory(model[2].bias.grad, parameters.dtheta)
    np.sum(model[2](Tensor(np.ones((2, 5))))).backward()
    assert model[2].bias.grad.tolist() == [4, 4, 4], "two of them are summed"
    parameters.zero_grad(set_to_none=False)
    assert model[0].weight.grad is None and model[2].bias.grad.tolist() == [0, 0, 0]
    parameters.zero_grad()
    assert model[2].bias.grad is None
    model[0].bias.grad = 3.0
    assert model[0].bias.grad.tolist() == [3] * 5 and parameters.dtheta.sum() == 15
    model[0].bias.grad = None
    assert model[0].bias.grad is None and not parameters.dtheta.any()


def test_packing_keeps_numbers_gradients_and_copies_apart():
    model = net()
    np.sum(model[2](Tensor(np.ones((2, 5))))).backward()
    held = joined(p for _, p in model.named_parameters())
    parameters = model.parameters()
    assert np.array_equal(parameters.theta, held)
    assert model[0].bias.grad is None and model[2].bias.grad.tolist() == [2, 2, 2]
    assert np.shares_memory(model[2].bias.grad, parameters.dtheta)
    twin = copy.deepcopy(model[2].bias)
    twin.data = np.zeros(3)
    assert twin.grad is None and np.array_equal(parameters.theta, held)


def test_landscapes_and_curvature_of_some_parameters():
    model = net()
    model.parameters()
    some = Parameters([model[2].bias, model[0].bias], pack=False)
    x = Tensor(np.ones((2, 4)))
    loss = lambda: np.sum(np.square(model(x)))
    before = joined(model.parameters())
    direction = np.ones(8)
    steps = np.linspace(-0.5, 0.5, 5)
    found = landscape.slice_along(loss, some, direction, steps)
    np.testing.assert_array_equal(joined(model.parameters()), before)
    start = some.read()
    for t, value in zip(steps, found, strict=True):
        some.write(start + t * direction)
        assert float(loss()) == pytest.approx(value, rel=1e-12)
    some.write(start)
    h = 1e-4
    ends = [landscape.slice_along(loss, some, direction, [t])[0] for t in (-h, 0, h)]
    second = (ends[0] - 2 * ends[1] + ends[2]) / h**2
    Hv = curvature.hessian_product(loss, some)(direction)
    assert direction @ Hv == pytest.approx(second, rel=1e-4)
