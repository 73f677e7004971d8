"""Events come in the documented order, and the options of `fit` are callbacks."""

import inspect
import re

import numpy as np
import pytest

from dlscratch import layers, optimizers, training
from dlscratch.losses import mse_loss

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
EVENTS = [
    "before_fit",
    "before_epoch",
    "before_batch",
    "after_backward",
    "after_step",
    "after_epoch",
    "after_fit",
    "cleanup",
]


def net():
    hidden = [layers.BatchNorm1d(4), layers.Tanh()]
    model = layers.Sequential(layers.Linear(3, 4, rng=0), *hidden, layers.Linear(4, 2, rng=1))
    return model.astype("float64")


def fit(model=None, rule=lambda p: optimizers.SGD(p, 0.1), **options):
    model = model or net()
    options = dict(epochs=2, batch_size=10, progress=False) | options
    optimizer = rule(model.parameters())
    return model, training.fit(model, mse_loss, optimizer, (X, Y), **options)


class Recorder(training.Callback):
    def __init__(self):
        self.seen = []


def _record(event):
    return lambda self, run: self.seen.append(event)


for event in EVENTS:
    setattr(Recorder, event, _record(event))


def test_events_come_in_the_documented_order():
    recorder = Recorder()
    fit(callbacks=[recorder])
    step = ["before_batch", "after_backward", "after_step"]
    epoch = ["before_epoch", *step, *step, "after_epoch"]
    assert recorder.seen == ["before_fit", *epoch, *epoch, "after_fit", "cleanup"]


def test_the_docstring_and_the_methods_name_the_same_events():
    listed = re.findall(r"^ +(\w+)  +\S", inspect.getdoc(training.Callback), re.MULTILINE)
    methods = [name for name in vars(training.Callback) if not name.startswith("_")]
    assert listed == EVENTS and methods == [*EVENTS, "parts"]


def test_after_an_error_only_the_cleanup_is_left():
    class Fails(training.Callback):
        def after_step(self, run):
            raise KeyboardInterrupt

    recorder = Recorder()
    with pytest.raises(KeyboardInterrupt):
        fit(callbacks=[recorder, Fails()])
    assert recorder.seen[-2:] == ["after_step", "cleanup"] and "after_fit" not in recorder.seen


def test_a_callback_sees_what_its_event_promises():
    model = net()

    class Look(training.Callback):
        def before_batch(self, run):
            assert run.batch[0].shape == (10, 3) and run.batch[1].shape == (10, 2)
            self.theta = model.parameters().theta.copy()

        def after_backward(self, run):
            assert np.linalg.norm(model.parameters().dtheta) > 1e-3, "not yet clipped"
            assert np.array_equal(model.parameters().theta, self.theta)
            self.value = run.value

        def after_step(self, run):
            assert not np.array_equal(model.parameters().theta, self.theta)
            assert run.history.last("train", "batch_loss") == self.value
            assert len(run.history.values("train", "loss")) == run.epoch

        def after_epoch(self, run):
            for split in ("train", "validation"):
                assert len(run.history.values(split, "loss")) == run.epoch + 1

    fit(model, callbacks=[Look()], clip=1e-6, validation=(X, Y))


def test_a_callback_ends_the_run_at_the_next_epoch():
    class Enough(training.Callback):
        def after_step(self, run):
            run.stopped = run.optimizer.t == 3

    class Keep(training.Callback):
        def before_epoch(self, run):
            run.stopped = run.epoch == 1

    _, history = fit(epochs=9, callbacks=[Keep()])
    assert len(history.values("train", "loss")) == 1
    _, history = fit(epochs=9, batch_size=20, callbacks=[Enough()])
    assert len(history.values("train", "loss")) == 3


