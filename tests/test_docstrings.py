"""Every example in a docstring of the package runs, and prints what stands below it."""

import doctest
import importlib
from pathlib import Path

import pytest

from dlscratch import data, layers, models, optimizers

PACKAGE = Path(__file__).parents[1] / "dlscratch"
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def modules():
    """The names of all modules of the package that hold an example."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.stem != "__main__" and ">>> " in path.read_text(encoding="utf-8"):
            yield ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(
                ".__init__"
            )


@pytest.mark.parametrize("name", list(modules()))
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # an example that writes a file writes it here
    result = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert result.attempted
    assert not result.failed, "the report stands above"


@pytest.mark.parametrize("package", [layers, optimizers, models, data], ids=lambda p: p.__name__)
def test_every_class_that_users_make_has_an_example(package):
    named = {name: getattr(package, name) for name in package.__all__}
    without = {
        name
        for name, value in named.items()
        if isinstance(value, type) and not issubclass(value, tuple) and ">>> " not in value.__doc__
    }
    assert without == set()
