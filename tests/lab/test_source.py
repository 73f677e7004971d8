"""source() shows the code that runs, and nothing else."""

import inspect

import numpy as np
import pytest

from dlscratch import lab
from dlscratch.engine import Tensor, custom_vjp
from dlscratch.engine.graph import sum_to
from dlscratch.lab import source


def textbook_double(x):
    return x + x


def forward(x):
    return 2 * x, None


def backward(g, y, saved, needs, x):
    return (2 * g,)


def fenced():
    """```text"""


def test_a_function_is_shown_as_it_stands():
    assert repr(source(sum_to)) == inspect.getsource(sum_to).strip()
    assert (
        source(sum_to)._repr_markdown_() == f"```python\n{inspect.getsource(sum_to).strip()}\n```"
    )


def test_methods_lose_their_indent():
    first, second = repr(source(Tensor.detach)).splitlines()[:2]
    assert first.startswith("def detach(self)") and second.startswith('    """')


def test_classes_modules_and_instances():
    assert repr(source(lab.probe)).startswith("class probe")
    assert repr(source(lab.measures)).startswith('"""Single numbers')
    assert repr(source(Tensor(1.0))) == repr(source(Tensor))


def test_several_at_once():
    assert repr(source(forward, backward)) == f"{source(forward)}\n\n\n{source(backward)}"


def test_a_numpy_function_shows_its_rule():
    assert repr(source(np.tanh)) == "rule(np.tanh, lambda g, y, x: g * (1 - y * y))"
    assert "@composed(np.logaddexp.reduce)" in repr(source(np.logaddexp.reduce))


def test_a_fused_operation_shows_all_three():
    shown = repr(source(custom_vjp(textbook_double, forward, backward)))
    assert [line for line in shown.splitlines() if line.startswith("def")] == [
        "def textbook_double(x):",
        "def forward(x):",
        "def backward(g, y, saved, needs, x):",
    ]


def test_a_fence_inside_the_code_does_not_end_the_block():
    assert source(fenced)._repr_markdown_().startswith("````python\n")


def test_what_has_no_source():
    with pytest.raises(TypeError, match="len has no Python source"):
        source(len)
    with pytest.raises(TypeError, match="np.argmax has no derivative rule"):
        source(np.argmax)
