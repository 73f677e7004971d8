"""A fingerprint of a function's code, so that results of changed code are not mixed with the old ones."""

import inspect
from functools import partial
from types import CodeType

__all__ = ["fingerprint", "name_of"]


def fingerprint(fn):
    """Eight digits that change with the function's bytecode, defaults and closure, and with what it uses of its own module.

    Comments and layout do not count, nor does the code of other modules. Raises ValueError where a value cannot be pickled.
    """
    import joblib

    try:
        return joblib.hash(_identity(fn, getattr(fn, "func", fn).__module__, set()))[:8]
    except Exception as error:  # what pickle raises is of many types
        raise ValueError(
            f"{name_of(fn)} uses a value that cannot be pickled ({error}); make it inside the function"
        ) from error


def _identity(thing, home, seen):
    """What makes a thing itself, as nested lists of values that joblib.hash takes."""
    of = lambda things: [_identity(one, home, seen) for one in things]
    if isinstance(thing, partial):
        return of([thing.func, *thing.args, *thing.keywords, *thing.keywords.values()])
    if isinstance(thing, CodeType):
        return [thing.co_code, thing.co_names, of(thing.co_consts)]
    if not (inspect.isroutine(thing) or inspect.isclass(thing) or inspect.ismodule(thing)):
        return thing
    if getattr(thing, "__module__", None) != home or thing in seen:
        return name_of(thing)
    seen.add(thing)
    return of(
        _used(thing)
        if inspect.isfunction(thing)
        else filter(inspect.isfunction, vars(thing).values())
    )


def _used(fn):
    """The code of a function, and the values that it has from outside."""
    used = [fn.__globals__[name] for name in sorted(_names(fn.__code__)) if name in fn.__globals__]
    return [
        fn.__code__,
        fn.__defaults__,
        fn.__kwdefaults__,
        *(cell.cell_contents for cell in fn.__closure__ or ()),
        *used,
    ]


def _names(code):
    return set(code.co_names).union(*(_names(c) for c in code.co_consts if isinstance(c, CodeType)))


def name_of(thing):
    """The name of a function, class or module."""
    return getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None) or repr(thing)
