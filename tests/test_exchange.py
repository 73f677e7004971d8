"""Weights move to PyTorch and back through safetensors, and both compute the same with them."""

import io
import json
import pickle
import re
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

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
    """Our model, PyTorch's twin with other weights and averages, and inputs; both evaluate."""
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
        "float8": (
            {k: v.to(torch.float8_e4m3fn) for k, v in good.items()},
            ValueError,
            "dtype F8_E4M3, which NumPy has not",
        ),
    }
    for state, error, match in bad.values():
        save_file(state, path)
        with pytest.raises(error, match=match) as caught:
            checkpoints.load(model, path)
        assert str(path) in str(caught.value)
        assert not re.search("damaged|delete|remove", str(caught.value))
    save_file(good, path)
    whole = path.read_bytes()
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        with pytest.raises(ValueError, match="damaged" if end else "is an empty file"):
            checkpoints.load(model, path)
    torch.save(good, path)
    with pytest.raises(ValueError, match="is a PyTorch file .*; save it from PyTorch as safet"):
        checkpoints.load(model, path)
    assert {k: v.tobytes() for k, v in model.state_dict().items()} == before


# Other dtypes ---------------------------------------------------------------------------


def test_bfloat16_comes_as_the_float32_of_the_same_numbers(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    numbers = torch.tensor([0.0, -0.0, 1.0, -2.5, 1e-40, 3e38, torch.inf, -torch.inf, torch.nan])
    linear = torch.nn.Linear(3, 2).bfloat16()
    save_file(linear.state_dict() | {"numbers": numbers.bfloat16()}, tmp_path / "half")
    read = checkpoints.read(tmp_path / "half")
    wanted = numbers.bfloat16().float().numpy()
    assert read["numbers"].tobytes() == wanted.tobytes() and wanted.dtype == np.float32
    save_file(linear.state_dict(), tmp_path / "half")
    model = checkpoints.load(layers.Linear(3, 2, rng=0), tmp_path / "half")
    assert np.array_equal(model.weight.data, linear.weight.detach().float().numpy())
    double = checkpoints.load(layers.Linear(3, 2, rng=0).astype("float64"), tmp_path / "half")
    assert np.array_equal(double.weight.data, model.weight.data)


@pytest.mark.parametrize("own", ["float16", "float32", "float64"])
@pytest.mark.parametrize("stored", ["float16", "float32", "float64"])
def test_weights_of_another_float_dtype_are_cast_as_pytorch_casts_them(tmp_path, stored, own):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    largest = np.finfo(stored).max / 2  # in float16, that of float32 is infinite
    weight = torch.tensor([[1 / 3, -largest, 1e-7]], dtype=getattr(torch, stored))
    state = {"weight": weight, "bias": torch.ones(1, dtype=weight.dtype)}
    save_file(state, tmp_path / "weights")
    theirs = torch.nn.Linear(3, 1).to(getattr(torch, own))
    theirs.load_state_dict(state)
    ours = checkpoints.load(layers.Linear(3, 1, rng=0).astype(own), tmp_path / "weights")
    assert ours.weight.dtype == own
    assert np.array_equal(ours.weight.data, theirs.weight.detach().numpy())


DTYPES = sorted({str(dtype) for dtype in checkpoints._NAMES})


@given(st.data())
def test_arrays_of_all_dtypes_go_to_the_file_and_back(tmp_path_factory, data):
    from safetensors.numpy import load_file

    path = tmp_path_factory.mktemp("state") / "arrays"
    names = data.draw(st.sets(st.text(st.characters(codec="utf-8"), max_size=5), max_size=4))
    arrays = {}
    for name in sorted(names - {"__metadata__"}):
        dtype = data.draw(st.sampled_from(DTYPES))
        array = data.draw(hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0)))
        swapped = array.astype(array.dtype.newbyteorder(data.draw(st.sampled_from("<>"))))
        arrays[name] = swapped.T if data.draw(st.booleans()) else swapped
    checkpoints._write(path, arrays, {})
    for found in (checkpoints.read(path), load_file(path)):
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype.newbyteorder("=")
            assert found[name].tobytes() == array.astype(found[name].dtype).tobytes()
            assert found[name].shape == array.shape


def test_what_safetensors_has_no_word_for_is_refused(tmp_path):
    model = layers.Linear(2, 1, rng=0)
    model.table = np.array(["a", "b"])
    with pytest.raises(TypeError, match="save: table is <U1, which safetensors has not"):
        checkpoints.save(model, tmp_path / "weights")
    assert not list(tmp_path.iterdir())


def test_a_header_that_could_not_be_read_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "_LONGEST", 200)
    with pytest.raises(ValueError, match="safetensors reads up to 200"):
        checkpoints.save(layers.Linear(2, 1, rng=0), tmp_path / "weights")
    assert not list(tmp_path.iterdir())


# The same bytes -------------------------------------------------------------------------

SAVES = """
import sys
import numpy as np
from dlscratch import checkpoints, layers, optimizers
model = layers.Sequential(layers.Linear(3, 2, rng=0), layers.BatchNorm1d(2))
checkpoints.save(model, sys.argv[1] + "_weights")
rule = optimizers.Adam(model.parameters())
checkpoints.save_checkpoint(sys.argv[1] + "_run", model, rule, np.random.default_rng(0))
"""


def test_the_same_weights_give_the_same_bytes_in_every_process(tmp_path):
    for name in "abc":
        subprocess.run([sys.executable, "-c", SAVES, str(tmp_path / name)], check=True)
    for kind in ("weights", "run"):
        assert len({(tmp_path / f"{name}_{kind}").read_bytes() for name in "abc"}) == 1


