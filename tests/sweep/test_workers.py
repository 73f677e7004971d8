"""The death of workers, played by a stand-in: who is tried again, and with whom."""

import threading
from concurrent.futures import BrokenExecutor, Future

import numpy as np
import pytest

from dlscratch.sweep.workers import Workers, attempt, outcomes, plain


class Dead(BrokenExecutor):
    """What the future of a call holds whose worker died."""


class Mortal(Workers):
    """Two calls at a time, for a moment; one that is deadly fails both, as with loky."""

    killed, attempts, at_once, one_fate = Dead, 4, 2, True

    def __init__(self, started):
        self.dead = False
        self.under_way = []  # [(value of a, its future)]
        self.together = []  # the calls that were under way at the same time
        started.append(self.together)

    def submit(self, function, fn, run):
        if self.dead:
            raise Dead("a worker has died")
        future = Future()
        self.under_way.append((run["a"], future))
        if len(self.under_way) == 1:
            threading.Timer(0.02, self.finish, (function, fn)).start()
        return future

    def finish(self, function, fn):
        calls, self.under_way = self.under_way, []
        self.together.append([a for a, _ in calls])
        self.dead = "deadly" in self.together[-1]
        for a, future in calls:
            if self.dead:
                future.set_exception(Dead("killed"))
            else:
                future.set_result(function(fn, {"a": a}))

    def close(self):
        pass


def played(*values):
    started = []
    runs = {a: {"a": a} for a in values}
    found = dict(outcomes(lambda: Mortal(started), lambda a: a, runs))
    return found, [calls for together in started for calls in together]


def test_a_neighbour_of_a_deadly_run_is_done_again():
    found, started = played("good", "deadly", "last")
    assert found["good"]["result"] == {"value": "good"}
    assert found["last"]["error"] is None
    assert "killed each time" in found["deadly"]["error"] and found["deadly"]["seconds"] is None
    assert sum(together.count("deadly") for together in started) == 4


def test_who_has_died_twice_runs_alone():
    _, started = played("good", "deadly", "last")
    deaths = 0
    for together in started:
        if "deadly" in together:
            deaths += 1
            assert deaths <= 2 or together == ["deadly"]


def test_calls_that_a_death_leaves_without_an_answer_are_done_again():
    """As in a Dask cluster whose last worker died: it waits for others, and would for ever."""
    started = []

    class Silent(Mortal):
        def finish(self, function, fn):
            deadly = [call for call in self.under_way if call[0] == "deadly"]
            self.under_way = deadly or self.under_way  # its neighbour never hears
            super().finish(function, fn)

    runs = {a: {"a": a} for a in ("good", "deadly", "last")}
    found = dict(outcomes(lambda: Silent(started), lambda a: a, runs))
    assert found["good"]["error"] is None and found["last"]["error"] is None
    assert "killed each time" in found["deadly"]["error"]


def test_workers_that_broke_unseen_are_replaced():
    """A worker may die between two looks: the refusal of the next call is no error of the sweep."""
    started = []

    class Fragile(Mortal):
        def __init__(self, started):
            super().__init__(started)
            self.dead = len(started) == 1

    found = dict(outcomes(lambda: Fragile(started), lambda a: a, {"last": {"a": "last"}}))
    assert found["last"]["result"] == {"value": "last"} and len(started) == 2


def test_an_attempt_keeps_what_was_raised():
    outcome = attempt(lambda a: 1 / a, {"a": 0})
    assert outcome["result"] == {} and "ZeroDivisionError" in outcome["error"]
    assert "SystemExit" in attempt(lambda: exit(3), {})["error"]
    assert "which is a parameter" in attempt(lambda a: {"a": 1}, {"a": 0})["error"]


@pytest.mark.parametrize("value", [np.float32(0.5), np.array(0.5), 0.5])
def test_scalars_become_python_s(value):
    assert plain(value) == 0.5 and type(plain(value)) is float

    assert plain(np.str_("a")) == "a"


def test_what_is_no_plain_value_is_refused():
    with pytest.raises(TypeError, match="list; want a number, text, bool or None"):
        plain([1])
