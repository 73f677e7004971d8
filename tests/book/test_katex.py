"""Every formula parses in KaTeX, which VS Code typesets notebooks with; the book has MathJax."""

from pathlib import Path

import pytest

from dlscratch.cli import notebooks as nb
from tools.notebooks import latex

PARSE = """formulas => formulas.flatMap(tex => {
    try { katex.renderToString(tex, {displayMode: true, strict: "ignore"}); return []; }
    catch (error) { return [error.message]; }
})"""


@pytest.fixture(scope="module")
def katex(chromium):
    """A page that holds KaTeX."""
    reason = "no sphinxcontrib-katex, which carries KaTeX; `make unit` installs it"
    package = pytest.importorskip("sphinxcontrib.katex", reason=reason)
    page = chromium.new_page()
    page.add_script_tag(path=Path(package.__file__).with_name("katex.min.js"))
    yield page
    page.close()


@pytest.mark.parametrize("path", nb.find(None), ids=lambda path: path.stem)
def test_katex_reads_every_formula(katex, path):
    cells = [c for c in nb.read(path).cells if c.cell_type == "markdown"]
    formulas = [tex for cell in cells for tex in latex.formulas(cell.source)]
    assert len(formulas) > 5
    assert katex.evaluate(PARSE, formulas) == []


def test_katex_refuses_what_is_wrong(katex):
    assert katex.evaluate(PARSE, [r"\frac{1}{2}"]) == []
    assert len(katex.evaluate(PARSE, [r"\frac{1}{2", r"\nothing x", r"a_b_c"])) == 3
