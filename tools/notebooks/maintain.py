"""python -m tools.notebooks.maintain execute | cost | links [NUMBER | all].

What is written back into the notebooks.
"""

import base64
import io
import os
import re
import subprocess
import sys

import nbformat
from PIL import Image

from dlscratch.cli import notebooks as nb

from . import address, ledger
from . import map as chart

EXECUTE = """
import resource, sys, nbformat
from nbclient import NotebookClient
book = nbformat.read(sys.argv[1], 4)
options = dict(kernel_name="python3", record_timing=False, coalesce_streams=True)
options["resources"] = {"metadata": {"path": sys.argv[2]}}
NotebookClient(book, timeout=900, extra_arguments=["--log-level=ERROR"], **options).execute()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
unit = 2**20 if sys.platform == "darwin" else 2**10
print(used.ru_utime + used.ru_stime, used.ru_maxrss / unit, file=sys.stderr)
nbformat.write(book, sys.stdout)
"""


def clean_run(path, *before):
    """The notebook executed in a clean kernel, with its seconds on one core and its megabytes."""
    command = [*before, sys.executable, "-c", EXECUTE, str(path), str(path.parent)]
    environment = os.environ | {
        "DLSCRATCH_PROGRESS": "0",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment)
    if done.returncode:
        sys.exit(f"{path.stem} fails:\n{done.stderr}")
    seconds, megabytes = map(float, done.stderr.split()[-2:])
    return nbformat.reads(done.stdout, 4), seconds, megabytes


def tidy(book):
    """Keep of the metadata only what does not change from run to run or from machine to machine."""
    book.metadata = {
        k: book.metadata[k] for k in ("kernelspec", "language_info", "breaks") if k in book.metadata
    }
    book.metadata["language_info"] = {
        "name": "python",
        "file_extension": ".py",
        "mimetype": "text/x-python",
    }
    for cell in book.cells:
        for key in ("execution", "papermill", "ExecuteTime"):
            cell.metadata.pop(key, None)
        if "hide-input" in cell.metadata.get("tags", []):  # folded in Colab and in JupyterLab, too
            cell.metadata["cellView"] = "form"
            cell.metadata["jupyter"] = {"source_hidden": True}
        for out in cell.get("outputs", []):
            if "image/png" in out.get("data", {}):
                out.data["image/png"] = small(out.data["image/png"])
    return book


def small(png):
    """A figure in 128 colours: no eye tells it apart, and it is a third of the size."""
    picture, packed = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"), io.BytesIO()
    picture.quantize(128, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return base64.b64encode(packed.getvalue()).decode()


def answer_on_top(book):
    """Put the figure of the cell tagged `answer` into the first cell, at ![...](answer.png).

    It becomes a data URI, which every reader shows; Colab shows no attachments.
    """
    head = book.cells[0]
    answer = next(
        (c for c in book.cells if "answer" in c.metadata.get("tags", [])), {"outputs": []}
    )
    for out in answer["outputs"]:
        if "image/png" in out.get("data", {}):
            png = "".join(out.data["image/png"].split())
            shown = re.compile(r"\]\((answer\.png|data:image/png;base64,[^)]*)\)")
            head.source = shown.sub(lambda _: f"](data:image/png;base64,{png})", head.source)
    return book


def write(book, path):
    text = nbformat.writes(book).rstrip() + "\n"
    if text != path.read_text(encoding="utf-8"):
        ledger.replace(path, text)


def to_do(number, what):
    """The notebook that was asked for, or all to which this was not done since they changed."""
    for path in nb.find(None if number == "all" else number):
        if number == "all" and ledger.done(path, what):
            print(f"{path.stem}: unchanged since its last {what}")
        else:
            print(f"{path.stem}: ", end="", flush=True)
            yield path


def execute(number="all"):
    """Run in a clean kernel and write the outputs back."""
    for path in to_do(number, "execute"):
        book, seconds, _ = clean_run(path)
        write(answer_on_top(tidy(book)), path)
        ledger.record(path, "execute")
        print(
            f"{sum(held for held, _ in nb.claims(book))} of {len(nb.claims(book))} claims hold, "
            f"{seconds:.0f} s"
        )


def cost(number="all"):
    """Measure seconds on one core and peak memory.

    Write them into the notebook's header and the README's table.
    """
    one_core = ["taskset", "-c", "0"] if os.path.exists("/usr/bin/taskset") else []
    for path in to_do(number, "cost"):
        _, seconds, megabytes = clean_run(path, *one_core)
        cost = f"about {seconds:.0f} s on one core, {round(megabytes, -1):.0f} MB"
        stamp = f"<!-- cost --> {cost} <!-- /cost -->"
        book = nb.read(path)
        head = book.cells[0]
        head.source = re.sub(r"<!-- cost -->.*?<!-- /cost -->", stamp, head.source)
        write(book, path)
        ledger.record(path, "cost")
        print(nb.cost(book) or "its first cell has no place <!-- cost --> <!-- /cost -->")
    write_table()


def links(number="all"):
    """Stamp the repository's address into badges and install lines; write the README's map.

    REPOSITORY=owner/name in the environment is a new address, which is written first.
    """
    if os.environ.get("REPOSITORY"):
        address.set_repository(os.environ["REPOSITORY"])
    for path in nb.find():
        book = nb.read(path)
        stamp(book, path)
        write(book, path)
    write_table()


def stamp(book, path):
    """Put the badge into the first cell and the install lines into the first code cell."""
    head = book.cells[0]
    head.source = re.sub(r"\[!\[Open [iI]n Colab\].*", lambda _: address.badge(path), head.source)
    setup = next(c for c in book.cells if c.cell_type == "code")
    setup.source = re.sub(r"\Aimport importlib\.util .*\n.*\n.*\n?", "", setup.source)
    setup.source = (address.install() + setup.source).strip()


def table():
    """The README's map of one hundred."""
    return chart.readme()


def with_table(readme):
    return re.sub(
        r"(<!-- table -->\n).*?(<!-- /table -->)",
        lambda m: f"{m[1]}{table()}\n{m[2]}",
        readme,
        flags=re.S,
    )


def write_table():
    path = address.ROOT / "README.md"
    ledger.replace(path, with_table(path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    {f.__name__: f for f in (execute, cost, links)}[sys.argv[1]](*sys.argv[2:])
