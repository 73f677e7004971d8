"""One bar: on stdout, gone at the end, switched off in one place."""

import ast
from pathlib import Path

import pytest

from dlscratch import progress

PACKAGE = Path(__file__).parents[1] / "dlscratch"


def test_a_bar_is_shown_on_stdout_and_passes_everything_on(capsys, monkeypatch):
    monkeypatch.setenv("DLSCRATCH_PROGRESS", "1")
    assert list(progress.bar("abc", "letters")) == ["a", "b", "c"]
    shown = capsys.readouterr()
    assert "letters" in shown.out and "0/3" in shown.out and not shown.err


@pytest.mark.parametrize("variable, enabled", [("0", True), ("1", False), (None, False)])
def test_bars_are_switched_off_by_the_variable_or_the_argument(
    capsys, monkeypatch, variable, enabled
):
    monkeypatch.delenv("DLSCRATCH_PROGRESS", raising=False)
    if variable is not None:
        monkeypatch.setenv("DLSCRATCH_PROGRESS", variable)
    assert list(progress.bar("abc", "letters", enabled)) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_without_an_iterable_the_bar_is_moved_by_hand(capsys, monkeypatch):
    monkeypatch.setenv("DLSCRATCH_PROGRESS", "1")
    with progress.bar(None, "bytes", total=10, leave=True) as bar:
        bar.update(10)
    assert "10/10" in capsys.readouterr().out


def test_files_are_replaced_and_bars_are_made_in_one_place_each():
    replacing, bars = set(), set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.replace", "os.rename"):
                replacing.add(path.relative_to(PACKAGE).as_posix())
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tqdm"):
                bars.add(path.relative_to(PACKAGE).as_posix())
    assert bars == {"progress.py"}
    assert replacing == {"files.py", "cli/notebooks.py"}, "the latter keeps a failed run's copy"
