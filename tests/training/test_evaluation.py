"""Measuring changes nothing, runs in batches, and gives what one pass over all gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlscratch import Tensor, layers, optimizers, training
from dlscratch.losses import cross_entropy, mse_loss

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(50, 3)), rng.normal(size=(50, 2))


def net(dtype="float64"):
    hidden = [layers.BatchNorm1d(4), layers.Tanh(), layers.Dropout(0.5, rng=1)]
    model = layers.Sequential(layers.Linear(3, 4, rng=0), *hidden, layers.Linear(4, 2, rng=2))
    return model.astype(dtype)


# In batches -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 7, 49, 50, 51, None])
def test_the_mean_over_batches_is_the_mean_over_examples(size):
    model = net()
    model.eval()
    wanted = float(mse_loss(model(Tensor(X)), Y))
    model.train()
    measured = training.evaluate(model, mse_loss, (X, Y), batch_size=size)
    assert measured["loss"] == pytest.approx(wanted, rel=1e-14)
    if size is None or size >= 50:
        assert measured["loss"] == wanted, "one batch: the very same number"


def test_a_mean_of_the_batches_means_would_be_wrong():
    sizes = [len(range(start, min(start + 7, 50))) for start in range(0, 50, 7)]
    model = net().eval()
    means = [float(mse_loss(model(Tensor(X[i : i + 7])), Y[i : i + 7])) for i in range(0, 50, 7)]
    exact = np.dot(sizes, means) / 50
    assert abs(np.mean(means) - exact) > 1e-3
    assert training.evaluate(model, mse_loss, (X, Y), batch_size=7)["loss"] == pytest.approx(exact)


def r_squared(outputs, targets):
    return float(
        1 - np.sum((outputs.data - targets) ** 2) / np.sum((targets - targets.mean()) ** 2)
    )


@pytest.mark.parametrize("size", [1, 7, 50])
def test_a_metric_that_is_no_mean_gets_all_outputs_at_once(size):
    shapes = []

    def look(outputs, targets):
        shapes.append((outputs.shape, targets.shape))
        return 0.0

    metrics = {"r2": r_squared, "look": look}
    measured = training.evaluate(net(), mse_loss, (X, Y), metrics, batch_size=size)
    whole = training.evaluate(net(), mse_loss, (X, Y), metrics, batch_size=None)
    assert measured["r2"] == pytest.approx(whole["r2"], rel=1e-13)
    assert shapes == [((50, 2), (50, 2))] * 2


@pytest.mark.parametrize("metrics", [None, {"zero": lambda outputs, targets: 0.0}])
def test_no_more_examples_than_a_batch_pass_the_model_at_once(metrics):
    class Watched(layers.Module):
        def __init__(self):
            self.inside = net()
            self._sizes = []

        def forward(self, x):
            self._sizes.append(len(x))
            return self.inside(x)

    model = Watched()
    training.evaluate(model, mse_loss, (X, Y), metrics, batch_size=16)
    assert model._sizes == [16, 16, 16, 2]
    model._sizes.clear()
    data = np.concatenate([X] * 12), np.concatenate([Y] * 12)
    training.evaluate(model, mse_loss, data, metrics)
    assert model._sizes == [256, 256, 88], "not all of them, unless asked"


class TwoOutputs(layers.Module):
    def __init__(self, transposed=False):
        self.inside, self.transposed = net(), transposed

    def forward(self, x):
        y = self.inside(x)
        return y, (y.T if self.transposed else 2 * y)


def first(outputs, targets):
    return mse_loss(outputs[0], targets)


def test_tuples_of_outputs_are_joined_part_by_part():
    metric = {"second": lambda outputs, targets: float(np.sum(outputs[1].data))}
    parts = training.evaluate(TwoOutputs(), first, (X, Y), metric, batch_size=8)
    whole = training.evaluate(TwoOutputs(), first, (X, Y), metric, batch_size=None)
    assert parts == pytest.approx(whole, rel=1e-12)


def test_outputs_that_cannot_be_joined_are_refused_with_the_repair():
    metric = {"second": lambda outputs, targets: 0.0}
    with pytest.raises(ValueError, match="cannot be joined.*batch_size=None"):
        training.evaluate(TwoOutputs(True), first, (X, Y), metric, batch_size=8)
    training.evaluate(TwoOutputs(True), first, (X, Y), batch_size=8)
    training.evaluate(TwoOutputs(True), first, (X, Y), metric, batch_size=None)


def test_it_makes_no_graph_and_draws_nothing():
    model = net()
    state = model[3].rng.bit_generator.state
    before = {k: v.tobytes() for k, v in model.state_dict().items()}
    seen = []

    def loss(outputs, targets):
        seen.append(outputs.requires_grad)
        return mse_loss(outputs, targets)

    training.evaluate(model, loss, (X, Y))
    assert seen == [False] and model[3].rng.bit_generator.state == state
    assert {k: v.tobytes() for k, v in model.state_dict().items()} == before


@pytest.mark.parametrize("given_", ["float16", "float32", "float64"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_are_cast_to_the_models_dtype(given_, dtype):
    seen = []

    def loss(outputs, targets):
        seen.append((outputs.dtype, targets.dtype))
        return mse_loss(outputs, targets)

    training.evaluate(net(dtype), loss, (X.astype(given_), Y.astype(given_)))
    assert seen == [(np.dtype(dtype), np.dtype(dtype))]


def test_integers_and_models_without_parameters_are_left_alone():
    ids = np.array([[0, 1], [2, 0]])
    model = layers.Sequential(layers.Embedding(3, 4, rng=0))
    seen = []
    training.evaluate(model, lambda y, t: seen.append(t.dtype) or np.mean(y), (ids, ids[:, 0]))
    assert seen == [ids.dtype]
    relu = layers.Sequential(layers.ReLU())
    measured = training.evaluate(relu, lambda y, t: np.mean(y), (-X, Y))
    assert measured == {"loss": np.mean(np.maximum(-X, 0))}


@pytest.mark.parametrize("size", [0, -3])
def test_bad_batch_sizes_are_refused(size):
    with pytest.raises(ValueError, match="at least 1"):
        training.evaluate(net(), mse_loss, (X, Y), batch_size=size)


@pytest.mark.parametrize("pair", [(X[:0], Y[:0]), (X, Y[:3])])
def test_nothing_to_measure_is_refused(pair):
    with pytest.raises(ValueError, match="as many targets as inputs, at least one"):
        training.evaluate(net(), mse_loss, pair)


# Frozen parts ---------------------------------------------------------------------------


def tree(draw, depth=0):
    """A random model of nested parts, each in a random mode."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        leaf = depth == 2 or draw(st.booleans())
        parts.append(layers.BatchNorm1d(3) if leaf else tree(draw, depth + 1))
    model = layers.Sequential(*parts)
    for part in [*parts, model]:
        part.training = draw(st.booleans())
    return model


