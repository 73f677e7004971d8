"""The package's docstrings are plain text: a formula may hold *, _ or | as it likes.

Sphinx reads them as it is told here.
"""

import re

__all__ = ["process", "readable"]

MARKS = re.compile(r"([\\*_|`<])")


def process(app, what, name, obj, options, lines):
    """Sphinx's hook: `lines` is rewritten in place."""
    lines[:] = readable(lines)


def readable(lines):
    """reStructuredText that shows this text as it stands: paragraphs of it, with `code` as code."""
    return [_escaped(line) for line in lines]


def _escaped(line):
    parts = re.split(r"``?([^`]+)``?", line.strip())
    return "".join(
        f"\\ ``{part}``\\ " if i % 2 else MARKS.sub(r"\\\1", part) for i, part in enumerate(parts)
    )
