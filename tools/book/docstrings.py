"""The package's docstrings as Sphinx shows them: plain text, numpydoc's sections, examples.

A formula may hold *, _ or | as it likes.
"""

import re

__all__ = ["process", "readable"]

MARKS = re.compile(r"([\\*_|`<])")
UNDERLINE = re.compile(r"\s*-{3,}\s*$")
BULLET = re.compile(r"\s*- ")


def process(app, what, name, obj, options, lines):
    """Sphinx's hook: `lines` is rewritten in place."""
    lines[:] = readable(lines)


def readable(lines):
    """reStructuredText that shows this text as it stands: paragraphs of it, with `code` as code."""
    shown = []
    in_section = False  # where each line at the margin is an item, and its text is indented
    in_list = False
    for i, line in enumerate(lines):
        after = lines[i + 1] if i + 1 < len(lines) else ""
        if UNDERLINE.match(line) and i:
            continue
        if line.strip() and UNDERLINE.match(after):
            in_section = line.strip() not in ("Examples", "Notes")
            in_list = False
            shown += ["", f".. rubric:: {line.strip()}", ""]
        elif _is_example(lines, i):
            if shown and shown[-1] and not _is_example(lines, i - 1):
                shown.append("")
            shown.append(line.strip())
        elif in_section and line.strip():
            is_item = not line.startswith(" ")
            shown += ["", _escaped(line)] if is_item else ["    " + _escaped(line)]
        elif BULLET.match(line):
            shown += ["" if not in_list else None, "- " + _escaped(line.strip()[2:])]
            in_list = True
        elif in_list and line.startswith("  ") and line.strip():
            shown.append("  " + _escaped(line))
        else:
            if in_list and line.strip():
                shown.append("")
            in_list = in_list and not line.strip()
            shown.append(_escaped(line))
    return [line for line in shown if line is not None]


def _is_example(lines, i):
    """Whether line i belongs to a block that >>> begins, and that a blank line ends."""
    while i >= 0 and lines[i].strip():
        if lines[i].strip().startswith(">>>"):
            return True
        i -= 1
    return False


def _escaped(line):
    line = re.sub(r"::$", r":\\:", line.strip())
    parts = re.split(r"``?([^`]+)``?", line)
    shown = [f"\\ ``{part}``\\ " if i % 2 else _plain(part) for i, part in enumerate(parts)]
    return "".join(shown)


def _plain(text):
    return MARKS.sub(r"\\\1", text).replace(r":\\:", r":\:")