def modes(model):
    return [module.training for module in model.modules()]


@given(st.data())
def test_evaluation_gives_each_part_its_own_mode_back(data):
    model = tree(data.draw)
    before, inside = modes(model), []

    def loss(outputs, targets):
        inside.extend(modes(model))
        return mse_loss(outputs, targets)

    training.evaluate(model, loss, (X, X))
    assert modes(model) == before and not any(inside)

    def fails(outputs, targets):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        training.evaluate(model, fails, (X, X))
    assert modes(model) == before


def wanted_modes(module, outer_was, outer_is):
    """A part keeps its mode if it differs from its parent's, and else goes with the parent."""
    now = outer_is if module.training == outer_was else module.training
    inside = list(module) if isinstance(module, layers.Sequential) else []
    return [now] + [m for part in inside for m in wanted_modes(part, module.training, now)]


@given(st.data())
def test_training_leaves_parts_frozen_whose_mode_is_not_their_parents(data):
    model = layers.Sequential(layers.Linear(3, 3, rng=0), tree(data.draw))
    model.training = data.draw(st.booleans())
    model[0].training = model.training
    wanted = wanted_modes(model, model.training, True)
    norms = [m for m in model.modules() if isinstance(m, layers.BatchNorm1d)]
    seen = []
    training.fit(
        model,
        mse_loss,
        optimizers.SGD(model.parameters(), 0.01),
        (X, X),
        epochs=2,
        batch_size=25,
        callbacks=[lambda state: seen.append(modes(model))],
        progress=False,
    )
    assert seen == [wanted] * 4 and modes(model) == wanted
    for norm in norms:
        assert bool(norm.running_mean.any()) == norm.training


def test_a_model_that_overrides_train_is_asked():
    class Frozen(layers.Module):
        def __init__(self):
            self.norm, self.out = layers.BatchNorm1d(3), layers.Linear(3, 2, rng=0)

        def train(self, mode=True):
            super().train(mode)
            self.norm.training = False
            return self

        def forward(self, x):
            return self.out(self.norm(x))

    model = Frozen().astype("float64").eval()
    optimizer = optimizers.SGD(model.parameters(), 0.01)
    training.fit(model, mse_loss, optimizer, (X, Y), epochs=1, progress=False)
    assert not model.norm.running_mean.any() and model.out.training


def test_a_mean_over_something_else_than_examples_wants_one_batch():
    logits, targets = np.abs(rng.normal(size=(6, 3))), np.array([0, 1, -100, -100, -100, 2])
    model, wanted = layers.Sequential(layers.ReLU()), float(cross_entropy(logits, targets))
    exact = training.evaluate(model, cross_entropy, (logits, targets), batch_size=None)["loss"]
    assert exact == wanted
    parts = training.evaluate(model, cross_entropy, (logits, targets), batch_size=3)["loss"]
    assert abs(parts - wanted) > 1e-3, "as the docstring says"
