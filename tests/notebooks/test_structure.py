"""Every notebook has the form that readers count on; and every rule of that form can fail."""

import nbformat
import pytest

from dlscratch.cli import notebooks as nb
from tools.notebooks import address, latex
from tools.notebooks.sample import PATH, said, sample
from tools.notebooks.structure import LINES, SETUP, faults


@pytest.mark.parametrize("path", nb.find(), ids=lambda p: p.stem)
def test_notebook(path):
    assert faults(path, nb.read(path)) == []


def test_the_sample_has_no_fault():
    assert faults(PATH, sample()) == []


def source(cell, text):
    return lambda book: book.cells[cell].update(source=text)


def more(cell, text):
    return lambda book: book.cells[cell].update(source=book.cells[cell].source + text)


def swap(cell, old, new):
    return lambda book: book.cells[cell].update(source=book.cells[cell].source.replace(old, new))


def untag(cell):
    return lambda book: book.cells[cell].metadata.update(tags=[])


def output(**given):
    return lambda book: book.cells[14].outputs.append(nbformat.from_dict({"metadata": {}, **given}))


def result(text):
    return output(output_type="execute_result", data={"text/plain": text}, execution_count=3)


BAD = {
    "does not begin with `# 00 · Title`": swap(0, "# 00 · ", "# "),
    "badge differs": swap(0, "/main/", "/other/"),
    "has no line `**Question.** ...`": swap(0, "**Question.**", "Question"),
    "the cost is not measured": swap(0, "about 3 s on one core, 90 MB", "measured: not yet"),
    "it costs 61 s": swap(0, "about 3 s", "about 61 s"),
    "and 1501 MB": swap(0, "90 MB", "1501 MB"),
    "words in the first cell": more(0, "\n\n" + " word" * 120),
    "fewer than two Predict": swap(7, "**Predict** it.", ""),
    "<details> that": more(7, "<details>"),
    "no displayed equation": lambda book: [
        cell.update(source=cell.source.replace("$$x^2$$", "")) for cell in book.cells
    ],
    "no reference with a year": swap(-1, "1986", ""),
    "an odd number of $$": more(7, "$$"),
    "an odd number of $ in": more(7, " $z"),
    "braces": more(7, " $x^{2$"),
    "install lines differ": source(1, "x = 1"),
    "the setup cell has": more(1, "\nx = 1" * SETUP),
    "0 cells tagged parameters": untag(4),
    "is no plain literal": source(4, "seed = 0  # a  #@param\nb = 2 * 3  # a  #@param"),
    "on one line": source(4, "seed = 0  # a  #@param\nb = [  # a  #@param\n1]"),
    "wants a form": source(4, "seed = 0  # a  #@param {type:'number'}"),
    "wants a comment": source(4, "seed = 0  #@param"),
    "no seed": source(4, "depth = 0  # a  #@param"),
    "not executed in order": lambda book: book.cells[14].update(execution_count=9),
    "stderr": output(output_type="stream", name="stderr", text="Warning"),
    "an error": output(output_type="error", ename="ValueError", evalue="", traceback=[]),
    "an SVG": output(output_type="display_data", data={"image/svg+xml": "<svg/>"}),
    "a bare value": result("np.float64(0.123456789)"),
    "an address in memory": result("<object at 0x7f2af1bb6b90>"),
    "1 claims fail": lambda book: book.cells[14].outputs.append(
        said("✗ It fails [measured 0; wanted > 1]")
    ),
    "a code cell of 16 lines": source(14, "\n".join(["x = 1"] * (LINES + 1))),
    "global random state": source(14, "np.random.rand(3)"),
    "needs a network": source(14, "import urllib.request"),
    "or a shell": source(14, "%pip install numpy"),
    "torch is imported outside": source(14, "import torch"),
    "2 exercises": source(16, "text"),
    "2 cells tagged solution": untag(17),
    "no check cell follows": lambda book: book.cells.pop(18),
    "does not accept": lambda book: book.cells[18].outputs[0].update(text="Not yet."),
    "a link to": more(7, " [a](no_such_file.ipynb)"),
    "an image from the network": more(7, " ![a](https://example.org/a.png)"),
}


@pytest.mark.parametrize("fault", BAD)
def test_each_rule_can_fail(fault):
    book = sample()
    BAD[fault](book)
    found = faults(PATH, book)
    assert any(fault in f for f in found), found


def test_all_faults_are_named_at_once():
    book = sample()
    for fault in ("stderr", "no seed", "braces", "2 exercises"):
        BAD[fault](book)
    assert len(faults(PATH, book)) >= 4


def test_a_notebook_that_is_too_large(tmp_path):
    path = tmp_path / PATH.name
    path.write_bytes(b" " * 400_001)
    with pytest.raises(ValueError):  # it lies outside the clone, so it can have no badge
        faults(path, sample())


def test_a_listing_may_hold_numbers():
    book = sample()
    result("def f(x):\n    return 0.123456789 * x")(book)
    book.cells[14].outputs[-1]["data"]["text/markdown"] = "```python\n...\n```"
    assert faults(PATH, book) == []


def test_a_long_cell_may_say_why():
    book = sample()
    BAD["a code cell of 16 lines"](book)
    book.cells[14].metadata["reason"] = "the loop would hide the algorithm if it were cut"
    assert faults(PATH, book) == []


def test_code_that_is_shown_may_hold_long_numbers():
    """lab.source shows the package's own lines, and those are the same under all versions."""
    text = "PI = 3.14159265"
    shown = {"text/plain": text, "text/markdown": f"```python\n{text}\n```"}
    book = sample()
    output(output_type="execute_result", data=shown, execution_count=3)(book)
    assert faults(PATH, book) == []
    shown["text/markdown"] = text
    book = sample()
    output(output_type="execute_result", data=shown, execution_count=3)(book)
    assert any("a bare value" in f for f in faults(PATH, book))


@pytest.mark.parametrize(
    "tex",
    [
        r"x^{2",
        r"x}",
        r"\begin{a}x",
        r"\begin{a}\end{b}",
        r"\left(x)",
        r"\left( {x \right) }",
        "a & b",
        "x_a_b",
        "5%",
    ],
)
def test_formulas_that_do_not_parse(tex):
    assert list(latex.nesting(tex))


@pytest.mark.parametrize(
    "tex",
    [
        r"\begin{aligned} a &= b\\ \left\{c\right\} \end{aligned}",
        r"\leftarrow x'_{i}",
        "x_i^2 y_i^2",
        r"5\%",
        r"\{a",
    ],
)
def test_formulas_that_parse(tex):
    assert not list(latex.nesting(tex))


def test_install_lines_install_only_what_is_ours():
    assert "pip" not in address.install(address.UNSET) and "Repository" in address.install(
        address.UNSET
    )
    assert "git+https://github.com/someone/book" in address.install("someone/book")
    for owner_name in (address.UNSET, "someone/book"):
        compile(address.install(owner_name), "setup", "exec")
