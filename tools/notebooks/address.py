"""The repository's address, from the one place where it stands, and what is stamped from it."""

import re
import tomllib
from pathlib import Path

from dlscratch.files import write_whole

ROOT = Path(__file__).parents[2]
UNSET = "OWNER/REPOSITORY"
WHAT_TO_SET = (
    "dlscratch is missing: run `make lab` in a clone, or set the Repository: "
    "`make links REPOSITORY=owner/name`, and push"
)


def repository():
    """The owner and name, as in "owner/name", from [project.urls] in pyproject.toml."""
    url = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"][
        "Repository"
    ]
    return url.removeprefix("https://github.com/").removesuffix(".git").strip("/")


def set_repository(owner_name):
    """Write another owner and name into pyproject.toml. Raises ValueError for what is none."""
    if not re.fullmatch(r"[A-Za-z0-9][\w-]*/[\w.-]+", owner_name):
        raise ValueError(f"REPOSITORY={owner_name}: expected owner/name, as in REPOSITORY=ada/book")
    path = ROOT / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    address = f'Repository = "https://github.com/{owner_name}"'
    write_whole(path, re.sub(r'^Repository = ".*"$', address, text, flags=re.M).encode())


def badge(path, owner_name=None):
    """The Colab badge of a notebook, as markdown."""
    colab = "https://colab.research.google.com"
    place = Path(path).relative_to(ROOT).as_posix()
    where = f"{colab}/github/{owner_name or repository()}/blob/main/{place}"
    return f"[![Open in Colab]({colab}/assets/colab-badge.svg)]({where})"


def install(owner_name=None):
    """The first lines of every setup cell: where dlscratch is missing, they install it alone."""
    owner_name = owner_name or repository()
    act = f'get_ipython().run_line_magic("pip", "install -q git+https://github.com/{owner_name}")'
    if owner_name == UNSET:
        act = f'raise SystemExit("{WHAT_TO_SET}")'
    return (
        "import importlib.util  # these three lines are stamped by `make links`\n"
        f'if importlib.util.find_spec("dlscratch") is None:\n    {act}\n'
    )
