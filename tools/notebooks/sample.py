"""A small notebook without a fault, from which the tests make faulty ones."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from . import address

PATH = address.ROOT / "notebooks" / "part0_foundations" / "00_sample.ipynb"
PNG = "data:image/png;base64,iVBORw0KGgo="
HEAD = f"""# 00 · Sample

{address.badge(PATH)}

*Level: newcomer* · <!-- cost --> about 3 s on one core, 90 MB <!-- /cost -->

**Question.** Is it so?

![It is so]({PNG})

## Setup"""
TEXTS = [f"It holds, {i}" for i in range(6)]
IDEA = "### Derive\n\nIt follows (Ada 1986).\n\n$$x^2$$\n\n### Implement"
ANSWERS = {
    "right": ["answer = 1", "answer = 1.0"],
    "wrong": ["answer = 2", "answer = None", "answer = 0"],
}


def code(source, count=None, *outputs, tags=()):
    return new_code_cell(
        source, execution_count=count, outputs=list(outputs), metadata={"tags": list(tags)}
    )


def said(*lines):
    return new_output("stream", name="stdout", text="".join(f"{line}\n" for line in lines))


def said_figure():
    return new_output("display_data", {"image/png": "iVBORw0KGgo="})


def sample():
    """A page without a fault.

    Cells: 0 title, 1 setup, 2 by hand, 4 parameters, 5 to 8 and 9 to 12 the ideas, 14 claims,
    15 interpret, from 16 on the exercises, last the references.
    """
    cells = [new_markdown_cell(HEAD), code(address.install() + "x = 1", 1)]
    cells += [new_markdown_cell("## By hand"), new_markdown_cell("## Parameters")]
    knob = "{} = 0  # 0-9: try 1  #@param {{type:'integer'}}"
    knobs = "\n".join(knob.format(name) for name in ("seed", "a", "b"))
    cells += [code(knobs, 2, tags=["parameters"])]
    for i in (1, 2):
        cells += [
            new_markdown_cell(f"## {i} · An idea\n\n{IDEA}"),
            code(f"y{i} = x", 2 * i + 1),
            new_markdown_cell("### Visualize\n\n**Predict** it."),
            code("plt.show()", 2 * i + 2, *[said_figure()] * 3, tags=["hide-input"]),
        ]
    claims = said(*(f"✓ {text} [measured 1; wanted > 0]" for text in TEXTS))
    cells += [new_markdown_cell("## Compare"), code("claim(y1)", 7, claims)]
    cells += [new_markdown_cell("## Interpret\n\nHere ends the first sitting.\n\n## Exercises")]
    for i in (1, 2, 3):
        check = code('print("Yes." if answer == 1 else "Not yet.")', 2 * i + 7, said("Yes."))
        check.metadata["exercise"] = ANSWERS
        solution = code("answer = 1", 2 * i + 6, tags=["solution"])
        cells += [new_markdown_cell(f"### Exercise {i}"), solution, check]
    cells += [new_markdown_cell("## References\n\n- L. Ada. Title. *Venue*, 1986.\n\nWhat next?")]
    book = new_notebook(cells=cells)
    book.cells[1]["id"] = "setup"
    a_break = dict(name="b", cell="setup", old="x = 1", new="x = 2", flips=TEXTS)
    book.metadata["breaks"] = [a_break]
    return book


def runnable(path, parameters, *sources):
    """Write a notebook with these parameters and code cells, not executed, and return its path."""
    cells = [
        new_markdown_cell(HEAD),
        code(address.install(), tags=["setup"]),
        code(parameters, tags=["parameters"]),
    ]
    book = new_notebook(cells=[*cells, *map(code, sources)])
    book.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)
    return path
