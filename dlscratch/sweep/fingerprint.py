"""A fingerprint of a function's code: results of changed code are not mixed with old ones."""

import inspect
from collections.abc import Callable
from functools import partial
from types import CodeType
from typing import Any

__all__ = ["fingerprint", "name_of"]


def fingerprint(fn: Callable) -> str:
    """Eight hexadecimal digits that change with what a function does.

    What counts: its bytecode, defaults and closure, and the same of whatever it uses of its own
    module. Comments and layout do not count, nor does the code of other modules.

    Raises ValueError where a value that it uses cannot be pickled.
    """
    import joblib

    home = getattr(fn, "func", fn).__module__
    try:
        return joblib.hash(_identity(fn, home, set()))[:8]
    except Exception as error:  # what pickle raises is of many types
        raise ValueError(
            f"{name_of(fn)} uses a value that cannot be pickled ({error}); "
            "make it inside the function"
        ) from error


def name_of(thing: Any) -> str:
    """The name of a function, class or module."""
    return getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None) or repr(thing)


def _identity(thing, home, seen):
    """What makes a thing itself, as nested lists of values that joblib.hash takes.

    home: the module whose functions and classes count by their code, others by their name.
    seen: the functions and classes that are described already; a set that grows.
    """
    if isinstance(thing, partial):
        parts = [thing.func, *thing.args, *thing.keywords, *thing.keywords.values()]
    elif isinstance(thing, CodeType):
        constants = [_identity(one, home, seen) for one in thing.co_consts]
        return [thing.co_code, thing.co_names, constants]
    elif not (inspect.isroutine(thing) or inspect.isclass(thing) or inspect.ismodule(thing)):
        return thing
    elif getattr(thing, "__module__", None) != home or thing in seen:
        return name_of(thing)
    else:
        seen.add(thing)
        if inspect.isfunction(thing):
            parts = _used(thing)
        else:
            parts = [method for method in vars(thing).values() if inspect.isfunction(method)]
    return [_identity(part, home, seen) for part in parts]


def _used(fn):
    """The code of a function, and the values that it has from outside."""
    names = sorted(_names(fn.__code__))
    closure = [cell.cell_contents for cell in fn.__closure__ or ()]
    globals_ = [fn.__globals__[name] for name in names if name in fn.__globals__]
    return [fn.__code__, fn.__defaults__, fn.__kwdefaults__, *closure, *globals_]


def _names(code):
    """The global names and attributes in a piece of code, and in the functions inside it."""
    inner = [_names(c) for c in code.co_consts if isinstance(c, CodeType)]
    return set(code.co_names).union(*inner)
