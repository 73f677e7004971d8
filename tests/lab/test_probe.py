"""The probe: right numbers, right rows, and nothing left behind."""

import numpy as np
import pytest

from dlscratch.engine import Tensor, no_grad
from dlscratch.lab import probe
from dlscratch.layers import Linear, Module, ReLU, Sequential
from dlscratch.losses import mse_loss
from dlscratch.optimizers import SGD
from dlscratch.training import fit

from .models import data, model


def train(m, p=None, steps=3, record="after"):
    optimizer = SGD(m.parameters(), 0.1)
    for step in range(steps):
        optimizer.zero_grad()
        X, y = data(step)
        mse_loss(m(Tensor(X)), y).backward()
        if p and record == "before":
            p.record()
        optimizer.step()
        if p and record == "after":
            p.record()


def value(p, step, layer, quantity):
    rows = p.frame.query("step == @step and layer == @layer and quantity == @quantity")
    assert len(rows) == 1
    return rows["value"].item()


def test_activations():
    m, (X, _) = model(), data()
    with no_grad(), probe(m) as p:
        m(Tensor(X))
        m(Tensor(-X))
    z = -X @ getattr(m, "0").weight.data.T + getattr(m, "0").bias.data
    y = np.maximum((z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5), 0)
    assert value(p, 1, "0", "mean") == pytest.approx(z.mean()) and value(p, 1, "0", "zeros") == 0
    assert value(p, 1, "2", "std") == pytest.approx(y.std())
    assert value(p, 1, "2", "zeros") == np.mean(y == 0) > 0
    assert set(p.frame["layer"]) == {"0", "1", "2", "3"} and set(p.frame["step"]) == {0, 1}
    assert set(p.frame["quantity"]) == {"mean", "std", "zeros", "dead"}


def test_dead_units_are_those_silent_on_the_whole_batch():
    m = Sequential(Linear(3, 4, rng=0), ReLU())
    getattr(m, "0").bias.data = np.array([-99.0, 0, 0, -99.0])
    with probe(m) as p:
        m(data(n=200)[0].astype(np.float32))
    assert value(p, 0, "1", "dead") == 0.5 < value(p, 0, "1", "zeros") < 1


@pytest.mark.parametrize("record", ["before", "after"])
def test_gradients_and_updates_whether_recorded_before_or_after_the_step(record):
    m, (X, y) = model(), data()
    before = getattr(m, "3").weight.data.copy()
    output = model()(Tensor(X)).data
    with probe(m) as p:
        train(m, p, steps=1, record=record)
    w = getattr(m, "3").weight
    gradient, start = np.linalg.norm(w.grad), np.linalg.norm(before)
    assert value(p, 0, "3.weight", "gradient") == pytest.approx(gradient)
    assert value(p, 0, "3.weight", "update") == pytest.approx(0.1 * gradient / start)
    assert value(p, 0, "3.weight", "weight") == pytest.approx(start)
    assert value(p, 0, "3", "delta") == pytest.approx(
        (2 * (output - y) / 2).std()
    )  # an example's loss: a mean of 2


def test_both_ways_of_recording_give_the_same_table():
    frames = []
    for record in ("before", "after"):
        m = model()
        with probe(m) as p:
            train(m, p, record=record)
        frames.append(p.frame)
    assert frames[0].equals(frames[1])
    updates = p.matrix("update")
    assert (
        (updates.loc["3.weight"] > 0).all()
        and np.isnan(updates.loc["1.bias", 0])
        and updates.loc["1.bias", 1] > 0
    )


def test_as_a_callback_of_fit():
    m = model(dtype="float32")
    X, y = (a.astype(np.float32) for a in data(n=16))
    with probe(m) as p:
        fit(
            m,
            mse_loss,
            SGD(m.parameters(), 0.1),
            (X, y),
            epochs=2,
            batch_size=8,
            callbacks=[p],
            progress=False,
        )
    assert p.step == 4  # the evaluations in between are in another mode
    assert p.matrix("delta").shape == (4, 4) and p.matrix("update").shape == (6, 4)


def test_matrix_has_the_order_of_the_model():
    m = model()
    with probe(m) as p:
        train(m, p)
    assert list(p.matrix("std").index) == ["0", "1", "2", "3"] and list(
        p.matrix("std").columns
    ) == [0, 1, 2]
    assert list(p.matrix("update").index) == [name for name, _ in m.named_parameters()]
    with pytest.raises(ValueError, match="no 'norm' was recorded; there is mean, std"):
        p.matrix("norm")


def test_a_single_layer_and_a_layer_of_two_names():
    single = Linear(3, 2, rng=0)
    with probe(single) as p:
        single(data()[0].astype(np.float32))
    assert p.frame["layer"].unique().tolist() == [""] and p.step == 1
    shared = ReLU()
    with probe(Sequential(shared, Linear(3, 3, rng=0), shared)) as p:
        p.model(data()[0].astype(np.float32))
    assert p.frame["layer"].unique().tolist() == ["0", "1"]


def test_outputs_that_are_tuples_show_their_first():
    class Pair(Module):
        def forward(self, x):
            return 2 * x, None

    with probe(Pair()) as p:
        p.model(np.array([[1.0], [3.0]]))
    assert value(p, 0, "", "mean") == 4


def test_outputs_that_are_scalars():
    class Loss(Module):
        def forward(self, x):
            return np.mean(x**2)

    with probe(Loss()) as p:
        p.model(Tensor(np.array([1.0, 3.0]), requires_grad=True)).backward()
        p.record()
    assert value(p, 0, "", "mean") == 5 and value(p, 0, "", "delta") == 0


def test_the_other_mode_is_left_out():
    m = model()
    with probe(m) as p:
        m.eval()
        m(Tensor(data()[0]))
    assert p.frame.empty and p.step == 0


def test_nothing_is_changed_and_no_hook_stays():
    plain, probed = model(), model()
    with probe(probed) as p:
        train(probed, p)
    train(plain)
    assert all(
        np.array_equal(a.data, b.data)
        for a, b in zip(plain.parameters(), probed.parameters(), strict=True)
    )
    rows = len(p.rows)
    with pytest.raises(KeyError), p:
        raise KeyError
    train(probed)
    assert len(p.rows) == rows


def test_record_before_a_pass():
    with pytest.raises(RuntimeError, match="run forward and backward"), probe(model()) as p:
        p.record()