def test_the_order_of_definition_does_not_change_the_bytes(tmp_path):
    arrays = {"a": np.ones(3), "b": np.zeros((2, 2), np.float16), "c": np.arange(3)}
    checkpoints._write(tmp_path / "one", arrays, {})
    checkpoints._write(tmp_path / "two", dict(reversed(arrays.items())), {})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


# Files of other kinds -------------------------------------------------------------------


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    return file.getvalue()


def written(write):
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("weights"))
    return file.getvalue()


def of_torch(**options):
    torch = pytest.importorskip("torch")
    return written(lambda file: torch.save({"weight": torch.ones(2, 3)}, file, **options))


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 98\n"
FOREIGN = {
    "an empty file": lambda: b"",
    "a PyTorch file": of_torch,
    "a pickle, as in old PyTorch": lambda: of_torch(_use_new_zipfile_serialization=False),
    "a pickle": lambda: pickle.dumps({"weight": np.ones(3)}),
    r"an archive of NumPy arrays \(.npz\)": lambda: written(lambda f: np.savez(f, a=np.ones(3))),
    r"a NumPy array \(.npy\)": lambda: written(lambda f: np.save(f, np.ones(3))),
    "an HDF5 file": lambda: b"\x89HDF\r\n\x1a\n" + bytes(100),
    "a Keras model": lambda: zipped("metadata.json", "config.json", "model.weights.h5"),
    "a GGUF file": lambda: b"GGUF" + (3).to_bytes(4, "little") + bytes(100),
    "a Git LFS pointer": lambda: POINTER,
    r"a web page \(HTML\)": lambda: b"\n<!DOCTYPE html><html><body>404</body></html>",
    r"a web page": lambda: b"<HTML><head></head></HTML>",
    "an XML text": lambda: b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    "a JSON text": lambda: json.dumps({"weight_map": {"a": "model-00001.safetensors"}}).encode(),
    "a gzip file": lambda: b"\x1f\x8b\x08\x00" + bytes(20),
    "a tar archive": tar,
    "a zip archive; unpack it": lambda: zipped("a.txt"),
    "a zip archive that is cut short": lambda: of_torch()[:200],
    "a Parquet table": lambda: b"PAR1" + bytes(20),
    "no safetensors file": lambda: b"some words that somebody wrote\n",
    "no safetensors file .*not known here": lambda: bytes(range(200, 256)),
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("call", ["load", "read", "load_checkpoint"])
def test_files_of_other_kinds_are_named_and_nobody_is_told_to_delete_them(tmp_path, name, call):
    from dlscratch import optimizers

    path = tmp_path / "weights.bin"
    path.write_bytes(FOREIGN[name]())
    model = layers.Linear(3, 2, rng=0)
    before = model.weight.data.copy()
    calls = {
        "load": lambda: checkpoints.load(model, path),
        "read": lambda: checkpoints.read(path),
        "load_checkpoint": lambda: checkpoints.load_checkpoint(
            path, model, optimizers.SGD(model.parameters()), np.random.default_rng(0)
        ),
    }
    with pytest.raises(ValueError, match=f"weights.bin is {name}") as caught:
        calls[call]()
    said = str(caught.value)
    assert "expected" in said and not re.search("delete|remove", said)
    assert "damaged" not in said or name.startswith("no safetensors file")
    assert np.array_equal(model.weight.data, before)


def test_an_onnx_model_is_named(tmp_path):
    pytest.importorskip("onnx")
    from dlscratch import onnx

    model, path = layers.Sequential(layers.Linear(3, 2, rng=0)), tmp_path / "model.onnx"
    onnx.to_onnx(model, np.ones((2, 3), np.float32), path)
    with pytest.raises(ValueError, match="model.onnx is an ONNX model"):
        checkpoints.load(model, path)


# Other names ----------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model.body."])
def test_names_with_a_prefix_come_with_the_line_that_takes_it_off(tmp_path, prefix):
    model = layers.Sequential(layers.Linear(3, 2, rng=0), layers.BatchNorm1d(2))
    path = tmp_path / "weights"
    checkpoints._write(path, {prefix + k: v + 1 for k, v in model.state_dict().items()}, {})
    wanted = {k: v + 1 for k, v in model.state_dict().items()}
    with pytest.raises(KeyError, match=f"its names begin with '{prefix}'; take that off") as caught:
        checkpoints.load(model, path)
    line = re.search(r"take that off: (.*)", caught.value.args[0])[1]
    eval(line, {"model": model, "checkpoints": checkpoints, "path": path})
    assert all(np.array_equal(v, wanted[k]) for k, v in model.state_dict().items())


def test_weights_of_a_part_are_sent_there(tmp_path):
    class Body(layers.Module):
        def __init__(self):
            self.body, self.head = layers.Linear(3, 2, rng=0), layers.Linear(2, 2, rng=1)

    model = Body()
    checkpoints.save(model.body, tmp_path / "part")
    with pytest.raises(KeyError, match="its names are those of model.(body|head): load it into"):
        checkpoints.load(model, tmp_path / "part")


def test_names_that_have_nothing_in_common_get_no_such_hint(tmp_path):
    checkpoints._write(tmp_path / "weights", {"a.weight": np.ones(3)}, {})
    with pytest.raises(KeyError, match="make the model that was saved, or save it anew"):
        checkpoints.load(layers.Linear(3, 2, rng=0), tmp_path / "weights")
