"""Sequential, ModuleList and ModuleDict are edited as lists and dicts are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import layers, models
from dlscratch.layers import Identity, Linear, Module, ModuleDict, ModuleList, ReLU, Sequential

EDITS = {
    "append": lambda m, new: m.append(new),
    "insert": lambda m, new: m.insert(1, new),
    "insert before the last": lambda m, new: m.insert(-1, new),
    "extend": lambda m, new: m.extend([new]),
    "set": lambda m, new: m.__setitem__(1, new),
    "set the last": lambda m, new: m.__setitem__(-1, new),
    "delete": lambda m, new: m.__delitem__(0),
    "delete some": lambda m, new: m.__delitem__(slice(1, None)),
    "pop": lambda m, new: m.pop(0),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("kind", ["Sequential", "ModuleList"])
def test_edited_as_in_torch(kind, edit):
    torch = pytest.importorskip("torch")
    if kind == "ModuleList" and edit is EDITS["insert before the last"]:
        return  # PyTorch 2.13 raises KeyError
    ours, theirs = (
        getattr(m, kind)(*parts) if kind == "Sequential" else getattr(m, kind)(parts)
        for m in (layers, torch.nn)
        for parts in [[m.Linear(3, 4), m.ReLU(), m.Linear(4, 3)]]
    )
    edit(ours, Linear(5, 6))
    edit(theirs, torch.nn.Linear(5, 6))
    shapes = {name: tuple(p.shape) for name, p in theirs.named_parameters()}
    assert {name: p.shape for name, p in ours.named_parameters()} == shapes
    assert [type(m).__name__ for m in ours] == [type(m).__name__ for m in theirs]
    assert len(ours) == len(theirs) and [n for n, _ in ours.named_children()] == [
        n for n, _ in theirs.named_children()
    ]


def test_an_edited_sequential_computes_what_it_holds():
    model = models.MLP([3, 4, 2], rng=0)
    x = np.ones((2, 3), "float32")
    first = model[0](x).data
    model[1] = Identity()
    del model[2]
    np.testing.assert_array_equal(model(x).data, first)
    assert isinstance(model[:1], Sequential) and len(Sequential()) == 0
    assert Sequential()(x) is x


numbers = st.integers(0, 9)
places = st.integers(-4, 4)
STEPS = st.one_of(
    st.tuples(st.just("append"), st.tuples(numbers)),
    st.tuples(st.just("insert"), st.tuples(places, numbers)),
    st.tuples(st.just("extend"), st.tuples(st.lists(numbers, max_size=2))),
    st.tuples(st.just("pop"), st.tuples(places)),
    st.tuples(st.just("__setitem__"), st.tuples(places, numbers)),
    st.tuples(st.just("__delitem__"), st.tuples(places)),
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([Sequential, ModuleList]), st.lists(numbers, max_size=3), st.lists(STEPS))
def test_any_edits_leave_what_they_leave_of_a_list(kind, start, steps):
    modules = [Linear(i + 1, 1, rng=0) for i in range(10)]
    plain = [modules[i] for i in start]
    ours = kind(*plain) if kind is Sequential else kind(plain)
    for method, arguments in steps:
        *where, last = arguments
        if method == "extend":
            last = [modules[i] for i in last]
        elif method not in ("pop", "__delitem__"):
            last = modules[last]
        outcomes = []
        for container in (ours, plain):
            try:
                outcomes.append(getattr(container, method)(*where, last))
            except IndexError:
                outcomes.append(IndexError)
        if method == "pop":
            assert outcomes[0] is outcomes[1]
        assert (IndexError in outcomes) == (outcomes == [IndexError] * 2)
        assert list(ours) == plain and len(ours) == len(plain)
        assert [k for k in vars(ours) if k.isdigit()] == [str(i) for i in range(len(plain))]


def test_identity_takes_any_arguments():
    x = np.ones(3)
    assert Identity(54, unused=True)(x) is x and not Identity().state_dict()


def test_module_dict_is_a_dict():
    heads = ModuleDict({"a": Linear(2, 1), "b": ReLU()})
    heads["c"] = Linear(1, 1)
    del heads["b"]
    heads.update({"a": Linear(2, 5)})
    assert list(heads) == list(heads.keys()) == ["a", "c"] and len(heads) == 2
    assert "a" in heads and "b" not in heads and heads["a"].out_features == 5
    assert [m for _, m in heads.items()] == list(heads.values())
    assert [n for n, _ in heads.named_parameters()] == ["a.weight", "a.bias", "c.weight", "c.bias"]


def test_lists_and_dicts_inside_a_module_have_the_names_of_plain_ones():
    class Listed(Module):
        def __init__(self, a_list, a_dict):
            self.blocks = a_list([Linear(1, 1), ReLU()])
            self.heads = a_dict({"a": Linear(1, 1)})

    plain, held = Listed(list, dict), Listed(ModuleList, ModuleDict)
    assert list(plain.state_dict()) == list(held.state_dict())
    assert isinstance(held.blocks[:1], ModuleList)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: Sequential(Linear(1, 1), np.tanh),
            TypeError,
            "argument 1 is ufunc; want a Module",
        ),
        (lambda: Sequential(ReLU), TypeError, r"call the class: ReLU\(\)"),
        (lambda: Sequential({"a": ReLU()}), TypeError, r"Sequential\(\*layers\.values\(\)\)"),
        (lambda: Sequential([ReLU()]), TypeError, r"unpack it: Sequential\(\*layers\)"),
        (lambda: Sequential().append(3), TypeError, "argument 0 is int; want a Module"),
        (lambda: ModuleList([ReLU(), None]), TypeError, "ModuleList: argument 1 is NoneType"),
        (lambda: ModuleList([ReLU()]).extend([3]), TypeError, "argument 1 is int"),
        (lambda: ModuleDict({"a": 3}), TypeError, r"ModuleDict\['a'\]: want a Module, got int"),
        (lambda: ModuleDict({"a.b": ReLU()}), ValueError, "a name without a dot"),
        (lambda: ModuleDict({"keys": ReLU()}), ValueError, "got 'keys'; give it another"),
        (lambda: Sequential()[0], IndexError, "range"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