def test_options_of_fit_are_the_callbacks_that_one_can_give_by_hand(tmp_path):
    def options(model, optimizer):
        return dict(
            schedule=optimizers.StepLR(optimizer, 3, 0.5),
            average=optimizers.EMA(model.parameters(), 0.9),
        )

    model = net()
    optimizer = optimizers.Adam(model.parameters(), 0.05)
    short = training.fit(
        model,
        mse_loss,
        optimizer,
        (X, Y),
        epochs=30,
        batch_size=10,
        rng=5,
        validation=(Y @ np.ones((2, 3)), Y),
        clip=0.5,
        patience=2,
        checkpoint=tmp_path / "short",
        progress=False,
        **options(model, optimizer),
    )
    other = net()
    optimizer = optimizers.Adam(other.parameters(), 0.05)
    made = options(other, optimizer)
    run = training.Run(other, mse_loss, optimizer, (X, Y), np.random.default_rng(5), 30, 10)
    run.callbacks = [
        training.Evaluation("train", (X, Y)),
        training.Evaluation("validation", (Y @ np.ones((2, 3)), Y)),
        training.GradientClipping(0.5),
        training.Scheduling(made["schedule"], "validation"),
        training.WeightAveraging(made["average"]),
        training.EarlyStopping(2, "validation"),
        training.Checkpointing(tmp_path / "long"),
    ]
    assert training.train(run).rows == short.rows and run.stopped
    assert np.array_equal(other.parameters().theta, model.parameters().theta)
    assert (tmp_path / "short").read_bytes() == (tmp_path / "long").read_bytes()


def test_what_a_callback_keeps_survives_an_interruption(tmp_path):
    class Count(training.Callback):
        n = 0

        def after_step(self, run):
            self.n += 1
            if self.n == stop_at:
                raise KeyboardInterrupt

        def parts(self):
            return {"count": self}

        def state_dict(self):
            return {"n": np.array(self.n)}

        def load_state_dict(self, state):
            self.n = int(state["n"])

    stop_at = 5
    with pytest.raises(KeyboardInterrupt):
        fit(callbacks=[Count()], epochs=6, checkpoint=tmp_path / "run")
    stop_at, count = -1, Count()
    model, _ = fit(callbacks=[count], epochs=6, checkpoint=tmp_path / "run")
    assert count.n == 12
    assert np.array_equal(model.parameters().theta, fit(epochs=6)[0].parameters().theta)


def test_two_callbacks_that_would_keep_one_name_are_refused(tmp_path):
    class Kept(training.Callback):
        def parts(self):
            return {"schedule": self}

    plan = optimizers.StepLR(optimizers.SGD(net().parameters(), 0.1), 3)
    with pytest.raises(ValueError, match="two callbacks have a part schedule"):
        fit(callbacks=[Kept()], schedule=plan, checkpoint=tmp_path / "run")


# Single options -------------------------------------------------------------------------


def test_without_evaluate_train_only_the_validation_is_measured():
    model, history = fit(evaluate_train=False, validation=(X, Y), patience=5)
    assert len(history.values("train", "loss")) == 0
    assert len(history.values("validation", "loss")) == 2
    assert len(history.values("train", "batch_loss")) == 4
    model, history = fit(evaluate_train=False)
    assert {row[3] for row in history.rows} == {"batch_loss"}


@pytest.mark.parametrize(
    "watching", [dict(patience=3), dict(schedule="plateau")], ids=["patience", "plateau"]
)
def test_what_watches_a_loss_wants_one(watching):
    model = net()
    rule = optimizers.SGD(model.parameters(), 0.1)
    if "schedule" in watching:
        watching = dict(schedule=optimizers.ReduceLROnPlateau(rule))
    with pytest.raises(ValueError, match="want a loss to watch; give validation"):
        training.fit(model, mse_loss, rule, (X, Y), evaluate_train=False, **watching)


