"""Models as ONNX files: ONNX Runtime gives what the model gives, for batches of other sizes too.

What cannot be said in ONNX is refused.
"""

import sys

import numpy as np
import pytest

from dlscratch import default_dtype, layers, losses, models, no_grad
from dlscratch import functional as F
from dlscratch.engine.tensor import unwrap
from dlscratch.onnx import to_onnx
from dlscratch.onnx.operators import TRANSLATIONS
from dlscratch.optimizers import SGD

pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
ort = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
rng = np.random.default_rng(0)


def floats(*shape):
    return rng.normal(size=shape).astype("float32")


def ids(*shape):
    return rng.integers(0, 17, shape)


def run(path, x):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run(
        None, {"x": x}
    )[0]


def agree(model, draw, shape, path, bound=1e-5):
    to_onnx(model, draw(3, *shape), path)
    model.eval()
    for n in 3, 1, 8:
        x = draw(n, *shape)
        with no_grad():
            wanted = np.asarray(unwrap(model(x)))
        got = run(path, x)
        assert got.shape == wanted.shape and got.dtype == wanted.dtype
        np.testing.assert_allclose(got, wanted, rtol=0, atol=bound * max(1, np.abs(wanted).max()))


MODELS = {
    "MLP": (lambda: models.MLP([6, 32, 4], layers.GELU, rng=0), floats, (6,)),
    "LeNet": (lambda: models.LeNet(rng=0), floats, (1, 28, 28)),
    "ResNet": (lambda: models.ResNet((1, 1), (8, 16), 4, 2, rng=0), floats, (2, 8, 8)),
    "UNet": (lambda: models.UNet(2, 3, 8, 2, rng=0), floats, (2, 8, 8)),
    "GPT": (lambda: models.GPT(17, 12, dropout=0.2, rng=0), ids, (9,)),
    "BERT": (lambda: models.BERT(17, 12, dropout=0.2, rng=0), ids, (9,)),
    "ViT": (lambda: models.ViT(8, 4, 5, rng=0), floats, (3, 8, 8)),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_trained_model_gives_the_same_in_onnx_runtime(name, tmp_path):
    import onnx

    make, draw, shape = MODELS[name]
    model, x = make(), draw(5, *shape)
    optimizer, logits = SGD(model.parameters(), lr=0.1), model(x)
    losses.cross_entropy(
        np.reshape(logits, (-1, logits.shape[-1])), np.zeros(logits.size // logits.shape[-1], int)
    ).backward()
    optimizer.step()
    agree(model, draw, shape, tmp_path / "model.onnx")
    weights = {
        w.name: onnx.numpy_helper.to_array(w)
        for w in onnx.load(tmp_path / "model.onnx").graph.initializer
    }
    for parameter, p in model.named_parameters():
        np.testing.assert_array_equal(weights[parameter], p.data)


class Function(layers.Module):
    """f(x) as a Module with one parameter."""

    def __init__(self, f):
        self.f, self.weight = f, layers.Parameter(floats(4))

    def forward(self, x):
        return self.f(x) if self.f.__code__.co_argcount == 1 else self.f(x, self.weight)


def _recurrent_sum(x, w):
    """Each recurrence of the package, from given states and without some biases."""
    h = np.tanh(x[:, 0])
    W, W3, W4 = (np.tile(w[:, None] * w, (k, 1)) for k in (1, 3, 4))
    tanh, _ = F.rnn(x, h, W, W, None, np.copy(w))
    gru, _ = F.gru(x, h, W3, W3, np.tile(w, 3))
    lstm, _, c = F.lstm(x, h, 2 * h, W4, W4, None, np.tile(w, 4))
    return tanh + gru + lstm + c[:, None]


MASK = np.tri(4, dtype=bool)
CASES = {
    "arithmetic": lambda x, w: (x - w) * x / (2 + w * w) + -x,
    "powers": lambda x: np.sqrt(np.abs(x)) + np.square(x) + x**3 + np.log(np.exp(x)),
    "waves": lambda x: np.sin(x) + np.cos(x) * np.tanh(x),
    "activations": lambda x: (
        F.sigmoid(x) + F.relu(x) + F.leaky_relu(x, 0.2) + np.logaddexp(3 * x, 0) + F.gelu(x)
    ),
    "smooth and bent": lambda x: (
        F.elu(2 * x, 0.7) + F.selu(x) + F.softplus(9 * x) + F.softplus(3 * x, beta=0.5, threshold=1)
    ),
    "clipped": lambda x: F.hardtanh(x, -0.3, 0.7) + F.logsigmoid(x) + F.silu(x) + F.mish(x),
    "slopes": lambda x, w: F.prelu(x, w) + F.prelu(x, w[:1]) + F.prelu(x[:, 0], w)[:, None],
    "extremes": lambda x, w: np.maximum(x, w) - np.minimum(x, 0.3),
    "extremes of rows": lambda x: (
        np.max(x, axis=-1, keepdims=True) * np.min(x, axis=(1, 2))[:, None, None]
    ),
    "softmax": lambda x: F.softmax(x, axis=1) + F.log_softmax(x, axis=-1),
    "a mask that is no matter of the batch": lambda x: np.where(MASK, x, -1.0),
    "sums": lambda x: np.sum(x, axis=2) + np.sum(x, axis=(1, 2), keepdims=True)[..., 0],
    "all of it": lambda x: np.reshape(np.sum(x, axis=(-2, -1)), (-1, 1)),
    "shapes": lambda x, w: (
        np.swapaxes(np.reshape(x, (-1, 2, 8)), 0, 1).T + np.copy(w[:, None])[:2, 0]
    ),
    "slices": lambda x: x[:, 1:, ::-2] * x[:, :-1, None, -1] + x[..., 3:0:-1, 0:1],
    "indices": lambda x: (
        np.take(x, [3, 0, 0], axis=2) + np.flip(np.roll(x, 1, axis=1), 1)[:, :, 1:]
    ),
    "joins": lambda x, w: np.concatenate(
        [x, np.broadcast_to(w, x.shape), np.pad(x, ((0, 0), (1, 0), (0, 0)))], axis=1
    ),
    "sums by Einstein": lambda x, w: np.einsum("nij,j,nkj->nik", x, w, x),
    "products": lambda x: x @ np.swapaxes(x, 1, 2),
    "float64": lambda x: (x.astype("float64") * np.float64(1 / 3)).astype("float32"),
    "dropout at rest": lambda x: F.relu(F.dropout(x, 0.5, training=False)),
    "pooling": lambda x: (
        F.max_pool2d(x[:, None], 3, stride=1, padding=1)
        + F.avg_pool2d(x[:, None], 3, stride=1, padding=1)
    ),
    "convolution": lambda x, w: F.conv2d(
        x[:, None], np.reshape(w, (2, 1, 2, 1)), stride=(1, 2), padding=1, dilation=2
    ),
    "its adjoint": lambda x, w: F.conv_transpose2d(
        x[:, None], np.reshape(w, (1, 1, 2, 2)), stride=2, output_padding=1
    ),
    "recurrence": lambda x, w: _recurrent_sum(x, w),
    "attention": lambda x: F.scaled_dot_product_attention(
        x[:, None], x[:, None], x[:, None], MASK, scale=0.7
    ),
}


def test_every_entry_of_the_table(tmp_path, monkeypatch):
    used, entries = set(), dict(TRANSLATIONS)
    for op, entry in entries.items():
        monkeypatch.setitem(
            TRANSLATIONS,
            op,
            lambda *args, op=op, entry=entry, **options: used.add(op) or entry(*args, **options),
        )
    for name, f in CASES.items():
        agree(Function(f), floats, (4, 4), tmp_path / f"{name}.onnx")
    with pytest.raises(TypeError, match='nonlinearity="relu", which has no translation'):
        model = Last(layers.RNN(4, 5, nonlinearity="relu", batch_first=True, rng=0), 5)
        to_onnx(model, floats(2, 4, 4), tmp_path / "m.onnx")
    assert {getattr(op, "__name__", op) for op in entries.keys() - used} == set()


def test_layers_in_float64(tmp_path):
    with default_dtype("float64"):
        agree(
            models.MLP([3, 5, 2], layers.Tanh, rng=0),
            lambda *shape: rng.normal(size=shape),
            (3,),
            tmp_path / "m.onnx",
            1e-12,
        )


class Last(layers.Module):
    """The last output of a recurrent layer, through a linear one."""

    def __init__(self, recurrent, width):
        self.recurrent, self.head = recurrent, layers.Linear(width, 2, rng=1)

    def forward(self, x):
        output, _ = self.recurrent(x)
        return self.head(output[:, -1])


ACTIVATIONS = "ELU SELU Softplus Hardtanh GELU SiLU Mish LogSigmoid LeakyReLU ReLU Tanh".split()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_layers(name, tmp_path):
    model = layers.Sequential(layers.Linear(3, 8, rng=0), getattr(layers, name)())
    agree(model, lambda *shape: 10 * floats(*shape), (3,), tmp_path / "m.onnx")


RECURRENT = {
    "RNN": lambda: layers.RNN(3, 5, batch_first=True, rng=0),
    "LSTM": lambda: layers.LSTM(3, 5, batch_first=True, rng=0),
    "LSTM of two layers": lambda: layers.LSTM(3, 5, 2, batch_first=True, dropout=0.5, rng=0),
    "GRU": lambda: layers.GRU(3, 5, batch_first=True, rng=0),
    "GRU without biases": lambda: layers.GRU(3, 5, bias=False, batch_first=True, rng=0),
}


@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent_layers(name, tmp_path):
    agree(Last(RECURRENT[name](), 5), floats, (7, 3), tmp_path / "m.onnx")


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_both_directions(kind, tmp_path):
    layer = getattr(layers, kind)(3, 5, batch_first=True, bidirectional=True, rng=0)
    agree(Last(layer, 10), floats, (7, 3), tmp_path / "m.onnx")


def test_recurrences_are_one_operator_of_onnx(tmp_path):
    import onnx

    for kind in "RNN", "LSTM", "GRU":
        layer = getattr(layers, kind)(3, 5, batch_first=True, rng=0)
        to_onnx(Last(layer, 5), floats(2, 7, 3), tmp_path / "m.onnx")
        kinds = [node.op_type for node in onnx.load(tmp_path / "m.onnx").graph.node]
        assert kinds.count(kind) == 1 and "Tanh" not in kinds


def test_a_step_without_translation_is_named_with_its_layer(tmp_path):
    class Swirl(layers.Module):
        def __init__(self, f):
            self.f = f

        def forward(self, x):
            return self.f(x)

    def inside(f):
        return layers.Sequential(layers.Linear(4, 4, rng=0), layers.Sequential(Swirl(f)))

    with pytest.raises(
        TypeError, match=r"np.arctan in the layer 1\.0 \(Swirl\) has no translation"
    ):
        to_onnx(inside(np.arctan), floats(2, 4), tmp_path / "m.onnx")
    with pytest.raises(ValueError, match=r"in the layer 1\.0 \(Swirl\), with results of shapes"):
        to_onnx(inside(lambda x: x * x.data.mean()), floats(2, 4), tmp_path / "m.onnx")
    model = layers.Sequential(inside(np.tanh), Function(np.sin))
    model[1].f = lambda x: np.arctan(x)
    with pytest.raises(TypeError, match=r"np.arctan in the layer 1 \(Function\)"):
        to_onnx(model, floats(2, 4), tmp_path / "m.onnx")


REFUSED = {
    "no translation": (
        lambda x: np.arctan(x),
        TypeError,
        r"np.arctan in the model \(Function\) has no translation",
    ),
    "a comparison leaves no trace": (
        lambda x: np.where(x.data > 0, x, 2 * x),
        ValueError,
        "np.where.*a constant would not hold",
    ),
    "what was taken out of the graph": (
        lambda x: x + np.asarray(x.data).mean(),
        ValueError,
        "np.add.*a constant",
    ),
    "numbers of a batch": (
        lambda x: x + np.arange(len(x.data), dtype="float32")[:, None, None],
        ValueError,
        "np.add.*a constant",
    ),
    "another number of steps": (lambda x: x * 2 if len(x) == 3 else x, ValueError, "other steps"),
    "a mask as index": (lambda x: x[:, MASK], TypeError, "one array of integers"),
    "a slice of the batch": (lambda x: x[: len(x) - 1], ValueError, "a slice would not hold"),
    "two results": (lambda x: (x, x), TypeError, "gave tuple; want one Tensor"),
    "nothing of the input": (lambda x: x.detach(), TypeError, "want one Tensor, computed from"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_said_is_refused_and_the_old_file_stays(name, tmp_path):
    f, error, message = REFUSED[name]
    (tmp_path / "model.onnx").write_bytes(b"old")
    model = Function(f)
    with pytest.raises(error, match=message):
        to_onnx(model, floats(3, 4, 4), tmp_path / "model.onnx")
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"] and model.training


def test_a_wrong_translation_is_caught_before_the_file_is_written(tmp_path, monkeypatch):
    monkeypatch.setitem(TRANSLATIONS, np.tanh, TRANSLATIONS[np.sin])
    with pytest.raises(ValueError, match="differ by"):
        to_onnx(models.MLP([2, 3, 2], layers.Tanh, rng=0), floats(3, 2), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_frozen_weights_keep_their_names(tmp_path):
    import onnx

    model = models.GPT(17, 12, rng=0)
    model.tokens.weight.requires_grad = False
    to_onnx(model, ids(2, 5), tmp_path / "model.onnx")
    assert "tokens.weight" in {w.name for w in onnx.load(tmp_path / "model.onnx").graph.initializer}
    assert not model.tokens.weight.requires_grad


def test_bad_examples_and_a_missing_package(tmp_path, monkeypatch):
    model = models.MLP([2, 2], rng=0)
    for example in np.float32(1), floats(0, 2):
        with pytest.raises(ValueError, match=r"want a batch \(N, ...\)"):
            to_onnx(model, example, tmp_path / "m.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match="pip install onnx"):
        to_onnx(model, floats(1, 2), tmp_path / "m.onnx")
