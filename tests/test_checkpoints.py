"""A file is read whole or not at all, and a killed run goes on bit for bit."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlscratch import checkpoints, layers, optimizers, training
from dlscratch.losses import mse_loss

ROOT = Path(__file__).parents[1]
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(24, 3)).astype(np.float32), rng.normal(size=(24, 2)).astype(np.float32)
OPTIMIZERS = {
    "SGD": lambda p: optimizers.SGD(p, 0.05, momentum=0.9),
    "Adam": lambda p: optimizers.Adam(p, 0.01),
    "LBFGS": lambda p: optimizers.LBFGS(p, 0.5, max_iter=2),
    "SAM": lambda p: optimizers.SAM(optimizers.SGD(p, 0.05, momentum=0.9)),
    "ScheduleFreeAdamW": lambda p: optimizers.ScheduleFreeAdamW(p, 0.01),
}
SCHEDULES = {
    "step": lambda o: optimizers.StepLR(o, 5, 0.7),
    "cycle": lambda o: optimizers.OneCycleLR(o, 0.05, 6 * 3),
    "plateau": lambda o: optimizers.ReduceLROnPlateau(o, patience=0, threshold=0.5),
    "none": lambda o: None,
}


def net(width=4, activation=layers.ReLU):
    inside = [layers.BatchNorm1d(width), activation(), layers.Dropout(0.3, rng=2)]
    return layers.Sequential(
        layers.Linear(3, width, rng=1), *inside, layers.Linear(width, 2, rng=3)
    )


def run(
    path=None,
    epochs=6,
    optimizer="Adam",
    schedule="none",
    callbacks=(),
    averaged=False,
    patience=None,
    seed=4,
):
    """All that a run is: arrays of its parts, states of its generators, history."""
    model, generator = net(), np.random.default_rng(seed)
    rule = OPTIMIZERS[optimizer](model.parameters())
    plan, average = (
        SCHEDULES[schedule](rule),
        optimizers.EMA(model.parameters(), 0.9) if averaged else None,
    )
    history = training.fit(
        model,
        mse_loss,
        rule,
        (X, Y),
        epochs=epochs,
        batch_size=8,
        rng=generator,
        checkpoint=path,
        callbacks=callbacks,
        schedule=plan,
        average=average,
        patience=patience,
        validation=(X[:8], Y[:8] + 1),
    )
    return state(model, rule, generator, history, *filter(None, (plan, average)))


def state(model, rule, generator, history, *others):
    arrays = [
        (k, v.dtype.str, v.tobytes())
        for part in (model, rule, *others)
        for k, v in part.state_dict().items()
    ]
    return (
        arrays,
        generator.bit_generator.state,
        model[3].rng.bit_generator.state,
        list(history.rows),
    )


def interrupt(at):
    def stop(state):
        if state["step"] == at:
            raise KeyboardInterrupt

    return stop


# Resuming -------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_resume_is_exact(tmp_path, optimizer, schedule):
    if schedule == "cycle" and optimizer not in ("SGD", "Adam"):
        schedule = "step"  # the others have no momentum to cycle
    options = dict(optimizer=optimizer, schedule=schedule, averaged=schedule == "step")
    path = tmp_path / "run.safetensors"
    for stop_at in (4, 9, 16):
        with pytest.raises(KeyboardInterrupt):
            run(path, callbacks=[interrupt(stop_at)], **options)
    assert run(path, **options) == run(**options)
    assert (
        run(path, **options)[0] == run(**options)[0]
    )  # a run that was complete: nothing is trained, all comes back
    assert [p.name for p in tmp_path.iterdir()] == ["run.safetensors"]


def test_early_stopping_survives_an_interruption(tmp_path):
    whole = run(epochs=60, patience=3)
    epochs = whole[-1][-1][0] + 1
    assert epochs < 60
    for stop_at in range(2, 3 * epochs - 1, 7):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "run", epochs=60, patience=3, callbacks=[interrupt(stop_at)])
    assert run(tmp_path / "run", epochs=60, patience=3) == whole
    assert run(tmp_path / "run", epochs=60, patience=3) == whole  # it had stopped: it stays so


@pytest.mark.parametrize(
    "kind", [np.random.PCG64, np.random.Philox, np.random.MT19937, np.random.SFC64]
)
def test_every_kind_of_generator_comes_back(tmp_path, kind):
    model, generator = net(), np.random.Generator(kind(5))
    rule = optimizers.SGD(model.parameters())
    generator.normal(size=7)
    checkpoints.save_checkpoint(tmp_path / "run", model, rule, generator)
    wanted = generator.normal(size=5)
    checkpoints.load_checkpoint(tmp_path / "run", model, rule, generator)
    assert np.array_equal(generator.normal(size=5), wanted)
    with pytest.raises(KeyError, match="another rng"):
        checkpoints.load_checkpoint(
            tmp_path / "run", model, rule, np.random.Generator(np.random.PCG64DXSM(0))
        )


# Killing --------------------------------------------------------------------------------

EPOCHS = 60
SCRIPT = """
import os, signal, sys
import numpy as np
from dlscratch import layers, losses, optimizers, training
path, die = sys.argv[1], sys.argv[2:]
if die:  # in a save: before the file is synced, or before it takes the old one's place
    calls, name, last = [], die[0], int(die[1])
    real = getattr(os, name)
    def deadly(*args):
        calls.append(0)
        if len(calls) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args)
    setattr(os, name, deadly)
