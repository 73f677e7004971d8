"""The form of a page: by hand first, two or three ideas, then the experiment.

`structure.py` holds what is true of any notebook: outputs, parameters, links. CONTRIBUTING.md says
what the rules are for.
"""

import ast
import re
from collections import Counter

from dlscratch.cli import notebooks as nb

from . import address, breaks

BEFORE = ["Setup", "By hand", "Parameters"]
AFTER = ["Compare", "Interpret", "Going deeper", "Exercises", "References"]
STEPS = ["Derive", "Implement", "Visualize"]
IDEAS = (2, 4)
CELL_WORDS, GAP_WORDS, SITTING_WORDS = 150, 250, 3000
CLAIMS, CLAIMS_WITH_DEEPER = (6, 10), 15
FIGURES = 5
KNOBS = (3, 9)
COLUMNS = 100
LEVEL = r"\*Level: (newcomer|after \d\d|advanced)\*"


def faults(book):
    """Every fault of a page's form as a sentence; an empty list for a good one."""
    cells = book.cells
    found = [*headings(cells), *text_cells(cells), *gaps(cells), *first_sitting(cells)]
    found += [*head(cells), *details(cells), *drawing(cells), *columns(cells)]
    found += [*claims(book), *exercises(cells), *references(cells), *quoted(cells), *knobs(cells)]
    return found


def tags(cell):
    return cell.metadata.get("tags", [])


def prose_of(cells):
    return "\n\n".join(c.source for c in cells if c.cell_type == "markdown")


def words(text):
    """How many words a reader reads: formulas, pictures, tags and addresses aside."""
    text = re.sub(r"data:image\S+|\$\$.*?\$\$|<[^>]*>", " ", text, flags=re.S)
    text = re.sub(r"^\[!\[.*$", "", text, flags=re.M)
    return len(re.sub(r"\]\([^)]*\)", "] ", text).split())


def sitting(cells):
    """The cells of the first sitting: all before *Going deeper* or, without one, the exercises."""
    for i, cell in enumerate(cells):
        if cell.cell_type == "markdown" and re.search(
            r"^## (Going deeper|Exercises)", cell.source, re.M
        ):
            return cells[:i]
    return cells


def headings(cells):
    found = re.findall(r"^## +(.+?) *$", prose_of(cells), re.M)
    ideas = [h for h in found if re.match(r"\d · ", h)]
    optional = [h for h in AFTER if h in found or h != "Going deeper"]
    if found != BEFORE + ideas + optional:
        yield f"headings are {found}, want {BEFORE + ['1 · An idea', '2 · …'] + optional}"
    if [h[0] for h in ideas] != [str(i + 1) for i in range(len(ideas))]:
        yield f"the ideas are numbered {[h[0] for h in ideas]}"
    if not IDEAS[0] <= len(ideas) <= IDEAS[1]:
        yield f"{len(ideas)} ideas (## 1 · …), want {IDEAS[0]} to {IDEAS[1]}"
    sections = re.split(r"^## +", prose_of(cells), flags=re.M)
    for section in (s for s in sections if re.match(r"\d · ", s)):
        steps = re.findall(r"^### +(\w+)", section, re.M)
        if steps != STEPS:
            yield f"idea {section[0]} has the steps {steps}, want {STEPS}"


def text_cells(cells):
    for cell in cells:
        if cell.cell_type == "markdown" and words(cell.source) > CELL_WORDS:
            first = cell.source.strip().splitlines()[0][:40]
            yield f"a text cell of {words(cell.source)} words, more than {CELL_WORDS}: {first}"


def gaps(cells):
    """Text without a picture or running code: never more than GAP_WORDS words in a row."""
    since = 0
    for cell in cells:
        if cell.cell_type == "code":
            since = 0
            continue
        for i, piece in enumerate(re.split(r"!\[[^\]]*\]\([^)]*\)", cell.source)):
            since = words(piece) + (0 if i else since)
            if since > GAP_WORDS:
                first = cell.source.strip().splitlines()[0][:40]
                yield f"{since} words without a picture or code, more than {GAP_WORDS}: {first}"
                since = 0


def first_sitting(cells):
    read = sum(words(c.source) for c in sitting(cells) if c.cell_type == "markdown")
    if read > SITTING_WORDS:
        yield f"{read} words in the first sitting, more than {SITTING_WORDS}"
    outputs = [o for c in sitting(cells) if c.cell_type == "code" for o in c.outputs]
    drawn = sum("image/png" in o.get("data", {}) for o in outputs)
    if drawn < FIGURES:
        yield f"{drawn} figures in the first sitting, want at least {FIGURES}"
    said = prose_of(cells).partition("## Interpret")[2].partition("\n## ")[0]
    if "first sitting" not in said:
        yield "*Interpret* does not say in words that the first sitting ends there"


