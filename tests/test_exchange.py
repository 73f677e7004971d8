"""Weights move to PyTorch and back through safetensors, and both compute the same with them."""

import numpy as np
import pytest

from dlscratch import Tensor, checkpoints, layers, no_grad

CASES = {
    "MLP": (
        (7, 5),
        lambda nn: nn.Sequential(
            nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 8, bias=False), nn.GELU(), nn.Linear(8, 3)
        ),
    ),
    "normalized MLP": (
        (7, 5),
        lambda nn: nn.Sequential(
            nn.Linear(5, 8),
            nn.BatchNorm1d(8),
            nn.ReLU(),
            nn.Dropout(0.4),
            nn.Linear(8, 6),
            nn.LayerNorm(6),
            nn.Sigmoid(),
        ),
    ),
    "ConvNet": (
        (4, 2, 9, 8),
        lambda nn: nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 6, (3, 2), stride=2, groups=2),
            nn.Flatten(),
            nn.BatchNorm1d(12),
            nn.Linear(12, 3),
        ),
    ),
    "ConvNet 1d": (
        (4, 2, 10),
        lambda nn: nn.Sequential(
            nn.Conv1d(2, 4, 3),
            nn.BatchNorm1d(4),
            nn.ReLU(),
            nn.AvgPool1d(2),
            nn.ConvTranspose1d(4, 3, 2, stride=2),
        ),
    ),
    "nested": (
        (3, 6),
        lambda nn: nn.Sequential(
            nn.Sequential(nn.Linear(6, 4), nn.ReLU()), nn.Sequential(nn.LayerNorm(4))
        ),
    ),
}


def trained_a_little(case, seed, dtype=np.float64):
    """(our model, PyTorch's twin, inputs): independent weights and running averages, then evaluation mode."""
    torch = pytest.importorskip("torch")
    shape, build = CASES[case]
    torch.manual_seed(seed)
    ours, theirs = (
        build(layers).astype(dtype),
        build(torch.nn).to(getattr(torch, np.dtype(dtype).name)),
    )
    rng = np.random.default_rng(seed)
    for _ in range(3):
        x = rng.normal(1, 2, shape).astype(dtype)
        ours(Tensor(x))
        theirs(torch.tensor(-x))
    return ours.eval(), theirs.eval(), rng.normal(size=shape).astype(dtype)


def outputs(ours, theirs, x):
    import torch

    with torch.no_grad(), no_grad():
        return ours(Tensor(x)).data, theirs(torch.tensor(x)).numpy()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("case", CASES)
def test_there_and_back(case, dtype, tmp_path):
    ours, theirs, x = trained_a_little(case, seed=0, dtype=dtype)
    from safetensors.torch import load_file, save_file

    within = 1e-9 if dtype == np.float64 else 1e-5
    a, b = outputs(ours, theirs, x)
    assert np.abs(a - b).max() > 1e-3, "before, they differ"

    checkpoints.save(ours, tmp_path / "ours")
    state = load_file(tmp_path / "ours")
    assert {k: v.dtype for k, v in state.items()} == {
        k: v.dtype for k, v in theirs.state_dict().items()
    }
    assert str(theirs.load_state_dict(state)) == "<All keys matched successfully>"
    after, b = outputs(ours, theirs, x)
    assert np.array_equal(after, a) and np.abs(a - b).max() <= within * np.abs(b).max()

    _, theirs, x = trained_a_little(case, seed=1, dtype=dtype)
    save_file(theirs.state_dict(), tmp_path / "theirs", metadata={"format": "pt"})
    checkpoints.load(ours, tmp_path / "theirs")
    a, b = outputs(ours, theirs, x)
    assert np.abs(a - b).max() <= within * np.abs(b).max()

    checkpoints.save(ours, tmp_path / "back")
    back, wanted = load_file(tmp_path / "back"), theirs.state_dict()
    assert back.keys() == wanted.keys() and all((back[k] == wanted[k]).all() for k in wanted), (
        "bit for bit"
    )


def test_views_that_are_not_contiguous_arrive_whole(tmp_path):
    from safetensors.numpy import load_file

    model = layers.Sequential(layers.Linear(5, 4, rng=0))
    model.table = np.arange(12.0).reshape(3, 4).T
    model.flag, model.half = np.array([True, False]), np.array(0.5, np.float16)
    checkpoints.save(model, tmp_path / "weights")
    found, wanted = load_file(tmp_path / "weights"), model.state_dict()
    assert found.keys() == wanted.keys() == {"0.weight", "0.bias", "table", "flag", "half"}
    assert all(
        v.dtype == wanted[k].dtype and v.shape == wanted[k].shape and np.array_equal(v, wanted[k])
        for k, v in found.items()
    )


def test_files_of_pytorch_that_do_not_fit_are_refused(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    model, path = layers.Sequential(layers.Linear(3, 2, rng=0)), tmp_path / "theirs"
    before = {k: v.tobytes() for k, v in model.state_dict().items()}
    good = {"0.weight": torch.ones(2, 3), "0.bias": torch.ones(2)}
    bad = {
        "shape": (
            good | {"0.bias": torch.ones(3)},
            ValueError,
            r"0.bias came with shape \(3,\), want \(2,\)",
        ),
        "missing": ({"0.weight": torch.ones(2, 3)}, KeyError, r"missing \['0.bias'\]"),
        "unexpected": (good | {"1.bias": torch.ones(2)}, KeyError, r"unexpected \['1.bias'\]"),
        "bfloat16": ({k: v.bfloat16() for k, v in good.items()}, ValueError, "BF16"),
    }
    for state, error, match in bad.values():
        save_file(state, path)
        with pytest.raises(error, match=match) as caught:
            checkpoints.load(model, path)
        assert str(path) in str(caught.value)
    save_file(good, path)
    whole = path.read_bytes()
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        with pytest.raises(ValueError, match="damaged"):
            checkpoints.load(model, path)
    torch.save(good, path)
    with pytest.raises(ValueError, match="damaged"):
        checkpoints.load(model, path)
    assert {k: v.tobytes() for k, v in model.state_dict().items()} == before
