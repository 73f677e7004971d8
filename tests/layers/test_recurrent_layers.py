"""Recurrent layers and cells equal PyTorch's, and refuse what does not fit.

Weights are moved by name, both ways.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import Tensor, layers
from tests.parity import same

KINDS = ["RNN", "LSTM", "GRU"]
few = settings(max_examples=10, deadline=None)
ones = np.ones


def flat(results, scale=1):
    """Tensors in nested tuples, as a list of rows with different weights."""
    if isinstance(results, tuple | list):
        return [v for k, r in enumerate(results) for v in flat(r, scale + k)]
    return [results.reshape(-1) * scale]


def compare(kind, args, options, x, states, order=2):
    """Ours and PyTorch's as functions of input, state and all parameters, with equal weights."""
    torch = pytest.importorskip("torch")
    for ours_first in (True, False):
        ours = getattr(layers, kind)(*args, **options, rng=0)
        theirs = getattr(torch.nn, kind)(*args, **options)
        if ours_first:
            theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
        else:
            ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
        named = dict(theirs.named_parameters())
        assert list(named) == [name for name, _ in ours.named_parameters()]

        def f(x, *rest, ours=ours):
            names = [name for name, _ in ours.named_parameters()]
            model = ours.copy()
            vars(model).update(
                zip(names, rest[len(states) :])
            )  # Tensors in the place of Parameters
            return np.concatenate(flat(model.forward(x, pair(rest[: len(states)]))))

        def g(x, *rest, theirs=theirs, named=named):
            weights = dict(zip(named, rest[len(states) :]))
            return torch.cat(
                flat(torch.func.functional_call(theirs, weights, (x, pair(rest[: len(states)]))))
            )

        same(f, g, x, *states, *ours.astype("float64").state_dict().values(), order=order)


def pair(states):
    return None if not states else states[0] if len(states) == 1 else tuple(states)


@pytest.mark.filterwarnings(
    "ignore:LSTM with projections is not supported with oneDNN"
)  # PyTorch's, of how it computes them
@pytest.mark.parametrize("kind", KINDS)
@few
@given(st.data())
def test_layers_equal_torch(kind, data):
    draw = lambda *choices: data.draw(st.sampled_from(choices))
    sizes, n, t = (
        (draw(2, 3), draw(2, 4)),
        draw(2, 3),
        draw(1, 4),
    )  # of arrays with one number, float32 may keep no digit
    options = {
        "num_layers": draw(1, 2),
        "bias": draw(True, False),
        "bidirectional": draw(True, False),
    }
    options |= {} if draw(True, False) else {"batch_first": True}
    if kind == "RNN":
        options["nonlinearity"] = draw("tanh", "relu")
    rng = np.random.default_rng(draw(*range(100)))
    if kind == "LSTM":
        options["proj_size"] = draw(0, 1)
    batch = (n,) if draw(True, True, False) else ()
    widths = (options.get("proj_size") or sizes[1], sizes[1])
    shapes = [
        (options["num_layers"] * (1 + options["bidirectional"]), *batch, width) for width in widths
    ]
    states = (
        [rng.normal(size=shape) for shape in shapes[: 1 + (kind == "LSTM")]]
        if draw(True, False)
        else []
    )
    x = rng.normal(
        size=(*batch, t, sizes[0]) if "batch_first" in options else (t, *batch, sizes[0])
    )
    compare(kind, sizes, options, x, states)


@pytest.mark.parametrize(
    "kind, options",
    [
        ("RNNCell", {}),
        ("RNNCell", {"nonlinearity": "relu", "bias": False}),
        ("LSTMCell", {}),
        ("LSTMCell", {"bias": False}),
        ("GRUCell", {}),
    ],
)
@pytest.mark.parametrize("given_state", [True, False])
@pytest.mark.parametrize("batch", [(2,), ()])
def test_cells_equal_torch(kind, options, given_state, batch):
    rng = np.random.default_rng(0)
    states = (
        [rng.normal(size=(*batch, 4)) for _ in range(1 + (kind == "LSTMCell"))]
        if given_state
        else []
    )
    compare(kind, (3, 4), options, rng.normal(size=(*batch, 3)), states)


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_its_cell_step_by_step(kind):
    layer, cell = (
        getattr(layers, kind)(3, 4, batch_first=True, rng=0),
        getattr(layers, f"{kind}Cell")(3, 4),
    )
    cell.load_state_dict({name.removesuffix("_l0"): a for name, a in layer.state_dict().items()})
    x, state = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32"), None
    output, last = layer(x)
    for t in range(5):
        state = cell(x[:, t], state)
        np.testing.assert_allclose(
            (state[0] if kind == "LSTM" else state).data, output.data[:, t], rtol=1e-5, atol=1e-6
        )
    for a, b in zip(flat(last), flat(state), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [*KINDS, "RNNCell", "LSTMCell", "GRUCell"])
