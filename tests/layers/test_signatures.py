"""Arguments, their order and defaults are PyTorch's, or the difference stands below with a reason.

For every public name that PyTorch has, too.
"""

import inspect
import re
import typing

import pytest

from dlscratch import functional, initializers, layers, optimizers

NEVER = {  # arguments that nothing here has
    "device dtype": "arrays live in memory; their dtype is the input's, or default_dtype()",
    "inplace out": "nothing writes in place: it would corrupt gradients",
    "size_average reduce min_value max_value": "deprecated there",
    "_stacklevel": "for warnings of PyTorch's own",
    "foreach capturable differentiable fused": "which of its loops runs; here there is one formula",
    "generator": "randomness is explicit: `rng`, the only argument that is always ours alone",
}
RENAMED = {
    "input": "x",
    "dim": "axis",
    "tensor": "x",
}  # Tensors speak NumPy, and what is no loss calls its first argument x
FILLED = (
    "zeros ones normal uniform trunc_normal xavier_normal xavier_uniform kaiming_normal "
    "kaiming_uniform orthogonal dirac"
)
HOOKS = (
    "Module.register_forward_pre_hook Module.register_forward_hook "
    "Module.register_full_backward_hook"
)
DIFFERENCES = [  # reason, difference, where
    ("nested tensors are PyTorch's own", "lacks enable_nested_tensor", "TransformerEncoder"),
    ("nested tensors are PyTorch's own", "lacks mask_check", "TransformerEncoder"),
    (
        "a string names the same function",
        "activation='relu', not a function",
        "TransformerEncoderLayer TransformerDecoderLayer",
    ),
    (
        "there, None warns and guesses the axis",
        "axis=-1, not None",
        "Softmax LogSoftmax functional.softmax functional.log_softmax",
    ),
    ("it is np.tanh", "adds out where casting order dtype subok signature", "functional.tanh"),
    ("makes an array of a shape, in place of filling one", "lacks x", FILLED),
    ("the same", "adds shape", FILLED),
    ("an empty parameter has no use", "data has no default, not None", "Parameter"),
    ("by place, too", "full eps reduction not by name only", "GaussianNLLLoss"),
    ("the numbers that all groups need are arguments, not a dict", "lacks defaults", "Optimizer"),
    ("the same", "adds lr", "Optimizer"),
    ("avg_fn says it", "lacks multi_avg_fn", "AveragedModel"),
    ("refused, unless 0: LSTM shares the constructor", "adds proj_size", "GRU"),
    ("hooks run in the order of their registration, and always", "lacks prepend", HOOKS),
    (
        "hooks see what has no name",
        "lacks with_kwargs",
        "Module.register_forward_pre_hook Module.register_forward_hook",
    ),
    ("an error ends the pass", "lacks always_call", "Module.register_forward_hook"),
    ("for PyTorch's own recursion", "lacks memo", "Module.named_modules"),
    ("tied modules are one", "lacks remove_duplicate", "Module.modules"),
    ("names begin at the module that is asked", "lacks prefix", "Module.state_dict"),
    ("copies of arrays, always", "lacks destination keep_vars", "Module.state_dict"),
    ("the same", "lacks assign", "Module.load_state_dict"),
]


def counterparts():
    """(name, ours, PyTorch's, its name there) for all that both have.

    The methods of Module and Embedding are among them.
    """
    torch = pytest.importorskip("torch")
    nn, optim = torch.nn, torch.optim
    floors = {
        layers: [nn, torch.func],
        functional: [nn.functional],
        initializers: [nn.init],
        optimizers: [optim, optim.lr_scheduler, optim.swa_utils, nn.utils],
    }
    for ours, modules in floors.items():
        for name in ours.__all__:
            choices = [
                (m, n)
                for m in modules
                for n in (f"{name}_with_indices", f"{name}_", name)
                if hasattr(m, n)
            ]
            if choices:
                found = getattr(*choices[0])
                yield (
                    f"functional.{name}" if ours is functional else name,
                    getattr(ours, name),
                    found,
                    choices[0][1],
                )
    for owner in (layers.Module, layers.Embedding):
        there = getattr(nn, owner.__name__)
        for name in [
            n
            for n in vars(owner)
            if not n.startswith("_") and n != "forward" and callable(getattr(there, n, None))
        ]:
            yield f"{owner.__name__}.{name}", getattr(owner, name), getattr(there, name), name


