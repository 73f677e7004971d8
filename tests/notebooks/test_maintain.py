"""What is written back into notebooks and README, and what is run again under other conditions."""

import nbformat
import pytest

from dlscratch.cli import notebooks as nb
from tools.notebooks import address, ledger, maintain, rerun
from tools.notebooks.sample import PNG, runnable, sample

PARAMETERS = """seed = 0  # 0-9  #@param
rate = 0.5  # 0-1  #@param
depth = 1  # 1-9  #@param
name = 'a'  #@param"""
CLAIM = "print('✓' if seed < 3 else '✗', 'small [measured', seed, '; wanted < 3]')"


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A project with one notebook and a README."""
    (tmp_path / "dlscratch").mkdir()
    (tmp_path / "README.md").write_text(
        "# A\n<!-- table -->\nold\n<!-- /table -->\nend", encoding="utf-8"
    )
    (tmp_path / "pyproject.toml").write_bytes((address.ROOT / "pyproject.toml").read_bytes())
    monkeypatch.setattr(address, "ROOT", tmp_path)
    monkeypatch.setattr(ledger, "BUILD", tmp_path / "build")
    monkeypatch.setattr(nb, "folder", lambda: tmp_path / "notebooks")
    runnable(tmp_path / "notebooks" / "part0_a" / "05_b.ipynb", PARAMETERS, CLAIM)
    return tmp_path


def test_readme_table_is_that_of_the_notebooks():
    readme = (address.ROOT / "README.md").read_text(encoding="utf-8")
    assert maintain.with_table(readme) == readme, "the README's table is old; run make links"
    assert all(f"[{nb.title(nb.read(p))}]" in readme for p in nb.find())


def test_execute_writes_the_same_file_twice(clone, capsys):
    (path,) = nb.find(5)
    maintain.execute("05")
    first = path.read_bytes()
    assert nb.claims(nb.read(path)) and not any(
        "execution" in c.metadata for c in nb.read(path).cells
    )
    maintain.execute("05")
    assert path.read_bytes() == first
    maintain.execute("all")
    assert "unchanged since its last execute" in capsys.readouterr().out


def test_execute_leaves_a_notebook_that_fails_as_it_was(clone):
    path = runnable(clone / "notebooks" / "part0_a" / "06_c.ipynb", PARAMETERS, "1 / 0")
    before = path.read_bytes()
    with pytest.raises(SystemExit, match="ZeroDivisionError"):
        maintain.execute("06")
    assert path.read_bytes() == before


def test_the_answer_comes_to_the_top():
    book = sample()
    book.cells[0].source = book.cells[0].source.replace(PNG, "answer.png")
    book.cells[8].metadata.tags = ["answer"]
    assert f"]({PNG})" in maintain.answer_on_top(book).cells[0].source


def test_cost_stands_in_header_and_readme(clone):
    maintain.cost("05")
    assert nb.cost(nb.read(*nb.find(5))).endswith("MB")
    readme = (clone / "README.md").read_text(encoding="utf-8")
    assert (
        nb.cost(nb.read(*nb.find(5))) in readme
        and readme.startswith("# A")
        and readme.endswith("end")
    )


def test_links_follow_the_address(clone):
    text = (
        (clone / "pyproject.toml")
        .read_text(encoding="utf-8")
        .replace(address.UNSET, "someone/book")
    )
    (clone / "pyproject.toml").write_text(text, encoding="utf-8")
    maintain.links()
    book = nb.read(*nb.find(5))
    assert (
        "github/someone/book/blob" in book.cells[0].source
        and "git+https://github.com/someone/book" in book.cells[1].source
    )
    maintain.links()
    assert nb.read(*nb.find(5)).cells[1].source.count("find_spec") == 1


def test_a_change_of_code_counts_and_one_of_prose_does_not(clone):
    (path,) = nb.find(5)
    ledger.record(path, "seeds")
    book = nb.read(path)
    book.cells[0].source += "More prose."
    nbformat.write(book, path)
    assert ledger.done(path, "seeds") and not ledger.done(path, "cost")
    book.cells[2].source += "\nx = 1"
    nbformat.write(book, path)
    assert not ledger.done(path, "seeds")


def test_conditions():
    assert [c["seed"] for c in rerun.other_seeds({"seed": 0})] == [1, 2, 3]
    tried = list(rerun.changed({"seed": 0, "rate": 0.5, "depth": 1, "on": True, "name": "a"}))
    assert tried == [{"rate": 0.25}, {"rate": 1.0}, {"depth": 2}]


def test_seeds_want_every_claim_and_tinkering_a_clean_run(clone, capsys):
    assert rerun.campaign("seeds", "05") == 1  # seed 3 breaks the claim
    assert rerun.campaign("tinker", "05") == 0
    assert rerun.campaign("seeds", "05") == 1
    assert "2 have passed already" in capsys.readouterr().out


def test_red_output_and_errors_are_faults(clone):
    path = runnable(
        clone / "notebooks" / "part0_a" / "06_c.ipynb",
        PARAMETERS,
        "import sys",
        "sys.stderr.write('no')",
    )
    assert rerun.with_parameters(path, {}, must_hold=False) == ["stderr: no"]
    path = runnable(path, PARAMETERS, "1 / 0")
    assert "ZeroDivisionError" in rerun.with_parameters(path, {}, must_hold=False)[0]


def test_a_notebook_that_other_machines_contradict_is_found(clone):
    maintain.execute("05")
    (path,) = nb.find(5)
    (clone / "nbval-sanitize.cfg").touch()
    assert rerun.on_machine(path, {}) == []
    book = nb.read(path)
    book.cells[3].outputs[0].text = "other\n"
    nbformat.write(book, path)
    assert "other" in rerun.on_machine(path, {})[0]
