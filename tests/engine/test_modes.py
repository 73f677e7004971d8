"""The switches hold inside of what they decorate, and are put back."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dlscratch.engine import Tensor, default_dtype, detect_anomaly, no_grad
from dlscratch.engine.modes import mode, nesting, recording

X = Tensor(np.ones(2), requires_grad=True)


def recorded():
    return (X * 2).requires_grad


# Generators and coroutines ------------------------------------------------------------------------


def test_a_decorated_generator_runs_inside_the_switch():
    @no_grad()
    def outputs(n):
        """Some outputs."""
        for _ in range(n):
            yield recorded()

    assert outputs.__name__ == "outputs" and outputs.__doc__ == "Some outputs."
    assert list(outputs(3)) == [False, False, False]
    assert recorded()


def test_between_the_steps_of_a_decorated_generator_nothing_is_switched():
    @no_grad()
    def outputs():
        yield recorded()
        yield recorded()

    steps = outputs()
    for _ in range(2):
        assert not next(steps)
        assert recorded()
    with no_grad(), recording():
        steps = outputs()
        assert not next(steps) and recorded()


def test_a_decorated_generator_gets_what_is_sent_and_thrown_and_returns():
    seen = []

    @no_grad()
    def echo():
        try:
            sent = yield "first"
            seen.append((sent, recorded()))
            yield "second"
        except KeyError as error:
            seen.append((error, recorded()))
            yield "caught"
        finally:
            seen.append(("closed", recorded()))
        return "end"

    steps = echo()
    assert next(steps) == "first" and steps.send(5) == "second" and seen == [(5, False)]
    assert steps.throw(KeyError("x")) == "caught" and seen[1][1] is False
    with pytest.raises(StopIteration, match="end"):
        next(steps)
    assert seen[-1] == ("closed", False)
    steps = echo()
    next(steps)
    steps.close()
    assert seen[-1] == ("closed", False) and recorded()


def test_an_error_in_a_decorated_generator_comes_out_and_the_switch_is_put_back():
    @no_grad()
    def fails():
        yield 1
        raise ZeroDivisionError

    steps = fails()
    next(steps)
    with pytest.raises(ZeroDivisionError):
        next(steps)
    assert recorded()


def test_a_decorated_coroutine_runs_inside_the_switch():
    order = []

    async def other():
        order.append(("other", recorded()))
        await asyncio.sleep(0)
        order.append(("other", recorded()))

    @no_grad()
    async def quiet():
        order.append(("quiet", recorded()))
        await asyncio.sleep(0)
        order.append(("quiet", recorded()))
        return "done"

    async def both():
        return await asyncio.gather(quiet(), other(), quiet())

    assert asyncio.iscoroutinefunction(quiet)
    with ThreadPoolExecutor(1) as thread:  # where no other test's event loop runs
        assert thread.submit(asyncio.run, both()).result() == ["done", None, "done"]
    assert {said for said in order} == {("quiet", False), ("other", True)} and len(order) == 6


def test_an_asynchronous_generator_is_refused():
    with pytest.raises(TypeError, match="asynchronous generator function; write the `with` inside"):

        @no_grad()
        async def outputs():
            yield 1


@pytest.mark.parametrize(
    "switch, field, value",
    [(no_grad, "record", False), (detect_anomaly, "anomaly", True), (nesting, "nested", True)],
)
def test_every_switch_decorates_functions_and_generators(switch, field, value):
    @switch()
    def function():
        return getattr(mode, field)

    @switch()
    def generator():
        yield getattr(mode, field)

    assert function() is value and list(generator()) == [value]
    assert getattr(mode, field) is not value


# Anomalies ----------------------------------------------------------------------------------------

MASK = np.triu(np.full((3, 3), -np.inf), 1)


def softmax(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


@pytest.mark.parametrize(
    "masked",
    [
        lambda x: x + MASK,
        lambda x: np.where(MASK < 0, -np.inf, x),
        lambda x: x + Tensor(MASK),
        lambda x: np.where(MASK < 0, Tensor(-np.inf), x),
    ],
    ids=["added", "chosen", "a Tensor", "a Tensor chosen"],
)
def test_masks_of_minus_infinity_are_no_anomaly(masked):
    x = Tensor(np.arange(9.0).reshape(3, 3), requires_grad=True)
    with detect_anomaly():
        y = softmax(masked(x))
        np.sum(np.square(y)).backward()
    assert np.all(np.isfinite(x.grad)) and np.any(x.grad)


def test_an_infinity_that_an_operation_makes_is_an_anomaly():
    x = Tensor([0.0, 1.0], requires_grad=True)
    with detect_anomaly(), np.errstate(all="ignore"):
        with pytest.raises(FloatingPointError, match="np.log is not finite: infinity"):
            np.log(x)
        with pytest.raises(FloatingPointError, match="np.multiply is not finite: infinity"):
            Tensor([1e200]) * 1e200
        with pytest.raises(FloatingPointError, match="gradient through np.sqrt.*infinity"):
            np.sum(np.sqrt(x)).backward()


def test_a_nan_is_an_anomaly_whatever_came_in():
    infinite = Tensor([np.inf, 1.0], requires_grad=True)
    with detect_anomaly(), np.errstate(all="ignore"):
        with pytest.raises(FloatingPointError, match="np.subtract is not finite: NaN"):
            infinite - np.inf
        with pytest.raises(FloatingPointError, match="np.multiply is not finite: NaN"):
            infinite * 0.0
        with pytest.raises(FloatingPointError, match="np.add is not finite: NaN"):
            infinite + np.nan


def test_detect_anomaly_names_the_operation():
    x = Tensor([0.0, 4.0], requires_grad=True)
    with detect_anomaly(), np.errstate(all="ignore"):
        with pytest.raises(
            FloatingPointError, match=r"output of np.log is not finite: infinity.*\(2,\)"
        ):
            np.log(x)
        with pytest.raises(FloatingPointError, match=r"output of np.divide is not finite: NaN"):
            x / x
        y = np.sum(np.sqrt(x))
        with pytest.raises(
            FloatingPointError, match=r"gradient through np.sqrt is not finite: infinity"
        ):
            y.backward()
    with np.errstate(all="ignore"):
        assert np.isinf(np.log(x).data[0])


# Functions and threads --------------------------------------------------------------------------


def test_no_grad_is_a_decorator_and_nests():
    x = Tensor(1.0, requires_grad=True)

    @no_grad()
    def f():
        with no_grad():
            pass
        return x * 2

    assert not f().requires_grad and (x * 2).requires_grad
    with pytest.raises(ZeroDivisionError), no_grad():
        1 / 0  # noqa: B018
    assert (x * 2).requires_grad


def test_a_decorated_function_may_run_in_two_threads():
    """One enters with recording on, one with it off, and they leave in the other order."""
    first_is_in, second_is_in, seen = threading.Event(), threading.Event(), {}

    @no_grad()
    def meet(mine, other):
        mine.set()
        other.wait(10)

    def plain():
        meet(first_is_in, second_is_in)
        seen["plain"] = (Tensor(1.0, requires_grad=True) * 2).requires_grad

    def quiet():
        with no_grad():
            first_is_in.wait(10)
            meet(second_is_in, first_is_in)
            seen["quiet"] = (Tensor(1.0, requires_grad=True) * 2).requires_grad

    threads = [threading.Thread(target=f) for f in (plain, quiet)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert seen == {"plain": True, "quiet": False}


def test_no_grad_in_one_thread_does_not_stop_another():
    x, seen = Tensor(1.0, requires_grad=True), {}
    inside, done = threading.Event(), threading.Event()

    def quiet():
        with no_grad():
            inside.set()
            done.wait(10)
            seen["quiet"] = (x * 2).requires_grad

    other = threading.Thread(target=quiet)
    other.start()
    inside.wait(10)
    seen["here"] = (x * 2).requires_grad
    done.set()
    other.join()
    assert seen == {"quiet": False, "here": True}


# The dtype --------------------------------------------------------------------------------------


def test_default_dtype():
    assert default_dtype() == np.float32
    with default_dtype("float64") as inside:
        assert inside == default_dtype() == np.float64
        with default_dtype(np.float32):
            assert default_dtype() == np.float32
        assert default_dtype() == np.float64
    assert default_dtype() == np.float32
    with pytest.raises(ValueError, match="float16 is for storage only"):
        default_dtype("float16")
    default_dtype("float64")
    assert default_dtype() == np.float64
    default_dtype("float32")


def test_default_dtype_is_a_decorator():
    @default_dtype("float64")
    def made():
        return default_dtype()

    @default_dtype("float64")
    def several():
        yield default_dtype()
        yield default_dtype()

    assert default_dtype() == np.float32
    assert made() == np.float64 and list(several()) == [np.float64] * 2
    assert default_dtype() == np.float32
