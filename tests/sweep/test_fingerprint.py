"""The fingerprint of a function changes with what it does, and with nothing else."""

import numpy as np
import pytest

from dlscratch.sweep.fingerprint import fingerprint


def test_the_fingerprint_follows_what_the_code_does():
    def of(source):
        space = {"__name__": "made", "np": np}
        exec(source, space)
        return fingerprint(space["f"])

    base = of("K = 2\ndef g(x):\n    return x * K\ndef f(x, seed=0):\n    return g(x)")
    assert base == of(
        "K = 2\n\ndef g(x):\n    return x * K  # doubled\n\ndef f(x, seed=0):\n    return g(x)"
    )
    changed = [
        "K = 3\ndef g(x):\n    return x * K",
        "K = 2\ndef g(x):\n    return x + K",
        "K = 2\ndef g(x, y=1):\n    return x * K",
    ]
    prints = [of(f"{one}\ndef f(x, seed=0):\n    return g(x)") for one in changed]
    prints.append(of("K = 2\ndef g(x):\n    return x * K\ndef f(x, seed=1):\n    return g(x)"))
    listed = "def f(x, seed=0):\n    return [g(y) for y in [x]][0]"
    prints.append(of(f"K = 2\ndef g(x):\n    return x * K\n{listed}"))
    assert len({base, *prints}) == 6
    assert of("class G:\n    def h(self):\n        return 1\nf = lambda seed: G().h()") != of(
        "class G:\n    def h(self):\n        return 2\nf = lambda seed: G().h()"
    )
    assert of("import threading\nL = threading.Lock\nf = lambda seed: L")
    with pytest.raises(ValueError, match="uses a value that cannot be pickled"):
        of("import threading\nL = threading.Lock()\nf = lambda seed: L")
