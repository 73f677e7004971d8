"""What PyTorch's users write raises, and the error names NumPy's way, which works."""

import numpy as np
import pytest

from dlscratch import layers
from dlscratch.engine import Tensor
from dlscratch.engine.hints import ATTRIBUTES, OPTIONS

T = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)

SAID = {
    "view": r"t\.reshape",
    "permute": r"t\.transpose",
    "clone": r"t\.copy",
    "numpy": r"t\.data",
    "unsqueeze": r"np\.expand_dims",
    "cuda": r"docs/gpu\.md",
    "to": r"t\.astype",
    "float": r"t\.astype\('float32'\)",
    "double": r"t\.astype\('float64'\)",
    "long": r"t\.astype\('int64'\)",
    "contiguous": "t itself",
    "exp": r"np\.exp\(t\)",
    "tanh": r"np\.tanh\(t\)",
    "abs": r"np\.absolute\(t\)",
    "flip": r"np\.flip\(t\)",
    "softmax": r"functional\.softmax",
    "masked_fill": r"np\.where",
    "gather": r"np\.take_along_axis",
    "numel": r"t\.size",
    "grad_fn": r"t\.op",
    "fill_": r"not changed in place.*with no_grad\(\)",
    "add_": r"not changed in place.*with no_grad\(\)",
    "requires_grad_": r"t\.requires_grad = True",
    "logsumexp": r"np\.logaddexp\.reduce",
}


@pytest.mark.parametrize("name, said", SAID.items(), ids=SAID)
@pytest.mark.parametrize(
    "tensor", [T, layers.Linear(3, 2, rng=0).weight], ids=["Tensor", "Parameter"]
)
def test_an_attribute_of_pytorch_names_the_way_of_numpy(name, said, tensor):
    with pytest.raises(AttributeError, match=said):
        getattr(tensor, name)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_every_hint_is_for_an_attribute_that_is_missing(name):
    assert not hasattr(Tensor, name) and not hasattr(T, name)


@pytest.mark.parametrize("name", sorted(n for n in dir(np.ndarray) if n[0] != "_"))
def test_every_attribute_of_ndarray_is_there_or_says_where(name):
    if not hasattr(T, name):
        with pytest.raises(AttributeError, match=rf"no \.{name}.*t\.data\.{name}"):
            getattr(T, name)


@pytest.mark.parametrize(
    "name", "sum mean var std max min prod cumsum cumprod argmax argmin any all squeeze".split()
)
def test_dim_is_axis(name):
    with pytest.raises(TypeError, match=rf"t\.{name} does not take dim=; want axis="):
        getattr(T, name)(dim=0)


def test_the_other_words_of_pytorch():
    with pytest.raises(TypeError, match=r"does not take dim=, keepdim=; want axis=, keepdims="):
        T.sum(dim=0, keepdim=True)
    with pytest.raises(TypeError, match=r"does not take unbiased=; want ddof=1"):
        T.std(unbiased=True)
    with pytest.raises(TypeError, match=r"does not take start_dim=; want t\.reshape"):
        T.flatten(start_dim=1)
    with pytest.raises(TypeError, match=r"t\.sum does not take dtype=; see the method of numpy"):
        T.sum(dtype="float32")
    assert set(OPTIONS) >= {"dim", "keepdim", "unbiased"}


def test_a_name_that_nobody_knows_is_plainly_missing():
    with pytest.raises(AttributeError) as error:
        T.sesame  # noqa: B018
    assert str(error.value) == "'Tensor' object has no attribute 'sesame'"
    assert not hasattr(T, "__cuda_array_interface__")