def head(cells):
    first = cells[0].source if cells else ""
    if not re.search(LEVEL, first):
        yield "the first cell has no honest level: *Level: newcomer*, *after 04* or *advanced*"
    if "](data:image/png;base64," not in first:
        yield (
            "the first cell shows no answer: tag its figure's cell `answer`, write "
            "![what it says](answer.png), make execute"
        )
    if any(c.get("attachments") for c in cells):
        yield "an attachment, which Colab does not show"


def details(cells):
    for inside in re.findall(r"<details.*?</details>", prose_of(cells), re.S):
        if "$" in inside:
            yield f"LaTeX inside <details>, which some tools do not typeset: {inside[:60]}"
        if re.search(r"^#+ ", inside, re.M):
            yield f"a heading inside <details>: {inside[:60]}"


def drawing(cells):
    """Cells that only draw are folded: nothing that they define is used below."""
    for i, cell in enumerate(cells):
        if cell.cell_type != "code" or not any(
            "image/png" in o.get("data", {}) for o in cell.outputs
        ):
            continue
        if "hide-input" in tags(cell) or re.search(r"\b(claim|check)\(", cell.source):
            continue
        later = "\n".join(c.source for c in cells[i + 1 :] if c.cell_type == "code")
        made = {name for name in defined(cell.source) if re.search(rf"\b{name}\b", later)}
        if not made:
            yield f"a cell that only draws has no tag hide-input: {cell.source.splitlines()[0]}"


def defined(source):
    """Functions of a cell, and names that stand at its outermost level before an equals sign."""
    for node in ast.parse(re.sub(r"^%", "#", source, flags=re.M)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            names = (n for target in node.targets for n in ast.walk(target))
            yield from (
                n.id for n in names if isinstance(n, ast.Name) and n.id not in "fig ax axes"
            )


def columns(cells):
    stamped = address.install().splitlines()
    for cell in cells:
        for line in cell.source.splitlines() if cell.cell_type == "code" else ():
            if len(line) > COLUMNS and "#@param" not in line and line not in stamped:
                yield f"a line of code of {len(line)} columns, more than {COLUMNS}: {line[:40]}"


def claims(book):
    texts = [nb.text_of(line) for _, line in nb.claims(book)]
    deeper = "## Going deeper" in prose_of(book.cells)
    most = CLAIMS_WITH_DEEPER if deeper else CLAIMS[1]
    if not CLAIMS[0] <= len(texts) <= most:
        yield f"{len(texts)} claims, want {CLAIMS[0]} to {CLAIMS[1]} (to {most} with Going deeper)"
    yield from (f"two claims say the same: {t}" for t, n in Counter(texts).items() if n > 1)
    yield from breaks.faults(book, texts)


def exercises(cells):
    for i, cell in enumerate(cells):
        if cell.cell_type != "code" or "solution" not in tags(cell):
            continue
        trial = cells[i + 1].metadata.get("exercise", {}) if i + 1 < len(cells) else {}
        first = cell.source.splitlines()[0]
        if len(trial.get("right", ())) < 2 or len(trial.get("wrong", ())) < 3:
            yield f"the check of `{first}` wants 2 right and 3 wrong answers in its metadata"


def references(cells):
    """Each entry is cited where it is used, by its first author's name and its year."""
    text, _, listed = prose_of(cells).partition("## References")
    for entry in re.findall(r"^- (.*)$", listed, re.M):
        years = re.findall(r"\b(?:1[6-9]|20)\d\d\b", entry)
        author = re.search(r"([A-ZÀ-Ž][\w'’-]{2,})", entry.split(".  ")[0].replace("*", ""))
        name = author[1] if author else ""
        near = rf"{re.escape(name)}[^\n]{{0,80}}?\b({'|'.join(years) or 'never'})\b"
        if not re.search(near, text, re.S):
            yield f"a reference that the text does not cite: {entry[:60]}"
    last = listed.strip().splitlines()[-1] if listed.strip() else ""
    if not last.endswith("?"):
        yield "the last line is not the question that the next notebook takes up"


def quoted(cells):
    """Names in backticks occur in a cell or a listing: prose speaks of code that is there."""
    shown = "\n".join(c.source for c in cells if c.cell_type == "code")
    for cell in (c for c in cells if c.cell_type == "code"):
        shown += "".join(
            o.get("text", "") + str(o.get("data", {}).get("text/markdown", ""))
            for o in cell.outputs
        )
    for name in sorted(set(re.findall(r"`([A-Za-z_][\w.]*)(?:\([^`]*\))?`", prose_of(cells)))):
        if not re.search(rf"\b{re.escape(name)}\b", shown):
            yield f"`{name}` stands in the text and in no cell or listing"


def knobs(cells):
    source = next((c.source for c in cells if "parameters" in tags(c)), "")
    count = len(re.findall(r"#@param", source))
    if not KNOBS[0] <= count <= KNOBS[1]:
        yield f"{count} parameters, want {KNOBS[0]} to {KNOBS[1]}"
