"""The package's own code, shown where it is talked about, so that book and code cannot part."""

import ast
import functools
import inspect
import textwrap
from typing import Any

import numpy as np

from ..engine import COMPOSED, RULES
from ..engine.operation import describe

__all__ = ["source", "Source"]


class Source:
    """Code as text: a highlighted block in a notebook, plain lines elsewhere."""

    def __init__(self, code: str):
        self.code = code

    def __repr__(self):
        return self.code

    def _repr_markdown_(self):
        fence = "````" if "```" in self.code else "```"
        return f"{fence}python\n{self.code}\n{fence}"


def source(*objects: Any) -> Source:
    """The real code of functions, classes, methods or modules.

    Of a NumPy function it is the derivative rule; of an operation with a fast twin the textbook
    form, the fast form and its gradient; of a model or another object, its class. Raises TypeError
    for what has no Python source.

    Examples
    --------
    >>> source(np.tanh)
    rule(np.tanh, lambda g, y, x: g * (1 - y * y))
    """
    return Source("\n\n\n".join(_code(obj) for obj in objects))


def _code(obj):
    if hasattr(obj, "textbook"):
        return "\n\n\n".join(_code(part) for part in (obj.textbook, obj.forward, obj.backward))
    if isinstance(obj, functools.partial):
        return _code(obj.func)
    is_ufunc = isinstance(getattr(obj, "__self__", obj), np.ufunc)
    if is_ufunc or str(getattr(obj, "__module__", "")).startswith("numpy"):
        return _rule(obj)
    if not (inspect.isroutine(obj) or inspect.isclass(obj) or inspect.ismodule(obj)):
        obj = type(obj)
    try:
        return textwrap.dedent(inspect.getsource(inspect.unwrap(obj))).strip()
    except (TypeError, OSError):
        name = getattr(obj, "__name__", obj)
        raise TypeError(
            f"{name} has no Python source to show; give a function, class, method or module"
        ) from None


def _rule(function):
    """The statement of the engine's registry that gives a NumPy function its derivative."""
    if function in COMPOSED:
        return _code(COMPOSED[function])
    if function not in RULES:
        raise TypeError(f"{describe(function)} has no derivative rule, and its own code is NumPy's")
    written = inspect.unwrap(RULES[function].vjps[0]).__code__
    with open(written.co_filename, encoding="utf-8") as file:
        text = file.read()
    before = [s for s in ast.parse(text).body if s.lineno <= written.co_firstlineno]
    return ast.get_source_segment(text, before[-1])