rng = np.random.default_rng(0)
X, y = rng.normal(size=(64, 6)).astype(np.float32), rng.integers(0, 3, 64)
hidden = [layers.BatchNorm1d(8), layers.ReLU(), layers.Dropout(0.2, rng=2)]
model = layers.Sequential(layers.Linear(6, 8, rng=1), *hidden, layers.Linear(8, 3, rng=3))
rule = optimizers.Adam(model.parameters(), 1e-2)
def tick(outputs, targets):
    print("epoch", flush=True)
    return 0.0
training.fit(model, losses.cross_entropy, rule, (X, y), epochs=EPOCHS, batch_size=16,
             checkpoint=path, progress=False, patience=1000, metrics={"tick": tick},
             schedule=optimizers.StepLR(rule, 50))
""".replace("EPOCHS", str(EPOCHS))


def trained(path, *die, ticks=0):
    """The exit code of the script; if asked, killed at a random moment after so many epochs."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(path), *die], env=environment, stdout=subprocess.PIPE
    ) as process:
        for _ in range(ticks):
            process.stdout.readline()
        if ticks:
            time.sleep(random.uniform(0, 0.015))
            process.kill()
        return process.wait(timeout=20)


def content(path):
    arrays, meta = checkpoints._read(path)
    return {k: (v.dtype, v.tobytes()) for k, v in arrays.items()}, meta


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_killed_at_any_moment_a_run_goes_on_bit_for_bit(tmp_path):
    whole, path, epochs = tmp_path / "whole", tmp_path / "run", []
    assert trained(whole) == 0
    for die in [("fsync", "1"), ("replace", "3"), (), (), (), (), ("fsync", "4")]:
        assert trained(path, *die, ticks=0 if die else random.randint(1, 4)) == -signal.SIGKILL
        epochs.append(content(path)[1]["epoch"] if path.exists() else 0)
    assert (
        epochs[:2] == [0, 2] and epochs == sorted(epochs) and epochs[-2] + 3 == epochs[-1] < EPOCHS
    ), epochs
    assert trained(path) == 0
    assert content(path) == content(whole) and content(whole)[1]["epoch"] == EPOCHS
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run", "whole"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch, call):
    path, model = tmp_path / "weights", net()
    checkpoints.save(model, path)
    old = path.read_bytes()

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="no space left"):
        checkpoints.save(net(5), path)
    assert path.read_bytes() == old and [p.name for p in tmp_path.iterdir()] == ["weights"]


# Damage ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a checkpoint after two epochs and its weights alone."""
    folder = tmp_path_factory.mktemp("files")
    model, rule, generator, history = fresh()
    training.fit(
        model,
        mse_loss,
        rule,
        (X, Y),
        epochs=2,
        batch_size=8,
        rng=generator,
        checkpoint=folder / "run",
    )
    checkpoints.save(model, folder / "weights")
    return folder


def fresh(width=4, rule=optimizers.Adam, activation=layers.ReLU):
    model, history = net(width, activation), training.History()
    history.add(0, 0, "train", "loss", 1.0)
    return model, rule(model.parameters()), np.random.default_rng(9), history


def refused(path, error, match, target=None, load=checkpoints.load_checkpoint, **others):
    target = target or fresh()
    before = state(*target)
    with pytest.raises(error, match=match) as caught:
        load(path, *target, **others)
    said = str(caught.value)
    assert path.name in said and re.search(REPAIR, said)
    ours = b'"dlscratch.' in path.read_bytes()[:300]
    assert "delete" not in said and ("remove" not in said or ours)
    assert state(*target) == before


REPAIR = (
    "restore it from a copy, or remove it to start afresh|make the model that was saved|"
    r"make what was saved, or name another file|load it with checkpoints.load\(model, path\)|"
    "expected a safetensors file|expected a file from checkpoints.save|restore it from a copy$"
)


def weights(path, model, *_):
    checkpoints.load(model, path)


READERS = {"run": checkpoints.load_checkpoint, "weights": weights}


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_altered_or_truncated_anywhere_it_is_refused(folder, name, data):
    whole = (folder / name).read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    damaged = bytearray(whole)
    if data.draw(st.booleans(), "truncate"):
        del damaged[data.draw(st.integers(0, len(whole) - 1), "length") :]
    else:
        end = data.draw(st.sampled_from([8, header, len(whole)]), "region")
        for place in data.draw(st.sets(st.integers(0, end - 1), min_size=1, max_size=2), "places"):
            damaged[place] ^= data.draw(st.integers(1, 255), "bits")
    (folder / "damaged").write_bytes(damaged)
    said = "damaged|does not fit" if damaged else "is an empty file"
    refused(folder / "damaged", ValueError, said, load=READERS[name])


