"""functional_call is the module as a function of its parameters, to any order."""

import numpy as np
import pytest

from dlscratch import Tensor, gradients, layers, models
from dlscratch import functional as F
from dlscratch.layers import Linear, Module, Parameter, Sequential, functional_call

rng = np.random.default_rng(0)
x = rng.normal(size=(6, 3))


def twins():
    torch = pytest.importorskip("torch")
    ours = Sequential(Linear(3, 8, rng=0), layers.Tanh(), Linear(8, 2, rng=1)).astype("float64")
    nn = torch.nn
    theirs = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)).double()
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    return ours, theirs


def test_the_second_order_of_maml_equals_torchs():
    torch = pytest.importorskip("torch")
    ours, theirs = twins()
    tasks = [(rng.normal(size=(6, 3)), rng.normal(size=(6, 2))) for _ in range(4)]

    total = 0.0
    for (x, y), (x_new, y_new) in zip(tasks[::2], tasks[1::2], strict=True):
        weights = dict(ours.named_parameters())
        for _ in range(2):
            loss = F.mse_loss(functional_call(ours, weights, Tensor(x)), y)
            slopes = gradients(loss, list(weights.values()), create_graph=True)
            weights = {
                name: w - 0.1 * g for (name, w), g in zip(weights.items(), slopes, strict=True)
            }
        total = total + F.mse_loss(functional_call(ours, weights, Tensor(x_new)), y_new)
    total.backward()

    expected = 0.0
    mse = torch.nn.functional.mse_loss
    for (x, y), (x_new, y_new) in zip(tasks[::2], tasks[1::2], strict=True):
        x, y, x_new, y_new = map(torch.tensor, (x, y, x_new, y_new))
        weights = dict(theirs.named_parameters())
        for _ in range(2):
            loss = mse(torch.func.functional_call(theirs, weights, x), y)
            slopes = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
            weights = {
                name: w - 0.1 * g for (name, w), g in zip(weights.items(), slopes, strict=True)
            }
        expected = expected + mse(torch.func.functional_call(theirs, weights, x_new), y_new)
    expected.backward()

    np.testing.assert_allclose(total.item(), expected.item(), rtol=1e-12)
    for (name, p), t in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, t.grad.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)


def test_first_order_maml_differs():
    """So that the test above would fail if nothing came back through the inner step."""
    ours, _ = twins()
    weights = dict(ours.named_parameters())
    loss = np.sum(functional_call(ours, weights, Tensor(x)) ** 2)
    results = []
    for create_graph in (True, False):
        slopes = gradients(
            loss, list(weights.values()), create_graph=create_graph, retain_graph=True
        )
        stepped = {n: w - 0.1 * g for (n, w), g in zip(weights.items(), slopes, strict=True)}
        after = np.sum(functional_call(ours, stepped, Tensor(x)) ** 2)
        (slope,) = gradients(after, [ours[0].weight], retain_graph=True)
        results.append(slope.data)
    assert np.abs(results[0] - results[1]).max() > 1e-2


class Everywhere(Module):
    """A weight in an attribute, in a list, in a dict, tied, normalized, and a buffer."""

    def __init__(self):
        self.parts = [Linear(3, 3, rng=0), {"inner": Linear(3, 3, rng=1)}]
        self.tied = Linear(3, 3, rng=2)
        self.tied.weight = self.parts[0].weight
        self.normed = layers.weight_norm(Linear(3, 3, rng=3))
        self.norm = layers.BatchNorm1d(3)

    def forward(self, x, scale=1.0):
        x = self.parts[1]["inner"](self.parts[0](x))
        return scale * self.norm(self.normed(self.tied(x)))


def test_every_parameter_and_buffer_is_replaced_and_put_back():
    model = Everywhere().eval()
    other = Everywhere().eval()
    for p in other.parameters():
        p.data = rng.normal(size=p.shape)
    other.norm.running_mean[...] = 3
    state, data = model.state_dict(), x.astype("float32")
    before = model(data).data
    y = functional_call(model, other.state_dict(), (data,), {"scale": 2.0}, strict=True)
    np.testing.assert_array_equal(y.data, 2 * other(data).data)
    parts = list(other.state_dict().items())
    same = functional_call(model, [dict(parts[:3]), dict(parts[3:])], data)
    np.testing.assert_array_equal(2 * same.data, y.data)
    np.testing.assert_array_equal(model(data).data, before)
    assert all(np.array_equal(v, state[k]) for k, v in model.state_dict().items())


def test_one_name_of_a_tied_weight_stands_for_all():
    model, data = Everywhere().eval(), x.astype("float32")
    new = {"parts.0.weight": np.zeros((3, 3), "float32")}
    tied = functional_call(model, new, data)
    apart = functional_call(model, new, data, tie_weights=False)
    both = functional_call(model, {**new, "tied.weight": model.tied.weight}, data)
    np.testing.assert_array_equal(apart.data, both.data)
    assert np.abs(tied.data - apart.data).max() > 1e-3


def test_the_module_is_put_back_after_an_error():
    model = models.MLP([3, 4, 2], rng=0)
    weight = model[0].weight
    with pytest.raises(ValueError):
        functional_call(model, {"0.weight": np.ones((4, 3), "float32")}, np.ones((2, 5), "float32"))
    assert model[0].weight is weight


@pytest.mark.parametrize(
    "given, strict, message",
    [
        ({"0.wieght": x}, False, r"unexpected \['0.wieght'\]; expected names of .*'0.weight'"),
        ({"0.training": x}, False, r"unexpected \['0.training'\]"),
        ({"0.weight": x}, True, r"missing \['0.bias'\]"),
    ],
)
def test_bad_input(given, strict, message):
    with pytest.raises(KeyError, match=message):
        functional_call(Sequential(Linear(3, 2)), given, x, strict=strict)


def test_what_lies_in_a_tuple_cannot_be_replaced():
    model = Sequential()
    model.parts = (Parameter(np.ones(2)),)
    with pytest.raises(TypeError, match=r"parts\.0 lies in a tuple.*expected a list"):
        functional_call(model, {"parts.0": np.zeros(2)}, np.ones(2))
