"""What is wrong with the formulas of a text: unpaired dollars, braces, environments.

What MathJax would show in red.
"""

import re

TOKEN = re.compile(
    r"\\(begin|end)\s*\{([^}]*)\}|\\(left|right)(?![a-zA-Z])|(\\[a-zA-Z]+|\\.)|([{}&%])", re.S
)


def faults(prose):
    """Every fault of the formulas in a piece of Markdown as a sentence."""
    text = without_code(prose)
    if text.count("$$") % 2:
        yield "an odd number of $$"
    for paragraph in paragraphs(text):
        if paragraph.replace("$$", "").count("$") % 2:
            yield f"an odd number of $ in: {paragraph.strip()[:50]}"
    for tex in formulas(prose):
        yield from (f"{fault} in ${tex.strip()[:50]}$" for fault in nesting(tex))


def formulas(prose):
    """The formulas in a piece of Markdown: the displayed ones, then those in lines."""
    text = without_code(prose)
    found = re.findall(r"\$\$(.*?)\$\$", text, re.S)
    for paragraph in paragraphs(text):
        found += re.findall(r"\$([^$]+)\$", paragraph)
    return found


def without_code(prose):
    return re.sub(r"```.*?```|`[^`\n]*`", "", prose, flags=re.S).replace(r"\$", "")


def paragraphs(text):
    return re.split(r"\n\s*\n", re.sub(r"\$\$.*?\$\$", "", text, flags=re.S))


def nesting(tex):
    """Faults of one formula: brace, environment and \\left are closed by their kind, in order."""
    opened = []
    for begin_end, name, side, command, sign in TOKEN.findall(tex):
        if command:
            continue
        if begin_end == "begin" or side == "left" or sign == "{":
            opened.append(name or side or sign)
        elif sign == "&" and not any(o not in ("{", "left") for o in opened):
            yield "& outside an environment"
        elif sign == "%":
            yield "% starts a comment; write \\%"
        elif begin_end or side or sign == "}":
            wanted = name or ("left" if side else "{")
            if not opened or opened.pop() != wanted:
                opened.append("unpaired")
                break
    if opened:
        yield r"braces, \begin and \end, or \left and \right are not paired"
    if re.search(r"([_^])(\{[^{}]*\}|\\[a-zA-Z]+|[^\s{}\\])\s*\1", tex):
        yield "a double subscript or superscript"
