"""The watchmen watched.

A rule that is a thousandth off, or blind to its own inputs, must be caught by some sample.
"""

import pytest

from dlscratch.engine import RULES, Tensor
from dlscratch.engine.operation import describe
from tests.samples import SAMPLES

from .differences import LIMITS, Check, nodes, ours, run

USES = {}
for sample in SAMPLES:
    for node in nodes(run(sample, requires_grad=True)[1]):
        USES.setdefault(node.op, []).append(sample)

ARGUMENTS = [
    (op, i) for op in sorted(ours(RULES), key=describe) for i in range(len(RULES[op].vjps))
]
NAMES = [f"{describe(op)} {i}" for op, i in ARGUMENTS]
NO_GRADIENT = {"np.where 0", "np.copysign 1"}  # a condition, a sign
LINEAR = """
    positive negative add subtract sum reshape transpose broadcast_to cumsum where maximum minimum
    fmax fmin max min amax amin absolute fabs copysign remainder fmod deg2rad radians rad2deg
    degrees nan_to_num copy getitem scatter windows unfold fold join cast alias
"""


def name(value):
    return str(value) if isinstance(value, int) else describe(value)


def scaled(vjp):
    """The same, times 1.001."""
    grow = lambda g: None if g is None else g * 1.001
    return lambda *a, **k: (
        [*map(grow, r)] if isinstance(r := vjp(*a, **k), (list, tuple)) else grow(r)
    )


def blinded(vjp):
    """The same numbers, but as if the rule had closed over them: constants, except for g."""
    still = lambda x: Tensor(x.data) if isinstance(x, Tensor) else x
    return lambda g, y, *inputs, **k: vjp(g, still(y), *map(still, inputs), **k)


def caught(op, i, mutant, order, monkeypatch):
    vjps = [mutant(v) if j == i else v for j, v in enumerate(RULES[op].vjps)]
    monkeypatch.setattr(RULES[op], "vjps", tuple(vjps))
    return any(not Check(sample).error(order) < LIMITS[order] for sample in USES[op])


@pytest.mark.parametrize(
    "op, i", [a for a, n in zip(ARGUMENTS, NAMES, strict=True) if n not in NO_GRADIENT], ids=name
)
def test_a_rule_slightly_off_is_caught(op, i, monkeypatch):
    assert caught(op, i, scaled, 1, monkeypatch)


@pytest.mark.parametrize(
    "op, i", [a for a in ARGUMENTS if a[0].__name__ not in LINEAR.split()], ids=name
)
def test_a_rule_blind_to_its_inputs_is_caught(op, i, monkeypatch):
    assert caught(op, i, blinded, 2, monkeypatch)
