"""python -m tools.notebooks.reach [NUMBER | all]: at how many settings nearby each claim holds.

Neighbours are each number among the parameters halved and doubled, one at a time, and five times
the steps. What was counted stands, dated, in notebooks/reach.json; the claims page shows it. A run
without a fault counts for `tinker`, too, whose runs are among these.
"""

import datetime
import json
import sys

from dlscratch.cli import notebooks as nb
from dlscratch.files import write_whole

from . import address, ledger
from .rerun import changed, red_output

FILE = address.ROOT / "notebooks" / "reach.json"
BUDGETS = ("steps", "epochs", "passes")
TIMES = 5


def neighbours(defaults):
    """The settings next to the default."""
    yield from changed(defaults)
    yield from ({name: TIMES * defaults[name]} for name in BUDGETS if name in defaults)


def known():
    """{notebook: {"date": ..., "settings": how many, "claims": {text: held at}}}."""
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def measure(path):
    """Run a notebook at all its neighbours and count."""
    book = nb.read(path)
    held = {nb.text_of(line): 0 for _, line in nb.claims(book)}
    settings = list(neighbours(nb.parameters(book)))
    for values in settings:
        out = ledger.BUILD / "reach" / path.name
        ran = nb.run(path, out, values, progress=False)
        if red := red_output(ran):
            raise RuntimeError(f"{path.stem} with {values}: {red}")
        ledger.record(path, f"tinker {values}")
        made = nb.claims(ran)
        for holds, line in made:
            if nb.text_of(line) in held:
                held[nb.text_of(line)] += holds
        print(path.stem, values, f"{sum(h for h, _ in made)} of {len(made)} hold", flush=True)
    today = datetime.date.today().isoformat()
    return {"date": today, "settings": len(settings), "claims": held}


def main(number="all"):
    for path in nb.find(None if number == "all" else number):
        if number == "all" and ledger.done(path, "reach"):
            continue
        found = known() | {path.stem: measure(path)}
        text = json.dumps(dict(sorted(found.items())), indent=1, ensure_ascii=False)
        write_whole(FILE, (text + "\n").encode())
        ledger.record(path, "reach")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
