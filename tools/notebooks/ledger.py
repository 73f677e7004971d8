"""What was done since the notebook and the package last changed: a command can be resumed."""

import hashlib
import json

from dlscratch.cli import notebooks as nb
from dlscratch.files import write_whole

from . import address

BUILD = address.ROOT / "build"


def state(path):
    """A hash of all that a run depends on: the notebook's code and outputs, and the package.

    Prose is left out.
    """
    code = [[c.source, c.outputs] for c in nb.read(path).cells if c.cell_type == "code"]
    package = [
        f.read_text(encoding="utf-8") for f in sorted((address.ROOT / "dlscratch").rglob("*.py"))
    ]
    return hashlib.sha256(json.dumps([code, package]).encode()).hexdigest()[:16]


def _read():
    try:
        return json.loads((BUILD / "ledger.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def done(path, what):
    """Whether `what` was done to the notebook as it is now."""
    return _read().get(f"{path.stem}: {what}") == state(path)


def record(path, what):
    """Note that `what` was done to the notebook as it is now."""
    BUILD.mkdir(exist_ok=True)
    replace(
        BUILD / "ledger.json", json.dumps(_read() | {f"{path.stem}: {what}": state(path)}, indent=1)
    )


def replace(path, text):
    """Write a file whole or not at all."""
    write_whole(path, text.encode())
