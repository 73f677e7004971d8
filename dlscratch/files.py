"""Files are written whole or not at all: at a path is the old file or the new one.

A file is first a *draft*: it has the file's name, in a folder of its own beside the place
where the file will stand. A rename, which the system does at once or not at all, brings
it there. What this module decides, and its tests hold:

- **Two writers of one path** have two drafts. Both succeed; the last one's file stays.
- **An exception**, also Ctrl-C, takes the drafts away and leaves the old file.
- **A killed process** leaves its folder `.unfinished-...`. The next writer of any file
  beside it removes it: at once when it can tell that the process is gone (same machine,
  and nobody has its number), else after a day.
- **A symbolic link is followed**: the file that it names is replaced, the link stays. Of
  several hard links to one file, only the one that is written gets the new file.
- **The mode** of an existing file is kept. A new one has what `open` gives: 0666 less
  the umask. Its owner is whoever writes. A file that is read-only is refused, as `open`
  would refuse it, and so is what is no file: a folder, a device, a pipe.
"""

import os
import platform
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

__all__ = ["write_whole", "whole"]

_HERE = re.sub(r"[^\w.]", "_", platform.node())
_MARK = re.compile(r"\.unfinished-(?P<machine>[\w.]*)-(?P<process>\d+)-")
_DAY = 24 * 60 * 60


def write_whole(path: str | os.PathLike, content: bytes) -> None:
    """Write the bytes to a draft that then takes the old file's place.

    Raises FileNotFoundError for a folder that does not exist, PermissionError for a file
    that is read-only, and OSError for a full disk; the old file is then as it was.

    Examples
    --------
    >>> from pathlib import Path
    >>> write_whole("notes.txt", b"all of it")
    >>> Path("notes.txt").read_bytes()
    b'all of it'
    """
    with whole(path) as (draft,), open(draft, "wb") as file:
        file.write(content)


@contextmanager
def whole(*paths: str | os.PathLike) -> Iterator[list[Path]]:
    """Yield a draft for each path; they take the files' places at the end, or never.

    A draft has its file's name and ending, in another folder. If anything is raised in
    the block, no file changes. Several files are renamed one after another, once all
    drafts are safe on disk. Raises as `write_whole` does, and FileNotFoundError for a
    draft that was not written.

    Examples
    --------
    >>> from pathlib import Path
    >>> with whole("table.csv", "table.json") as (csv, json):
    ...     _ = csv.write_text("a,b")
    ...     _ = json.write_text("{}")
    >>> Path("table.csv").read_text()
    'a,b'
    """
    targets = [_target(path) for path in paths]
    with ExitStack() as desks:
        drafts = [desks.enter_context(_desk(target.parent)) / target.name for target in targets]
        yield drafts
        for draft, target in zip(drafts, targets, strict=True):
            _settle(draft, target)
        for draft, target in zip(drafts, targets, strict=True):
            os.replace(draft, target)


def _target(path):
    """The file that a path names, links followed; OSError for what cannot be written."""
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"{path}: expected an existing folder {target.parent}; make it first"
        )
    if target.is_dir():
        raise IsADirectoryError(
            f"{path}: expected the name of a file, got a folder; add a name to it"
        )
    if target.exists() and not target.is_file():
        raise OSError(f"{path}: expected a file, got a device or a pipe; name a file")
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(f"{path} is read-only; make it writable, or name another file")
    return target


@contextmanager
def _desk(folder):
    """A folder for one draft, gone at the end. Its name says which process made it, and where."""
    _sweep(folder)
    desk = Path(tempfile.mkdtemp(prefix=f".unfinished-{_HERE}-{os.getpid()}-", dir=folder))
    try:
        yield desk
    finally:
        shutil.rmtree(desk, ignore_errors=True)


def _settle(draft, target):
    """Bring a draft to the disk, with the mode of the file that it will replace."""
    if not draft.exists():
        raise FileNotFoundError(f"{target}: nothing was written to its draft {draft}")
    with open(draft, "rb+") as file:
        os.fsync(file.fileno())
    if target.exists():
        os.chmod(draft, stat.S_IMODE(target.stat().st_mode))


def _sweep(folder):
    """Remove what killed processes have left in a folder."""
    with suppress(PermissionError):  # a folder that one may write to and not list
        for desk in [Path(folder, name) for name in os.listdir(folder) if _MARK.match(name)]:
            if _abandoned(desk):
                shutil.rmtree(desk, ignore_errors=True)


def _abandoned(desk):
    """Whether nobody will finish what is on this desk."""
    mark = _MARK.match(desk.name)
    if mark["machine"] == _HERE and os.name == "posix":
        return not _alive(int(mark["process"]))
    try:
        return time.time() - desk.stat().st_mtime > _DAY
    except FileNotFoundError:  # its writer is done
        return False


def _alive(process):
    try:
        os.kill(process, 0)  # asks, and sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:  # it is somebody else's
        return True
    return True
