"""python -m dlscratch, or dlscratch for short: one command a module of dlscratch/cli."""

import argparse
import os
import sys
from collections.abc import Sequence

from .cli import COMMANDS, NEED_A_CLONE, clone
from .cli.parts import repair

__all__ = ["main", "script"]

_CODES = """exit codes:
  0    done
  1    done, and a claim, a check or a needed package failed
  2    the request cannot be carried out; what to do instead is said
  130  stopped with Ctrl-C; no file is half-written

The notebooks are those of a clone: the one that dlscratch was installed from (pip install -e .), or
the folder in which you are. Where there is none, give run, sweep, exercises and claims a file.
"""
_NO_CLONE = "\nIn a clone of the repository there are also: {}.\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    args = _parser().parse_args(argv)
    try:
        code = COMMANDS[args.command].run(args)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _refuse("stopped", 130)
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ModuleNotFoundError as error:
        name = (error.name or str(error)).partition(".")[0]
        return _refuse(
            f"{args.command} needs {name}, which is not installed; doctor names all that is "
            f"missing. {repair(name)}"
        )
    except (ValueError, OSError, RuntimeError) as error:
        return _refuse(error)


def _refuse(why, code=2):
    print(f"dlscratch: {why}", file=sys.stderr)
    return code


def _parser():
    raw = argparse.RawDescriptionHelpFormatter
    what = "Deep learning from first principles: the notebooks, and what proves the package."
    hidden = () if clone.exists() else NEED_A_CLONE
    epilog = _CODES + (_NO_CLONE.format(", ".join(hidden)) if hidden else "")
    parser = argparse.ArgumentParser(
        "python -m dlscratch", description=what, epilog=epilog, formatter_class=raw
    )
    commands = parser.add_subparsers(
        dest="command",
        required=True,
        metavar="COMMAND",
        title="commands (COMMAND --help shows examples)",
    )
    for name, module in COMMANDS.items():
        first, _, rest = (module.__doc__ or name).partition("\n")
        words = {"description": first, "epilog": rest}
        if name not in hidden:  # without help, it is not in the list; asked for, it says why
            words["help"] = first
        module.arguments(commands.add_parser(name, **words, formatter_class=raw))
    return parser


def script() -> None:
    """What `dlscratch` calls."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # a pipe on Windows has no ✓
    sys.exit(main())


if __name__ == "__main__":
    script()
