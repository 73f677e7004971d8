"""The shared models: shapes, PyTorch's sizes and values, and each learns one batch by heart."""

import numpy as np
import pytest

from dlscratch import Tensor, layers, losses, models, no_grad
from dlscratch.optimizers import Adam

rng = np.random.default_rng(0)
ones = np.ones


def images(*shape):
    return rng.normal(size=shape).astype("float32")


def words(model, ids):
    logits, _ = model(ids[:, :-1])
    return losses.cross_entropy(np.swapaxes(logits, 1, 2), ids[:, 1:])


CLASSES = np.arange(4)
ROWS, LETTERS = images(4, 6), images(4, 1, 28, 28)
IMAGES, PIXELS, IDS = images(4, 2, 8, 8), rng.integers(0, 3, (2, 8, 8)), rng.integers(0, 7, (3, 9))
BITS = rng.integers(0, 2, (4, 12)).astype("float32")
LEARN = {
    "MLP": (
        lambda: models.MLP([6, 32, 4], layers.Tanh, rng=0),
        lambda m: losses.cross_entropy(m(ROWS), CLASSES),
    ),
    "LeNet": (lambda: models.LeNet(rng=0), lambda m: losses.cross_entropy(m(LETTERS), CLASSES)),
    "ResNet": (
        lambda: models.ResNet((1, 1), (8, 16), 4, 2, rng=0),
        lambda m: losses.cross_entropy(m(IMAGES), CLASSES),
    ),
    "UNet": (
        lambda: models.UNet(2, 3, 8, 2, rng=0),
        lambda m: losses.cross_entropy(m(IMAGES[:2]), PIXELS),
    ),
    "LSTMLanguageModel": (
        lambda: models.LSTMLanguageModel(7, 32, 2, rng=0),
        lambda m: words(m, IDS),
    ),
    "VAE": (lambda: models.VAE(12, 3, 32, rng=0), lambda m: m.loss(BITS, 0)),
}


@pytest.mark.parametrize("name", LEARN)
def test_learns_one_batch_by_heart(name):
    make, loss = LEARN[name]
    model = make()
    optimizer, first = Adam(model.parameters(), lr=1e-2), loss(model).item()
    for _ in range(200):
        optimizer.zero_grad()
        value = loss(model)
        value.backward()
        optimizer.step()
        if value.item() < 0.1 * first:
            break
    assert value.item() < 0.1 * first, (first, value.item())
    assert all(p.dtype == np.float32 and np.isfinite(p.grad).all() for p in model.parameters())


def test_shapes():
    assert models.MLP([5, 4, 3, 2])(images(7, 5)).shape == (7, 2)
    assert (
        repr(models.MLP([5, 4, 2], layers.GELU)).split()
        == "MLP( (0): Linear(5→4) (1): GELU() (2): Linear(4→2) )".split()
    )
    assert models.LeNet(3)(images(2, 1, 28, 28)).shape == (2, 3)
    assert models.ResNet((1, 2, 1), (4, 4, 6), 5)(images(2, 3, 9, 8)).shape == (2, 5)
    assert models.UNet(1, 2, 4, 0)(images(2, 1, 5, 7)).shape == (2, 2, 5, 7)
    logits, (h, c) = models.LSTMLanguageModel(11, 6, 2)(rng.integers(0, 11, (2, 5)))
    assert logits.shape == (2, 5, 11) and h.shape == c.shape == (2, 2, 6)


def size(model):
    return sum(p.size for p in model.parameters())


def torch_size(module):
    return sum(p.numel() for p in module.parameters())


def test_resnet_equals_one_made_in_torch():
    torch = pytest.importorskip("torch")
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.stride, self.extra = stride, outputs - inputs
            self.conv1, self.bn1 = (
                nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
                nn.BatchNorm2d(outputs),
            )
            self.conv2, self.bn2 = (
                nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
                nn.BatchNorm2d(outputs),
            )

        def forward(self, x):
            y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
            short = nn.functional.pad(
                x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra)
            )
            return (y + short).relu()

    class ResNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.bn = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
            shapes = (
                [(16, 16, 1)] * 3
                + [(16, 32, 2)]
                + [(32, 32, 1)] * 2
                + [(32, 64, 2)]
                + [(64, 64, 1)] * 2
            )
            self.blocks, self.head = nn.ModuleList(Block(*s) for s in shapes), nn.Linear(64, 10)

        def forward(self, x):
            x = self.bn(self.conv(x)).relu()
            for block in self.blocks:
                x = block(x)
            return self.head(x.mean((2, 3)))

    ours, theirs, x = (
        models.ResNet((3, 3, 3), (16, 32, 64), 10, rng=0),
        ResNet(),
        images(2, 3, 8, 8),
    )
    assert size(ours) == torch_size(theirs) == 269_722  # the 0.27 million of the paper's table 6
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    for mode in ("train", "eval"):  # the first updates the running statistics that the second uses
        a, b = getattr(ours, mode)()(x), getattr(theirs, mode)()(torch.tensor(x))
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=1e-3, atol=1e-4)


