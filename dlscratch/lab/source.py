"""The package's own code, shown where it is talked about, so that book and code cannot part."""

import ast
import inspect
import textwrap

import numpy as np

from ..engine import COMPOSED, RULES
from ..engine.operation import describe

__all__ = ["source", "Source"]


class Source:
    """Code as text: a highlighted block in a notebook, plain lines elsewhere."""

    def __init__(self, code):
        self.code = code

    def __repr__(self):
        return self.code

    def _repr_markdown_(self):
        fence = "````" if "```" in self.code else "```"
        return f"{fence}python\n{self.code}\n{fence}"


def source(*objects):
    """The real code of functions, classes, methods or modules; of a NumPy function, its derivative rule.

    A fused operation shows its textbook form, its fast form and its gradient; a model or other object, its class.
    Raises TypeError for what has no Python source.
    """
    return Source("\n\n\n".join(_code(obj) for obj in objects))


def _code(obj):
    if hasattr(obj, "textbook"):
        return "\n\n\n".join(_code(part) for part in (obj.textbook, obj.forward, obj.backward))
    if isinstance(getattr(obj, "__self__", obj), np.ufunc) or str(
        getattr(obj, "__module__", "")
    ).startswith("numpy"):
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
    """The statement of the engine's tables that gives a NumPy function its derivative."""
    if function in COMPOSED:
        return _code(COMPOSED[function])
    if function not in RULES:
        raise TypeError(f"{describe(function)} has no derivative rule, and its own code is NumPy's")
    written = inspect.unwrap(RULES[function].vjps[0]).__code__
    with open(written.co_filename, encoding="utf-8") as file:
        text = file.read()
    statements = ast.parse(text).body
    first = max(
        (s for s in statements if s.lineno <= written.co_firstlineno), key=lambda s: s.lineno
    )
    return ast.get_source_segment(text, first)
