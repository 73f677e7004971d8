"""Averages of the weights are PyTorch's, and go in and out of the model without a trace."""

import numpy as np
import pytest

from dlscratch import layers, optimizers

from .twins import batches, run_together, small, twins


@pytest.mark.parametrize("name", ["EMA", "SWA"])
def test_averages_equal_torchs(name):
    torch = pytest.importorskip("torch")
    from torch.optim import swa_utils

    ours, theirs = twins()
    mine, other = (
        optimizers.SGD(ours.parameters(), lr=0.3),
        torch.optim.SGD(theirs.parameters(), lr=0.3),
    )
    average = (
        optimizers.EMA(ours.parameters(), 0.9)
        if name == "EMA"
        else optimizers.SWA(ours.parameters())
    )
    rule = (
        swa_utils.get_ema_avg_fn(0.9) if name == "EMA" else swa_utils.get_swa_avg_fn()
    )  # its default divides in float32
    twin, errors = swa_utils.AveragedModel(theirs, avg_fn=rule), []

    def after(i):
        average.update(), twin.update_parameters(theirs)
        vector = np.concatenate([p.detach().numpy().ravel() for p in twin.module.parameters()])
        errors.append(np.max(np.abs(average.x - vector)) / np.max(np.abs(vector)))

    assert run_together(ours, theirs, [mine], [other], after) <= 1e-8 and max(errors) <= 1e-8
    theta = ours.parameters().theta.copy()
    x = np.random.default_rng(0).normal(size=(4, 6))
    with average.swapped():
        np.testing.assert_allclose(ours(x).data, twin(torch.tensor(x)).detach().numpy(), rtol=1e-8)
        assert not np.array_equal(ours.parameters().theta, theta)
    assert np.array_equal(ours.parameters().theta, theta)


def test_an_error_inside_puts_theta_back():
    model = small()
    average, theta = optimizers.SWA(model.parameters()), model.parameters().theta
    average.update()
    theta += 1
    held = theta.copy()
    with pytest.raises(KeyError), average.swapped():
        raise KeyError
    assert np.array_equal(theta, held)


@pytest.mark.parametrize("make", [optimizers.SWA, lambda p: optimizers.EMA(p, 0.5)])
def test_state_moves(make):
    model = small()
    a, b = make(model.parameters()), make(model.copy().parameters())
    for _ in range(3):
        model.parameters().theta[...] += 1
        a.update()
    b.load_state_dict(a.state_dict())
    assert b.n == 3 and np.array_equal(a.x, b.x) and a.x is not b.x
    with pytest.raises(ValueError, match="x has shape"):
        b.load_state_dict(dict(n=1, x=np.ones(2)))


@pytest.mark.parametrize(
    "make", [optimizers.EMA, lambda p, decay: optimizers.get_ema_avg_fn(decay)]
)
def test_bad_decay(make):
    with pytest.raises(ValueError, match="expected a number in"):
        make(small().parameters(), 1.1)


def with_norm():
    """Ours and PyTorch's network with BatchNorm, with the same weights."""
    nn = pytest.importorskip("torch").nn
    ours = layers.Sequential(
        layers.Linear(6, 5, rng=0), layers.BatchNorm1d(5), layers.ReLU(), layers.Linear(5, 3, rng=1)
    ).astype("float64")
    theirs = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3)).double()
    move(ours, theirs)
    return ours, theirs


def move(ours, theirs):
    import torch

    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})


def apart(ours, theirs, but="nothing"):
    """The largest difference of two states, which must have the same names."""
    a, b = ours.state_dict(), theirs.state_dict()
    assert sorted(a) == sorted(b)
    return max(float(np.max(np.abs(a[k] - b[k].numpy()))) for k in b if not k.endswith(but))


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize("rule", ["ema", "swa", None])
def test_averaged_models_and_their_norms_equal_torchs(rule, use_buffers):
    torch = pytest.importorskip("torch")
    from torch.optim import swa_utils

    ours, theirs = with_norm()
    fn = {
        "ema": lambda m: m.get_ema_avg_fn(0.9),
        "swa": lambda m: m.get_swa_avg_fn(),
        None: lambda m: None,
    }[rule]
    average, twin = (
        optimizers.AveragedModel(ours, fn(optimizers), use_buffers),
        swa_utils.AveragedModel(
            theirs, avg_fn=fn(swa_utils) or swa_utils.get_swa_avg_fn(), use_buffers=use_buffers
        ),
    )
    mine, other = (
        optimizers.SGD(ours.parameters(), lr=0.3),
        torch.optim.SGD(theirs.parameters(), lr=0.3),
    )
    but, errors = (
        "num_batches_tracked" if use_buffers else "nothing",
        [],
    )  # the mean of integers is cut, after rounding in float32 there
    after = lambda i: (
        average.update_parameters(ours),
        twin.update_parameters(theirs),
        errors.append(apart(average, twin, but)),
    )
    assert (
        run_together(ours, theirs, [mine], [other], after, steps=30) <= 1e-8 and max(errors) <= 1e-8
    )
    assert apart(ours, theirs) <= 1e-8 and average.n_averaged == 30
    if use_buffers:
        return
    data = [x for x, _ in batches(7, seed=5)]
    for loader in (data, [(x, 0) for x in data]):
        optimizers.update_bn(loader, average.eval())
        swa_utils.update_bn(map(torch.tensor, data), twin.eval())
        assert (
            apart(average, twin) <= 1e-9
            and not average.training
            and average.module[1].momentum == 0.1
        )
    fresh = optimizers.AveragedModel(with_norm()[0])
    fresh.load_state_dict({k: v.numpy() for k, v in twin.state_dict().items()})
    np.testing.assert_allclose(
        fresh.eval()(data[0]).data, twin(torch.tensor(data[0])).detach().numpy(), rtol=1e-8
    )
    move(average, twin)