def signature(thing, name):
    """From Python, from the first of overloads, or, for C++, from the first line of its docs."""
    try:
        found = inspect.signature(thing)
    except ValueError:
        stub = {}
        exec(
            f"def stub({re.search(rf'{name}[(](.*?)[)] *->', thing.__doc__, re.DOTALL)[1]}): pass",
            stub,
        )
        return inspect.signature(stub["stub"])
    overloads = (
        typing.get_overloads(thing.__init__)
        if inspect.isclass(thing) and "args" in found.parameters
        else []
    )
    return inspect.signature(overloads[0]) if overloads else found


def arguments(thing, name):
    kinds = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    return {
        n: p
        for n, p in signature(thing, name).parameters.items()
        if p.kind not in kinds and n not in ("self", "rng")
    }


def differences(ours, theirs, unused):
    """In words. What applies everywhere is left out, and taken out of `unused`, too."""
    never, want = {name for names in NEVER for name in names.split()}, {}
    for name, p in theirs.items():
        new = RENAMED.get(name, name) if name not in ours else name
        unused -= {name} if new != name or name in never else set()
        if name not in never or name in ours:
            want[new] = p
    common = [n for n in ours if n in want]
    yield from (f"lacks {n}" for n in want if n not in ours)
    yield from (f"adds {n}" for n in ours if n not in want)
    if common != [n for n in want if n in ours]:
        yield f"order: {common}, not {[n for n in want if n in ours]}"
    for n in common:
        a, b = ours[n], want[n]
        if a.default != b.default:
            other = "a function" if callable(b.default) else b.default
            yield f"{n} {_shown(a)}, not {other}".replace(" =", "=")
        if a.kind != b.kind and a.KEYWORD_ONLY in (a.kind, b.kind):
            yield f"{n} {'' if a.kind == a.KEYWORD_ONLY else 'not '}by name only"


def _shown(p):
    return "has no default" if p.default is p.empty else f"={p.default!r}"


def expanded():
    """The table as (name, difference); several arguments in one line are several of them."""
    for _, difference, names in DIFFERENCES:
        word, *others = difference.split(" ", 1)
        many = [f"{word} {n}" for n in others[0].split()] if word in ("lacks", "adds") else None
        if difference.endswith("not by name only"):
            many = [
                f"{n} not by name only" for n in difference.removesuffix("not by name only").split()
            ]
        yield from ((name, d) for name in names.split() for d in many or [difference])


def test_arguments_are_torchs_or_the_difference_is_listed():
    unused = {name for names in NEVER for name in names.split()} | {*RENAMED}
    found, compared = set(), 0
    for full, ours, theirs, name in counterparts():
        compared += 1
        found |= {
            (full, d) for d in differences(arguments(ours, name), arguments(theirs, name), unused)
        }
    listed = set(expanded())
    assert found - listed == set(), "differences that are not listed"
    assert listed - found == set(), "listed differences that are gone"
    assert unused == set(), "rules for all that apply nowhere"
    assert compared > 150 and len(listed) == len(list(expanded()))


@pytest.mark.parametrize(
    "ours, message",
    [
        (lambda input, target, reduction="sum": 0, "reduction='sum', not mean"),
        (lambda input, target: 0, "lacks reduction"),
        (lambda target, input, reduction="mean": 0, "order: .*"),
        (lambda input, target, reduction="mean", *, p=1: 0, "adds p"),
        (lambda input, target, *, reduction="mean": 0, "reduction by name only"),
    ],
)
def test_differences_are_seen(ours, message):
    theirs = lambda input, target, size_average=None, reduction="mean": 0
    (said,) = differences(arguments(ours, ""), arguments(theirs, ""), set())
    assert re.fullmatch(message, said)


def test_layers_made_of_functions_take_arguments_by_place_and_show_them():
    shown = inspect.signature(layers.AvgPool2d).parameters.values()
    assert [(p.name, p.default) for p in list(shown)[:4]] == [
        ("kernel_size", inspect.Parameter.empty),
        ("stride", None),
        ("padding", 0),
        ("ceil_mode", False),
    ]
    assert layers.AvgPool2d(2, 3, 1, True, False, 7).divisor_override == 7