@pytest.mark.parametrize("accumulate", [1, 3])
def test_drop_last_leaves_out_the_smaller_step(accumulate):
    sizes = []

    class Look(training.Callback):
        def before_batch(self, run):
            sizes.append(len(run.batch[0]))

    for drop_last, wanted in [(False, [9, 9, 2]), (True, [9, 9])]:
        sizes.clear()
        options = dict(batch_size=9 // accumulate, accumulate=accumulate, epochs=1)
        fit(drop_last=drop_last, callbacks=[Look()], **options)
        assert sizes == wanted


def test_a_last_batch_of_one_breaks_batch_norm_and_drop_last_repairs_it():
    with pytest.raises(ValueError, match="variance"):
        fit(batch_size=19)
    _, history = fit(batch_size=19, drop_last=True)
    assert len(history.values("train", "batch_loss")) == 2


@pytest.mark.parametrize(
    "options, match",
    [
        (dict(drop_last=True, batch_size=21), "20 examples make no step of 21"),
        (dict(drop_last=True, batch_size=7, accumulate=3), "20 examples make no step of 21"),
        (dict(callbacks=[3]), "expected a Callback or a function"),
        (dict(schedule="cosine"), "schedule: expected one of optimizers', got 'cosine'"),
        (dict(average=0.9), "average: expected one of optimizers', got 0.9"),
        (dict(validation=X), "the validation data are ndarray"),
        (dict(clip=-1.0), "expected a number above 0, got max_norm=-1.0"),
    ],
)
def test_options_that_do_nothing_are_refused_before_anything_changes(options, match):
    model = net()
    before = {k: v.tobytes() for k, v in model.state_dict().items()}
    with pytest.raises((TypeError, ValueError), match=match):
        fit(model, **options)
    assert {k: v.tobytes() for k, v in model.state_dict().items()} == before


def test_no_examples_are_refused():
    model = net()
    with pytest.raises(ValueError, match="0 examples make no step"):
        training.fit(model, mse_loss, optimizers.SGD(model.parameters()), (X[:0], Y[:0]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("given", ["float16", "float32", "float64"])
def test_floats_are_cast_to_the_models_dtype(dtype, given):
    model, seen = net().astype(dtype), []

    def loss(outputs, targets):
        seen.append((outputs.dtype, targets.dtype))
        return mse_loss(outputs, targets)

    rule = optimizers.SGD(model.parameters(), 0.1)
    data = X.astype(given), Y.astype(given)
    training.fit(model, loss, rule, data, epochs=1, batch_size=10, progress=False)
    assert set(seen) == {(np.dtype(dtype), np.dtype(dtype))}
    assert {p.dtype for p in model.parameters()} == {np.dtype(dtype)}
    twin = net().astype(dtype)
    cast = tuple(a.astype(given).astype(dtype) for a in (X, Y))
    rule = optimizers.SGD(twin.parameters(), 0.1)
    training.fit(twin, mse_loss, rule, cast, epochs=1, batch_size=10, progress=False)
    assert np.array_equal(model.parameters().theta, twin.parameters().theta)


def test_the_plain_loop_computes_the_same_numbers():
    from dlscratch import data

    model, _ = fit(rng=7, epochs=3)
    plain, order = net(), np.random.default_rng(7)
    optimizer = optimizers.SGD(plain.parameters(), 0.1)
    for _ in range(3):
        for x, y in data.batches(order, X, Y, size=10):
            optimizer.zero_grad()
            loss = mse_loss(plain(x), y)
            loss.backward()
            optimizer.step()
    assert np.array_equal(plain.parameters().theta, model.parameters().theta)


def test_the_bar_shows_epochs_and_the_loss_and_is_closed_after_an_error(capsys, monkeypatch):
    monkeypatch.setenv("DLSCRATCH_PROGRESS", "1")
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)

    def fails(state):
        if state["epoch"] == 1:
            raise KeyboardInterrupt

    bar = training.ProgressBar()
    with pytest.raises(KeyboardInterrupt):
        fit(callbacks=[fails, bar])
    shown = capsys.readouterr().out
    assert "epochs" in shown and "0/2" in shown and bar.bar.disable, "closed"
