"""What `python -m dlscratch` can do: one module a command.

Each has `arguments(parser)`, which says what it takes, and `run(args)`, which does it and returns
the exit code. Its docstring is its help: the first line in the list of commands, all of it in its
own.
"""

from . import benchmark, claims, doctor, exercises, list, run, sweep, verify

__all__ = ["COMMANDS", "NEED_A_CLONE"]

COMMANDS = {
    module.__name__.rpartition(".")[2]: module
    for module in (list, run, sweep, exercises, claims, verify, benchmark, doctor)
}
NEED_A_CLONE = ("list", "verify", "benchmark")  # an installed package does not offer them