def test_a_failing_loader_leaves_momentum_and_mode():
    model = with_norm()[0].eval()
    with pytest.raises(ValueError, match="last axis"):
        optimizers.update_bn([np.ones((2, 4))], model)
    assert model[1].momentum == 0.1 and not model.training
    optimizers.update_bn([np.ones((2, 4))], small())  # nothing to do: the loader is not even read


def test_tied_weights_are_averaged_under_all_their_names():
    model = layers.Sequential(layers.Linear(2, 2), layers.Linear(2, 2))
    model[1].weight = model[0].weight
    average = optimizers.AveragedModel(model)
    for value in (1, 2, 6):
        model[0].weight.data = np.full((2, 2), value, "float32")
        average.update_parameters(model)
    assert average.module[0].weight is average.module[1].weight and np.all(
        average.module[0].weight.data == 3
    )


def test_update_bn_leaves_the_averages_of_other_norms():
    torch = pytest.importorskip("torch")
    ours, theirs = (
        layers.InstanceNorm1d(2, track_running_stats=True),
        torch.nn.InstanceNorm1d(2, track_running_stats=True),
    )
    data = [np.random.default_rng(i).normal(size=(4, 2, 5)).astype("float32") for i in range(3)]
    optimizers.update_bn(data, layers.Sequential(ours, layers.BatchNorm1d(2)))
    torch.optim.swa_utils.update_bn(
        map(torch.tensor, data), torch.nn.Sequential(theirs, torch.nn.BatchNorm1d(2))
    )
    np.testing.assert_allclose(ours.running_mean, theirs.running_mean.numpy(), rtol=1e-5)


def test_an_averaged_model_of_another_shape_says_so():
    with pytest.raises(KeyError, match="missing"):
        optimizers.AveragedModel(small()).update_parameters(
            layers.Sequential(layers.Tanh(), layers.Linear(6, 3))
        )


def test_update_bn_leaves_frozen_parts_frozen():
    model = layers.Sequential(
        layers.BatchNorm1d(2),
        layers.Dropout(0.5, rng=0),
        layers.BatchNorm1d(2),
        layers.Linear(2, 2),
    )
    model[0].eval()
    model[1].eval()
    data = [np.random.default_rng(i).normal(3, 2, (8, 2)).astype("float32") for i in range(3)]
    optimizers.update_bn(data, model)
    assert [m.training for m in model] == [False, False, True, True] and model.training
    assert not model[0].running_mean.any() and model[0].num_batches_tracked == 0
    whole = np.concatenate(data) / np.sqrt(1 + model[0].eps)  # of norms as they were made
    np.testing.assert_allclose(model[2].running_mean, whole.mean(axis=0), rtol=1e-5)
    model.eval()
    model[2].train()
    optimizers.update_bn(data, model)  # of a model in evaluation mode all are set
    assert [m.training for m in model] == [False, False, True, False] and not model.training
    assert model[0].running_mean.all()


@pytest.mark.parametrize("make", [optimizers.SWA, lambda p: optimizers.EMA(p, np.float64(0.5))])
def test_averages_of_some_parameters_swap(make):
    model = small().astype("float32")
    model.parameters()
    average = make([model[0].bias, model[2].weight])
    for value in (1.0, 3.0):
        model[2].weight.data = np.full((3, 7), value)
        average.update()
    with average.swapped():
        assert np.all(model[2].weight.data == 2)
    assert np.all(model[2].weight.data == 3) and average.x.dtype == "float32"
