"""Notebooks as files: found by number, read, run with other parameters, blanked for exercises."""

import nbformat
import pytest

from dlscratch.cli import notebooks as nb
from tools.notebooks.sample import runnable, sample

PARAMETERS = "seed = 0  # 0-9  #@param\ndepth = 3  # 1-9  #@param"


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A folder of notebooks that stands in for the project's."""
    monkeypatch.setattr(nb, "folder", lambda: tmp_path)
    runnable(
        tmp_path / "part0_a" / "05_b.ipynb",
        PARAMETERS,
        'print("✓ deep [measured", depth, "; wanted > 0]")',
    )
    runnable(tmp_path / "part1_a" / "11_c.ipynb", PARAMETERS, "depth / 0")
    return tmp_path


def test_folder_is_that_of_this_clone():
    assert (nb.folder() / "part0_foundations").is_dir()


def test_folder_where_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(nb, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="inside a clone"):
        nb.folder()


def test_find(clone):
    assert [p.name for p in nb.find()] == ["05_b.ipynb", "11_c.ipynb"]
    assert nb.find(5) == nb.find("05") == nb.find()[:1]
    with pytest.raises(ValueError, match="no notebook 7; there are 05, 11"):
        nb.find("7")


def test_what_a_notebook_says_of_itself():
    book = sample()
    assert nb.title(book) == "Sample" and nb.question(book) == "Is it so?"
    assert nb.cost(book) == "about 3 s on one core, 90 MB"
    assert nb.parameters(book) == {"seed": 0, "a": 0, "b": 0}
    claims = [(True, f"✓ It holds, {i} [measured 1; wanted > 0]") for i in range(6)]
    assert nb.claims(book) == claims
    assert nb.source_of(book, "no such tag") == ""


def test_run_changes_the_copy_alone(clone):
    (path,) = nb.find(5)
    before, out = path.read_bytes(), clone / "out" / "05.ipynb"
    book = nb.run(path, out, {"depth": 7}, progress=False, page=out.with_suffix(".html"))
    assert nb.claims(book) == [(True, "✓ deep [measured 7 ; wanted > 0]")]
    assert path.read_bytes() == before
    assert "✓ deep" in out.with_suffix(".html").read_text(encoding="utf-8")


def test_run_refuses_what_the_notebook_does_not_know(clone):
    with pytest.raises(
        ValueError, match="has no parameter width .did you mean depth..; it has seed=0, depth=3"
    ):
        nb.run(*nb.find(5), clone / "out.ipynb", {"width": 1})
    assert not (clone / "out.ipynb").exists()


def test_run_names_the_cell_that_fails(clone):
    with pytest.raises(
        RuntimeError,
        match="11_c.ipynb, executed cell .*ZeroDivisionError.*up to there is .*out_failed.ipynb",
    ):
        nb.run(*nb.find(11), clone / "out.ipynb", progress=False)


def test_blank_exercises_keep_names_and_checks(tmp_path):
    nbformat.write(sample(), tmp_path / "a.ipynb")
    book = nb.read(nb.blank_exercises(tmp_path / "a.ipynb", tmp_path / "new" / "b.ipynb"))
    solutions = [c for c in book.cells if "solution" in c.metadata.get("tags", [])]
    assert [c.source for c in solutions] == ["# Your turn.\nanswer = None"] * 3
    assert all(c.outputs == [] for c in book.cells if c.cell_type == "code")


def test_a_blank_keeps_imports():
    source = "from math import pi\nimport numpy as np\na, (b, c[0]) = 1, (2, 3)\n"
    source += "def f():\n    d = 1\nclass G: pass"
    assert nb._stub(source).split("\n") == [
        "# Your turn.",
        "from math import pi",
        "import numpy as np",
        "def f():",
        "    ...",
        *(f"{name} = None" for name in "abG"),
    ]


def test_a_blank_function_keeps_its_signature_and_docstring():
    blank = nb._stub('def kept(sizes, N=1):\n    """An int."""\n    return N * sum(sizes)')
    assert blank == '# Your turn.\ndef kept(sizes, N=1):\n    """An int."""\n    ...'
