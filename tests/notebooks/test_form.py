"""The form of a page, rule by rule: each can fail."""

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell

from tools.notebooks import breaks, exercises, form
from tools.notebooks.sample import PATH, PNG, TEXTS, code, runnable, said, sample


def test_the_page_has_no_fault():
    assert form.faults(sample()) == []


def swap(cell, old, new):
    return lambda book: book.cells[cell].update(source=book.cells[cell].source.replace(old, new))


def more(cell, text):
    return lambda book: book.cells[cell].update(source=book.cells[cell].source + text)


LONG = "\n\n" + "word " * 140
BAD = {
    "headings are": swap(2, "By hand", "By heart"),
    "the ideas are numbered": swap(9, "## 2 ·", "## 3 ·"),
    "1 ideas": swap(9, "## 2 · An idea", "An idea"),
    "has the steps": swap(5, "### Derive", "Derive"),
    "a text cell of": more(2, " word" * 160),
    "words without a picture or code": lambda b: (
        b.cells[2:3]
        and b.cells.__setitem__(
            slice(2, 3), [new_markdown_cell("## By hand" + LONG), new_markdown_cell(LONG)]
        )
    ),
    "words in the first sitting": lambda b: [
        b.cells.insert(3, c) for _ in range(22) for c in (code("z = 1", 3), new_markdown_cell(LONG))
    ],
    "4 figures in the first sitting": lambda b: (
        b.cells[8].outputs.pop(),
        b.cells[12].outputs.pop(),
    ),
    "first sitting ends": swap(15, "first sitting", "page"),
    "no honest level": swap(0, "*Level: newcomer*", ""),
    "shows no answer": swap(0, PNG, "answer.png"),
    "an attachment": lambda b: b.cells[0].update(attachments={"a.png": {"image/png": "x"}}),
    "LaTeX inside <details>": more(2, "<details>$x$</details>"),
    "a heading inside <details>": more(2, "<details>\n\n# A\n\n</details>"),
    "only draws": lambda b: b.cells[8].metadata.update(tags=[]),
    "columns, more than": more(6, "\nz = '" + "z" * 100 + "'"),
    "5 claims": lambda b: (
        b.cells[14].outputs[0].update(text=b.cells[14].outputs[0].text.partition("\n")[2])
    ),
    "two claims say the same": lambda b: b.cells[14].outputs.append(
        said(f"✓ {TEXTS[0]} [measured 1; wanted > 0]")
    ),
    "no break flips": lambda b: b.metadata["breaks"][0].update(flips=TEXTS[1:]),
    "flips a claim that is not made": lambda b: b.metadata["breaks"][0].update(
        flips=[*TEXTS, "no"]
    ),
    "names the cell": lambda b: b.metadata["breaks"][0].update(cell="elsewhere"),
    "stands 0 times": lambda b: b.metadata["breaks"][0].update(old="nowhere"),
    "wants 2 right and 3 wrong": lambda b: b.cells[18].metadata.pop("exercise"),
    "does not cite": swap(-1, "L. Ada", "L. Babbage"),
    "is not the question": swap(-1, "What next?", "The end."),
    "in no cell or listing": more(2, " `no_such_name`"),
    "2 parameters": lambda b: b.cells[4].update(source=b.cells[4].source.rpartition("\n")[0]),
}


@pytest.mark.parametrize("fault", BAD)
def test_each_rule_can_fail(fault):
    book = sample()
    BAD[fault](book)
    found = form.faults(book)
    assert any(fault in f for f in found), found


# Breaks and answers are run ----------------------------------------------------------------------

PARAMETERS = "seed = 0  # 0-9  #@param"
CLAIMS = (
    "print('✓' if x > 0 else '✗', 'first [measured', x, '; wanted > 0]')\n"
    "print('✓' if y > 0 else '✗', 'second [measured', y, '; wanted > 0]')"
)


def broken_page(tmp_path, new, flips):
    path = runnable(tmp_path / "part0_a" / PATH.name, PARAMETERS, "x = 1\ny = 1", CLAIMS)
    book = nbformat.read(path, 4)
    book.cells[3]["id"] = "numbers"
    fields = dict(name="b", cell="numbers", old="x = 1\ny = 1", new=new, flips=flips)
    book.metadata["breaks"] = [fields]
    nbformat.write(book, path)
    return path, breaks.Break(**fields)


@pytest.mark.parametrize(
    ("new", "flips", "found"),
    [
        ("x = -1\ny = 1", ["first"], []),
        ("x = 1\ny = 1", ["first"], ["still ✓: first"]),
        ("x = -1\ny = -1", ["first"], ["✗ unasked: second"]),
    ],
)
def test_a_break_must_flip_its_claims_and_no_others(tmp_path, monkeypatch, new, flips, found):
    monkeypatch.setattr(breaks.ledger, "BUILD", tmp_path / "build")
    path, b = broken_page(tmp_path, new, flips)
    assert breaks.run(path, b) == found
    assert not list(path.parent.glob(".broken*"))


def test_a_break_at_which_the_notebook_raises_is_a_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(breaks.ledger, "BUILD", tmp_path / "build")
    path, b = broken_page(tmp_path, "x = 1 / 0\ny = 1", ["first"])
    assert "ZeroDivisionError" in breaks.run(path, b)[0]


def test_answers_are_told_apart(tmp_path):
    check = (
        "try:\n    print('Yes.' if abs(answer - 1) < 1e-9 else 'Not yet.')\n"
        "except TypeError:\n    print('Not yet: a number, please.')"
    )
    path = runnable(tmp_path / "part0_a" / PATH.name, PARAMETERS, "answer = 1", check)
    book = nbformat.read(path, 4)
    book.cells[4].metadata["exercise"] = {"right": ["answer = 1.0"], "wrong": ["answer = None"]}
    assert list(exercises.faults(path, book)) == []
    book.cells[4].metadata["exercise"] = {"right": ["answer = 2"], "wrong": ["answer = 1"]}
    assert len(list(exercises.faults(path, book))) == 2
    book.cells[4].metadata["exercise"] = {"right": [], "wrong": ["answer = '1'"]}
    assert list(exercises.faults(path, book)) == []
