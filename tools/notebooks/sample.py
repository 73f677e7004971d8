"""A small notebook without a fault, from which the tests make faulty ones."""

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from . import address
from .structure import HEADINGS

PATH = address.ROOT / "notebooks" / "part0_foundations" / "00_sample.ipynb"
HEAD = f"""# 00 · Sample

{address.badge(PATH)}

<!-- cost --> about 3 s on one core, 90 MB <!-- /cost -->

**Question.** Is it so?

![It is so](attachment:answer.png)

## Setup"""
ANSWER = {"answer.png": {"image/png": "iVBORw0KGgo="}}


def code(source, count=None, *outputs, tags=()):
    return new_code_cell(
        source, execution_count=count, outputs=list(outputs), metadata={"tags": list(tags)}
    )


def said(*lines):
    return new_output("stream", name="stdout", text="".join(f"{line}\n" for line in lines))


def said_figure():
    return new_output("display_data", {"image/png": "iVBORw0KGgo="})


def sample():
    """Cells: 0 title, 1 setup, 3 parameters, 4 text, 5 results, 7.. exercises, references."""
    figure = said_figure()
    claims = said(*["✓ It holds [measured 1; wanted > 0]"] * 4)
    cells = [
        new_markdown_cell(HEAD),
        code(address.install() + "x = 1", 1),
        new_markdown_cell("## Parameters"),
    ]
    cells += [code("seed = 0  # 0-9: try 1  #@param {type:'integer'}", 2, tags=["parameters"])]
    headings = "\n\n".join(f"## {h}" for h in HEADINGS[2:8])
    cells += [new_markdown_cell(f"{headings}\n\n$$x^2$$\n\n**Predict** a **Predict** b $y$")]
    cells += [code("print(x)", 3, *[figure] * 4, claims), new_markdown_cell("## Exercises")]
    for i in (1, 2, 3):
        cells += [
            new_markdown_cell(f"### Exercise {i}"),
            code(f"answer{i} = 1", 2 * i + 2, tags=["solution"]),
        ]
        cells += [code(f'print("Yes." if answer{i} == 1 else "Not yet.")', 2 * i + 3, said("Yes."))]
    cells[0].attachments = ANSWER
    return new_notebook(
        cells=[*cells, new_markdown_cell("## References\n\n- A. Author. Title. *Venue*, 1986.")]
    )


def runnable(path, parameters, *sources):
    """Write a notebook with these parameters and code cells, not executed, and return its path."""
    import nbformat

    cells = [
        new_markdown_cell(HEAD),
        code(address.install(), tags=["setup"]),
        code(parameters, tags=["parameters"]),
    ]
    book = new_notebook(cells=[*cells, *map(code, sources)])
    book.cells[0].attachments = ANSWER
    book.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)
    return path
