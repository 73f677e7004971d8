"""What is wrong with the form of a notebook, all of it at once.

What holds of any notebook stands here, what makes the form of a page in `form.py`. CONTRIBUTING.md
says what the rules are for.
"""

import ast
import re
from pathlib import Path

from dlscratch.cli import notebooks as nb

from . import address, form, latex

KILOBYTES = 400
SETUP = 12  # lines of the set-up cell
LINES = 15  # lines of a code cell that is not folded
SECONDS = 30
MEGABYTES = 1500
TITLE_WORDS = 120
NETWORK = r"\b(urllib|urlopen|urlretrieve|requests|socket|wget|curl|fetch_openml|pooch|git clone)\b"
NETWORK += r"|^[!%]|pip install"
GLOBAL_RANDOM = (
    r"\b(np|numpy)\.random\.(?!default_rng|Generator|SeedSequence|BitGenerator|PCG64|Philox)\w+"
)
FORMS = {int: "integer", float: "number", bool: "boolean", str: "string"}  # Colab's fields


def faults(path, book):
    """Every fault of a notebook as a sentence; an empty list for a good one."""
    code = [c for c in book.cells if c.cell_type == "code" and c.source.strip()]
    prose = "\n\n".join(c.source for c in book.cells if c.cell_type == "markdown")
    found = [
        *_title(path, book),
        *_text(prose),
        *form.faults(book),
        *latex.faults(prose),
        *_setup(code),
        *_parameters(code),
    ]
    found += [
        *_outputs(code),
        *_failures(book),
        *_sources(code),
        *_exercises(book),
    ]
    found += _links(path, prose)
    if Path(path).exists() and Path(path).stat().st_size > KILOBYTES * 1000:
        found.append(f"{Path(path).stat().st_size // 1000} KB, more than {KILOBYTES}")
    return found


def tags(cell):
    return cell.metadata.get("tags", [])


def _title(path, book):
    first = book.cells[0].source if book.cells else ""
    if not first.startswith(f"# {Path(path).name[:2]} · "):
        yield f"the first cell does not begin with `# {Path(path).name[:2]} · Title`"
    if address.badge(path) not in first:
        yield "the Colab badge differs from the address in pyproject.toml; run make links"
    if "**Question.** " not in first:
        yield "the first cell has no line `**Question.** ...`"
    measured = re.search(
        r"<!-- cost --> about ([\d.]+) s on one core, (\d+) MB <!-- /cost -->", first
    )
    if not measured:
        yield "the cost is not measured; run make cost"
    elif float(measured[1]) > SECONDS or int(measured[2]) > MEGABYTES:
        cost = f"{measured[1]} s and {measured[2]} MB"
        yield f"it costs {cost}, more than {SECONDS} s or {MEGABYTES} MB"
    words = len(re.sub(r"^(#|\[!\[).*|<!--.*?-->|\]\([^)]*\)", "", first, flags=re.M).split())
    if words > TITLE_WORDS:
        yield f"{words} words in the first cell, more than {TITLE_WORDS}"


def _text(prose):
    if len(re.findall(r"\*\*Predict", prose)) < 2:
        yield "fewer than two Predict boxes"
    if prose.count("<details") != prose.count("</details>"):
        yield "a <details> that is not closed"
    if "$$" not in prose:
        yield "no displayed equation"
    if not re.search(r"^[-*\d].*\b(1[6-9]|20)\d\d\b", prose.partition("## References")[2], re.M):
        yield "no reference with a year"


def _setup(code):
    source = code[0].source if code else ""
    if not (source + "\n").startswith(address.install()):
        yield "the install lines differ from the address in pyproject.toml; run make links"
    if len(source.splitlines()) > SETUP:
        yield f"the setup cell has {len(source.splitlines())} lines, more than {SETUP}"


def _parameters(code):
    tagged = [c for c in code if "parameters" in tags(c)]
    if len(tagged) != 1:
        yield f"{len(tagged)} cells tagged parameters, want one"
        return
    for node in ast.parse(tagged[0].source).body:
        line = tagged[0].source.splitlines()[node.lineno - 1]
        if not _plain(node) or node.end_lineno != node.lineno:
            yield f"parameters: `{line}` is no plain literal on one line"
        if "#@param" not in line or line.replace("#@param", "").count("#") < 1:
            yield f"parameters: `{line}` wants a comment and #@param"
        elif _plain(node) and not _has_form(line, ast.literal_eval(node.value)):
            yield (
                f'parameters: `{line}` wants a form of its type, as #@param {{type:"integer"}}, '
                "or of choices that hold the default"
            )
    if not re.search(r"^seed = \d+ ", tagged[0].source, re.M):
        yield "parameters: no seed"