@pytest.mark.parametrize("name", READERS)
def test_every_byte_of_the_header_counts(folder, name):
    whole = (folder / name).read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    target, path = fresh(), folder / "damaged"
    before = state(*target)
    for place in [*range(min(header, 250)), *range(max(header - 250, 0), header)]:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="damaged"):
            READERS[name](path, *target)
    assert state(*target) == before


def test_other_parts_are_refused(folder):
    run_, own = folder / "run", dict(load=checkpoints.load_checkpoint)
    double = fresh()
    double[0].astype(np.float64)
    sgd = lambda p: optimizers.SGD(p, 0.1, momentum=0.9)
    refused(
        run_,
        ValueError,
        r"(?s)another model: unexpected .*Linear\(3→4\).*want .*Linear\(3→5\)",
        fresh(width=5),
        **own,
    )
    refused(
        run_,
        ValueError,
        "(?s)another model: unexpected .*ReLU.*want .*Tanh",
        fresh(activation=layers.Tanh),
        **own,
    )
    refused(
        run_,
        ValueError,
        "(?s)of float32, int64, want .*of float64, int64",
        (double[0], *fresh_rule(double[0])),
        **own,
    )
    refused(run_, KeyError, "another optimizer: unexpected Adam, want SGD", fresh(rule=sgd), **own)
    refused(
        run_,
        KeyError,
        "another optimizer: unexpected Adam, want AdamW",
        fresh(rule=optimizers.AdamW),
        **own,
    )
    target = fresh()
    refused(
        run_,
        KeyError,
        "another schedule: unexpected None, want StepLR",
        target,
        schedule=optimizers.StepLR(target[1], 3),
    )
    refused(folder / "weights", ValueError, "weights alone", **own)
    with pytest.raises(FileNotFoundError):
        checkpoints.load_checkpoint(folder / "nothing", *fresh())


def fresh_rule(model):
    return optimizers.Adam(model.parameters()), np.random.default_rng(9), training.History()


def test_a_part_that_fails_late_undoes_the_others(tmp_path):
    model, rule, generator, history = fresh()
    plan = optimizers.OneCycleLR(rule, 0.1, 100)
    plan.t = 50
    checkpoints.save_checkpoint(tmp_path / "run", model, rule, generator, history, schedule=plan)
    target = fresh()
    target[0].parameters().theta[...] = 7
    short = optimizers.OneCycleLR(target[1], 0.2, 10)
    target[1].lr = 0.123  # set by hand: putting the schedule back must not undo it
    lr, betas = target[1].lr, target[1].param_groups[0]["betas"]
    refused(
        tmp_path / "run",
        ValueError,
        "another schedule: .*at most total_steps=10",
        target,
        schedule=short,
    )
    assert (target[1].lr, target[1].param_groups[0]["betas"], short.t) == (lr, betas, 0)
    no_momentum = fresh(rule=optimizers.SGD)
    with_momentum = optimizers.SGD(no_momentum[0].parameters(), momentum=0.9)
    checkpoints.save_checkpoint(tmp_path / "run", *no_momentum)
    refused(
        tmp_path / "run",
        ValueError,
        r"another optimizer: .*missing \['v'\]",
        (no_momentum[0], with_momentum, *no_momentum[2:]),
    )


class Shift(layers.Module):
    def __init__(self, n):
        self.by = layers.Parameter(np.zeros(n, np.float32))


def test_other_shapes_of_the_same_layers_are_refused(tmp_path):
    checkpoints.save_checkpoint(
        tmp_path / "run",
        saved := Shift(3),
        optimizers.SGD(saved.parameters()),
        np.random.default_rng(0),
    )
    model = Shift(4)
    model.by.data += 1
    with pytest.raises(
        ValueError, match=r"another model: .*by came with shape \(3,\), want \(4,\)"
    ):
        checkpoints.load_checkpoint(
            tmp_path / "run", model, optimizers.SGD(model.parameters()), np.random.default_rng(0)
        )
    assert (model.by.data == 1).all()


def test_weights_of_another_model_are_refused(folder, tmp_path):
    refused(
        folder / "weights",
        ValueError,
        r"does not fit.*\(4, 3\), want \(5, 3\)",
        fresh(width=5),
        weights,
    )
    refused(folder / "run", KeyError, "does not fit.*missing.*unexpected", fresh(), weights)
    model = net()
    assert checkpoints.load(model, folder / "weights") is model
    saved = json.loads((folder / "weights").read_bytes()[8:].split(b"}}")[0] + b"}}")[
        "__metadata__"
    ]
    assert set(saved) == {"dlscratch.meta", "dlscratch.sha256"}
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileNotFoundError):
        checkpoints.save(model, tmp_path / "nowhere" / "weights")