def test_first_weights_are_spread_as_in_torch(kind):
    torch = pytest.importorskip("torch")
    ours, theirs = getattr(layers, kind)(40, 25, rng=0), getattr(torch.nn, kind)(40, 25)
    for (name, p), (other, t) in zip(
        ours.named_parameters(), theirs.named_parameters(), strict=True
    ):
        assert name == other and p.shape == tuple(t.shape) and p.dtype == np.float32
        assert 0.15 < np.abs(p.data).max() <= 0.2 and 0.15 < t.abs().max() <= 0.2
        np.testing.assert_allclose(p.data.std(), 0.2 / np.sqrt(3), rtol=0.25)
    again = getattr(layers, kind)(40, 25, rng=0)
    assert all(
        np.array_equal(a.data, b.data)
        for a, b in zip(ours.parameters(), again.parameters(), strict=True)
    )


def test_dropout_acts_between_layers_in_training_only():
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    layer = layers.GRU(4, 50, num_layers=2, dropout=0.5, rng=0)
    a, b = layer(x)[1].data, layer(x)[1].data
    assert np.array_equal(a[0], b[0]) and not np.allclose(
        a[1], b[1]
    )  # the first layer sees the input itself
    c, d = layer.eval()(x)[1].data, layer(x)[1].data
    assert np.array_equal(c, d) and np.array_equal(a[0], c[0])
    mean = np.mean([layer.train()(x)[1].data for _ in range(300)], axis=0)
    assert (
        np.abs(mean - c).max() < 0.05 < np.abs(a - c).max()
    )  # dropped or doubled: on average about the same


def test_time_comes_first_unless_told():
    x = Tensor(ones((2, 5, 3), "float32"))
    output, (h, c) = layers.LSTM(3, 4, num_layers=2, batch_first=True, bidirectional=True, rng=0)(x)
    assert (
        output.shape == (2, 5, 8)
        and h.shape == c.shape == (4, 2, 4)
        and output.dtype == h.dtype == np.float32
    )
    assert layers.LSTM(3, 4, rng=0)(x)[1][0].shape == (1, 5, 4)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: layers.LSTM(3, 0), ValueError, r"LSTM\(3, 0\): want sizes of at least 1"),
        (lambda: layers.GRU(3, 4, num_layers=0), ValueError, "num_layers=0"),
        (lambda: layers.GRU(3, 4, dropout=1.5), ValueError, "dropout=1.5; want"),
        (
            lambda: layers.RNN(3, 4, nonlinearity="sin")(ones((2, 5, 3))),
            ValueError,
            "nonlinearity='sin'",
        ),
        (
            lambda: layers.RNNCell(3, 4, nonlinearity="sin")(ones((2, 3))),
            ValueError,
            "nonlinearity='sin'",
        ),
        (
            lambda: layers.LSTM(3, 4)(ones((2, 5, 4))),
            ValueError,
            r"LSTM\(3→4\): input \(2, 5, 4\); want \(T, N, 3\)",
        ),
        (
            lambda: layers.LSTM(3, 4, batch_first=True)(ones((1, 2, 5, 3))),
            ValueError,
            r"want \(N, T, 3\)",
        ),
        (
            lambda: layers.LSTM(3, 4)(ones((5, 4))),
            ValueError,
            r"input \(5, 1, 4\); want \(T, N, 3\)",
        ),
        (
            lambda: layers.LSTM(3, 4, proj_size=4),
            ValueError,
            "proj_size=4.*0 <= proj_size < hidden_size",
        ),
        (lambda: layers.GRU(3, 4, proj_size=2), ValueError, "only an LSTM"),
        (
            lambda: layers.LSTM(3, 4, proj_size=2)(ones((2, 5, 3)), (ones((1, 5, 4)),) * 2),
            ValueError,
            r"state h \(1, 5, 4\); want \(1, 5, 2\)",
        ),
        (
            lambda: layers.GRU(3, 4)(ones((2, 5, 3)), ones((2, 4))),
            ValueError,
            r"state h \(2, 4\); want \(1, 5, 4\)",
        ),
        (
            lambda: layers.LSTM(3, 4)(ones((2, 5, 3)), (ones((1, 5, 4)), ones((1, 1, 4)))),
            ValueError,
            r"state c \(1, 1, 4\); want",
        ),
        (
            lambda: layers.LSTM(3, 4)(ones((2, 5, 3)), ones((2, 2, 4))),
            TypeError,
            r"state of type ndarray; want a pair \(h, c\)",
        ),
        (
            lambda: layers.GRU(3, 4)(ones((2, 5, 3)), (ones((1, 2, 4)),)),
            TypeError,
            "state of type tuple; want one array",
        ),
        (
            lambda: layers.GRUCell(3, 4)(ones((2, 5, 3))),
            ValueError,
            r"GRUCell\(3→4\): input \(2, 5, 3\); want \(N, 3\)",
        ),
        (lambda: layers.LSTMCell(3, 4)(ones((2, 3)), ones((2, 4))), TypeError, "want a pair"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