def _has_form(line, default):
    """Whether Colab would show a field of the default's type."""
    form, kind = line.partition("#@param")[2].strip(), FORMS.get(type(default), "raw")
    return (
        bool(re.match(rf"""\{{type:["'](?:{kind}|slider)["']""", form))
        or form.startswith("[")
        and default in ast.literal_eval(form)
    )


def _plain(node):
    try:
        ast.literal_eval(node.value)
    except (AttributeError, ValueError):
        return False
    return (
        isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name)
    )


def _outputs(code):
    if [c.execution_count for c in code] != list(range(1, len(code) + 1)):
        yield "cells were not executed in order from a clean kernel; run make execute"
    for cell in code:
        for out in cell.outputs:
            text = out.get("data", {}).get("text/plain", "")
            if out.get("name") == "stderr":
                yield f"stderr: {out.text.strip()[:60]}"
            if out.output_type == "error" and "raises-exception" not in tags(cell):
                yield f"an error: {out.ename}"
            if re.search(r" at 0x[0-9a-f]{6,}", text):
                yield f"an address in memory, which no other run repeats: {text[:60]}"
            if "image/svg+xml" in out.get("data", {}):
                yield "an SVG, which nbval compares byte by byte"
            is_code = re.match(r"`{3,}python\n", out.get("data", {}).get("text/markdown", ""))
            has_value = re.search(r"\d\.\d{5,}|^(array|tensor|Tensor)\(", text)
            if out.output_type == "execute_result" and has_value and not is_code:
                yield f"a bare value, which other versions print otherwise: {text[:40]}"


def _failures(book):
    verdicts = [held for held, _ in nb.claims(book)]
    if not all(verdicts):
        yield f"{verdicts.count(False)} claims fail"


def _sources(code):
    for cell in code:
        lines = [line for line in cell.source.splitlines() if line.strip()]
        folded = {"hide-input", "solution"} & set(tags(cell))
        if len(lines) > LINES and not cell.metadata.get("reason") and not folded:
            yield f"a code cell of {len(lines)} lines, with no `reason` in its metadata: {lines[0]}"
        if re.search(GLOBAL_RANDOM, cell.source):
            yield f"NumPy's global random state; pass a Generator: {lines[0]}"
        if re.search(NETWORK, (cell.source + "\n").replace(address.install(), ""), re.M):
            yield f"something that needs a network or a shell: {lines[0]}"
        if re.search(r"^(import|from) torch\b", cell.source, re.M):
            yield "torch is imported outside a function; PyTorch is optional"


def _exercises(book):
    stated = sum(
        len(re.findall(r"^### Exercise", c.source, re.M))
        for c in book.cells
        if c.cell_type == "markdown"
    )
    solved = [
        i for i, c in enumerate(book.cells) if c.cell_type == "code" and "solution" in tags(c)
    ]
    if not 3 <= stated <= 5:
        yield f"{stated} exercises (### Exercise ...), want 3 to 5"
    if len(solved) != stated:
        yield f"{len(solved)} cells tagged solution for {stated} exercises"
    for i in solved:
        after = book.cells[i + 1 : i + 2]
        if not (after and after[0].cell_type == "code" and "solution" not in tags(after[0])):
            yield f"no check cell follows the solution: {book.cells[i].source.splitlines()[0]}"
        elif "Not yet" in "".join(o.get("text", "") for o in after[0].outputs):
            yield f"the check does not accept the solution: {book.cells[i].source.splitlines()[0]}"


def _links(path, prose):
    for link in re.findall(r"\]\((?!https?:|#|data:)([^)\s]+)\)", prose):
        if not (Path(path).parent / link.split("#")[0]).exists():
            yield f"a link to {link}, which does not exist"
    for image in re.findall(
        r"!\[[^\]]*\]\((https?:[^)]+)\)|<img [^>]*src=[\"'](http[^\"']+)", prose
    ):
        if "colab-badge" not in "".join(image):
            yield f"an image from the network: {''.join(image)}"