def test_unet_equals_one_made_in_torch():
    torch = pytest.importorskip("torch")
    nn = torch.nn
    double = lambda n, m: nn.Sequential(
        nn.Conv2d(n, m, 3, 1, 1), nn.ReLU(), nn.Conv2d(m, m, 3, 1, 1), nn.ReLU()
    )
    parts = nn.ModuleDict(
        {
            "down": nn.ModuleList([double(3, 4), double(4, 8), double(8, 16)]),
            "up": nn.ModuleList([nn.ConvTranspose2d(16, 8, 2, 2), nn.ConvTranspose2d(8, 4, 2, 2)]),
            "merge": nn.ModuleList([double(16, 8), double(8, 4)]),
            "head": nn.Conv2d(4, 5, 1),
        }
    )
    ours, x = models.UNet(3, 5, 4, 2, rng=0), images(2, 3, 8, 12)
    assert size(ours) == torch_size(parts)
    parts.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    a = parts["down"][0](torch.tensor(x))
    b = parts["down"][1](nn.functional.max_pool2d(a, 2))
    z = parts["down"][2](nn.functional.max_pool2d(b, 2))
    z = parts["merge"][0](torch.cat([b, parts["up"][0](z)], 1))
    z = parts["head"](parts["merge"][1](torch.cat([a, parts["up"][1](z)], 1)))
    np.testing.assert_allclose(ours(x).data, z.detach().numpy(), rtol=1e-4, atol=1e-5)


def test_a_language_model_carries_its_state():
    model, ids = (
        models.LSTMLanguageModel(9, 8, 2, dropout=0.5, rng=0).eval(),
        rng.integers(0, 9, (3, 12)),
    )
    with no_grad():
        whole, end = model(ids)
        first, state = model(ids[:, :5])
        second, last = model(ids[:, 5:], state)
        forgot, _ = model(ids[:, 5:])
    np.testing.assert_allclose(
        np.concatenate([first.data, second.data], axis=1), whole.data, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(last[1].data, end[1].data, rtol=1e-5, atol=1e-6)
    assert not np.allclose(forgot.data, whole.data[:, 5:], atol=1e-3)


def test_vae_is_its_definition():
    torch = pytest.importorskip("torch")
    D = torch.distributions
    model, x = models.VAE(12, 3, 16, rng=0).astype("float64"), BITS.astype("float64")
    logits, mean, log_var = model(Tensor(x), 5)
    normal = D.Normal(torch.tensor(mean.data), torch.tensor(log_var.data).div(2).exp())
    kl = D.kl_divergence(normal, D.Normal(torch.zeros(3), torch.ones(3))).sum(1)
    np.testing.assert_allclose(model.kl(mean, log_var).data, kl.numpy(), rtol=1e-9)
    fit = D.Bernoulli(logits=torch.tensor(logits.data)).log_prob(torch.tensor(x)).sum(1)
    np.testing.assert_allclose(model.loss(x, 5).item(), (kl - fit).mean().item(), rtol=1e-9)
    z = mean.data + np.exp(log_var.data / 2) * np.random.default_rng(5).standard_normal((4, 3))
    np.testing.assert_allclose(logits.data, model.decoder(z).data, rtol=1e-9)


@pytest.mark.parametrize("activation", ["ReLU", "Tanh", "GELU", "Softmax"])
def test_a_model_of_float16_equals_torchs(activation):
    torch = pytest.importorskip("torch")
    nn, axis = torch.nn, [-1] if activation == "Softmax" else []
    ours = models.MLP([6, 8, 3], getattr(layers, activation), rng=0).astype("float16")
    theirs = nn.Sequential(nn.Linear(6, 8), getattr(nn, activation)(*axis), nn.Linear(8, 3)).half()
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    x = images(4, 6).astype("float16")
    y, z = ours(x), theirs(torch.tensor(x))
    np.sum(y).backward(), z.sum().backward()
    assert y.dtype == np.float16
    np.testing.assert_allclose(y.data, z.detach().numpy(), atol=2e-3)
    for p, t in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert p.grad.dtype == np.float16
        np.testing.assert_allclose(p.grad, t.grad.numpy(), atol=1e-2)


@pytest.mark.parametrize("name", LEARN)
def test_one_seed_makes_one_model(name):
    a, b = (LEARN[name][0]().parameters().theta for _ in range(2))
    assert np.array_equal(a, b)
    one, _, two = models.MLP([4, 4, 4], rng=0)
    assert not np.array_equal(one.weight.data, two.weight.data)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: models.MLP([3]), r"MLP\(\[3\]\): want at least two sizes"),
        (lambda: models.MLP([3, 2])(ones((2, 4))), "expected 3"),
        (lambda: models.VAE(12, 3, 16)(ones((2, 11)), 0), "expected 12"),
        (lambda: models.LeNet()(ones((2, 1, 32, 32), "float32")), "expected 400"),
        (lambda: models.LeNet()(ones((2, 3, 28, 28))), r"want \(N, 1, H, W\)"),
        (lambda: models.ResNet((1, 1), (4,), 2), r"blocks \(1, 1\), widths \(4,\); want as many"),
        (lambda: models.ResNet((1, 1), (8, 4), 2), "no width below the last"),
        (lambda: models.ResNet((1, 0), (4, 8), 2), "blocks from 1"),
        (lambda: models.ResNet((), (), 2), "blocks from 1"),
        (lambda: models.UNet(3, 2, 4, 2)(ones((1, 3, 8, 6))), "H and W divisible by 4; pad it"),
        (lambda: models.LSTMLanguageModel(5, 4)(np.array([[[1, 2]]])), "want"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
