"""One loop: it learns, it remembers, and a run that was stopped goes on bit for bit."""

import numpy as np
import pytest

from dlscratch import Tensor, data, layers, losses, optimizers, training

X, Y, X_TEST, Y_TEST = data.digits(rng=0)


class Interrupted(Exception):
    pass


def build():
    hidden = [layers.BatchNorm1d(16), layers.ReLU(), layers.Dropout(0.2, rng=1)]
    model = layers.Sequential(layers.Linear(64, 16, rng=0), *hidden, layers.Linear(16, 10, rng=2))
    return model, optimizers.Adam(model.parameters(), lr=1e-2)


def run(path=None, callbacks=(), epochs=4):
    model, optimizer = build()
    history = training.fit(
        model,
        losses.cross_entropy,
        optimizer,
        (X, Y),
        epochs=epochs,
        batch_size=64,
        rng=3,
        checkpoint=path,
        validation=(X_TEST, Y_TEST),
        metrics={"accuracy": training.accuracy},
        callbacks=callbacks,
    )
    return model, history


def test_fit_learns_and_remembers():
    model, history = run()
    assert history.last("validation", "accuracy") > 0.9
    frame = history.frame
    assert list(frame.columns) == ["epoch", "step", "split", "metric", "value"] and set(
        frame.split
    ) == {"train", "validation"}
    assert (
        len(history.values("train", "batch_loss")) == 4 * 22
        and np.isnan(history.last("train", "nothing"))
        and model.training
    )


@pytest.mark.parametrize("stop_at", [30, 44, 70])
def test_resume_is_exact(tmp_path, stop_at):
    path = tmp_path / "run.safetensors"

    def stop(state):
        if state["step"] == stop_at:
            raise Interrupted

    with pytest.raises(Interrupted):
        run(path, [stop])
    model, history = run(path)
    whole, whole_history = run()
    assert np.array_equal(model.parameters().theta, whole.parameters().theta)
    assert history.rows == whole_history.rows
    assert all(np.array_equal(v, whole.state_dict()[k]) for k, v in model.state_dict().items())
    assert [p.name for p in tmp_path.iterdir()] == ["run.safetensors"]


def test_bad_checkpoints_leave_the_model_as_it_was(tmp_path):
    path = tmp_path / "run.safetensors"
    run(path, epochs=1)
    model, optimizer = build()
    theta = model.parameters().theta.copy()
    whole = path.read_bytes()
    for damaged, said in (
        (whole[:-10], "no checkpoint of dlscratch, or it is damaged"),
        (b"", "is an empty file"),
        (b"x" * 100, "is no safetensors file"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=said):
            training.load_checkpoint(path, model, optimizer, np.random.default_rng(0))
    path.write_bytes(whole)
    other = optimizers.SGD(model.parameters(), lr=0.1, momentum=0.9)
    with pytest.raises(KeyError, match="unexpected"):
        training.load_checkpoint(path, model, other, np.random.default_rng(0))
    assert np.array_equal(model.parameters().theta, theta)
    plain = layers.Sequential(layers.Linear(64, 10, rng=0))
    with pytest.raises(ValueError, match="another model"):
        training.load_checkpoint(
            path, plain, optimizers.SGD(plain.parameters()), np.random.default_rng(0)
        )


def test_accuracy_and_progress(capsys, monkeypatch):
    assert training.accuracy(np.eye(3), np.array([0, 1, 1])) == pytest.approx(2 / 3)
    assert training.accuracy(Tensor(np.eye(3)), np.array([0, 1, 2])) == 1
    monkeypatch.setenv("DLSCRATCH_PROGRESS", "1")
    run(epochs=1)
    shown = capsys.readouterr()
    assert "epochs" in shown.out and not shown.err


# What a step is made of -----------------------------------------------------------------


def regression(n=22, dtype=np.float64):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 5)).astype(dtype), rng.normal(size=(n, 2)).astype(dtype)


def small(dtype="float64"):
    return layers.Sequential(
        layers.Linear(5, 6, rng=0), layers.Tanh(), layers.LayerNorm(6), layers.Linear(6, 2, rng=1)
    ).astype(dtype)


def trained(
    model=None, rule=lambda p: optimizers.Adam(p, 0.02), loss=losses.mse_loss, pair=None, **options
):
    model = model or small()
    optimizer = rule(model.parameters())
    plan = options.pop("plan", None)
    average = options.pop("average", None)
    options |= dict(
        schedule=plan and plan(optimizer), average=average and average(model.parameters())
    )
    history = training.fit(
        model,
        loss,
        optimizer,
        regression() if pair is None else pair,
        **({"epochs": 3, "batch_size": 4} | options),
    )
    return model.parameters().theta.copy(), history, optimizer, options


@pytest.mark.parametrize(("size", "times"), [(4, 2), (3, 3), (1, 8), (5, 4), (8, 100)])
def test_accumulated_batches_are_one_batch(size, times):
    """22 examples: the last step is smaller, and its last micro-batch smaller still."""
    parts, history, optimizer, _ = trained(batch_size=size, accumulate=times)
    joined, whole, *_ = trained(batch_size=size * times)
    assert np.abs(parts - joined).max() < 1e-12 and optimizer.t == 3 * -(-22 // (size * times))
    for metric in ("batch_loss", "loss"):
        assert history.values("train", metric) == pytest.approx(
            whole.values("train", metric), abs=1e-12
        )
    if size * times == 8:  # a mean of the micro-batches' means would be something else
        assert np.abs(parts - trained(batch_size=22)[0]).max() > 1e-3


def test_accumulation_keeps_float32():
    model = small("float32")
    theta, *_ = trained(model, pair=regression(dtype=np.float32), accumulate=2)
    assert theta.dtype == np.float32 and {p.grad.dtype for p in model.parameters()} == {
        np.dtype(np.float32)
    }


def test_callbacks_come_once_a_step_between_backward_and_clipping():
    seen, model = [], small()

    def look(state):
        assert (
            set(state) == {"model", "optimizer", "loss", "epoch", "step", "history"}
            and state["model"] is model
        )
        seen.append(
            (
                state["epoch"],
                state["step"],
                state["loss"],
                np.linalg.norm(model.parameters().dtheta),
            )
        )

    _, history, *_ = trained(model, accumulate=2, clip=1e-3, callbacks=[look])
    assert [s[:2] for s in seen] == [(i // 3, i) for i in range(9)]
    assert [s[2] for s in seen] == list(history.values("train", "batch_loss")) and min(
        s[3] for s in seen
    ) > 1e-3


def test_clipping_bounds_the_step():
    lr, limit = 0.1, 0.05
    before = small().parameters().theta
    for clip, bounded in ((limit, True), (1e9, False), (None, False)):
        theta, *_ = trained(
            rule=lambda p: optimizers.SGD(p, lr), clip=clip, epochs=1, batch_size=22
        )
        length = np.linalg.norm(theta - before)
        assert length == pytest.approx(lr * limit, rel=1e-4) if bounded else length > 2 * lr * limit


# Early stopping -------------------------------------------------------------------------


def overfitting():
    rng = np.random.default_rng(1)
    make = lambda n: ((X := rng.normal(size=(n, 8))), X[:, :1] + rng.normal(size=(n, 1)))
    model = layers.Sequential(
        layers.Linear(8, 32, rng=0),
        layers.BatchNorm1d(32),
        layers.Tanh(),
        layers.Linear(32, 1, rng=1),
    )
    return model.astype("float64"), make(24), make(40)


@pytest.mark.parametrize("watched", ["validation", "train"])
def test_early_stopping_puts_the_best_weights_back(watched):
    model, pair, other = overfitting()
    options = dict(validation=other) if watched == "validation" else {}
    rule = lambda p: optimizers.Adam(p, 0.01 if options else 0.8)
    _, history, *_ = trained(
        model, rule, pair=pair, epochs=300, batch_size=8, patience=4, **options
    )
    seen = history.values(watched, "loss")
    best = int(np.argmin(seen))
    assert 1 <= best and len(seen) == best + 5 < 300, "the fifth epoch after the best is not begun"
    assert (
        training.evaluate(model, losses.mse_loss, other if options else pair)["loss"]
        == seen[best]
        < seen[-1]
    )
    again, pair, other = overfitting()  # buffers, too
    trained(again, rule, pair=pair, epochs=best + 1, batch_size=8, **options)
    assert all(np.array_equal(v, again.state_dict()[k]) for k, v in model.state_dict().items())


def test_without_patience_the_last_weights_stay_and_with_it_the_best_even_at_the_end():
    for patience in (None, 100):
        model, pair, other = overfitting()
        _, history, *_ = trained(
            model,
            lambda p: optimizers.Adam(p, 0.05),
            pair=pair,
            epochs=40,
            validation=other,
            patience=patience,
        )
        seen = history.values("validation", "loss")
        assert len(seen) == 40 and np.argmin(seen) < 39
        wanted = seen.min() if patience else seen[-1]
        assert training.evaluate(model, losses.mse_loss, other)["loss"] == wanted


def test_nan_is_no_improvement():
    history = training.History()
    assert history.stalled("train") == 0
    for value, stalled in (
        (np.nan, 0),
        (3.0, 0),
        (np.nan, 1),
        (3.0, 2),
        (np.inf, 3),
        (2.0, 0),
        (4.0, 1),
    ):
        history.add(0, 0, "train", "loss", value)
        assert history.stalled("train") == stalled


# Schedules, averages, rules that call back ----------------------------------------------


def test_schedules_move_with_each_step_and_plateaus_with_each_epoch():
    seen = []
    look = lambda state: seen.append(state["optimizer"].lr)
    trained(plan=lambda o: optimizers.ExponentialLR(o, 0.5), callbacks=[look], batch_size=11)
    assert seen == [0.02 * 0.5**i for i in range(6)]
    plan = lambda o: optimizers.ReduceLROnPlateau(o, patience=0, threshold=1.0)  # never content
    _, history, optimizer, options = trained(plan=plan, epochs=4, validation=regression(7))
    assert options["schedule"].t == 4 and optimizer.lr == pytest.approx(0.02 * 0.1**4)


def test_average_takes_in_every_step():
    thetas, model = [], small()
    look = lambda state: thetas.append(model.parameters().theta.copy())
    theta, *_, options = trained(model, average=optimizers.SWA, callbacks=[look])
    assert options["average"].n == len(thetas) == 18
    assert np.allclose(options["average"].x, np.mean([*thetas[1:], theta], axis=0), atol=1e-12)


def test_rules_that_need_a_closure_and_rules_with_two_faces():
    X, y = regression()
    whole = dict(batch_size=22, epochs=1)
    by_hand = small()
    rule = optimizers.SAM(optimizers.SGD(by_hand.parameters(), 0.1))

    def closure():
        rule.zero_grad()
        value = losses.mse_loss(by_hand(Tensor(X)), y)
        value.backward()
        return value.item()

    rule.step(closure)
    theta, *_ = trained(rule=lambda p: optimizers.SAM(optimizers.SGD(p, 0.1)), **whole)
    assert np.abs(theta - by_hand.parameters().theta).max() < 1e-12
    theta, _, rule, _ = trained(rule=lambda p: optimizers.ScheduleFreeSGD(p, 0.1))
    assert np.array_equal(theta, rule.vectors["x"]), "measured, saved and returned is the average"


# Bad input ------------------------------------------------------------------------------

BAD = {
    "accumulate": (dict(accumulate=0), ValueError, "accumulate=0"),
    "patience": (dict(patience=0), ValueError, "patience=0"),
    "clip": (dict(clip=-1.0), ValueError, "got max_norm=-1"),
    "batch_size": (dict(batch_size=0), ValueError, "size=0"),
    "pair": (dict(pair=(np.zeros((3, 5)), np.zeros((2, 2)))), ValueError, r"lengths \[3, 2\]"),
    "rng": (dict(rng="seed"), TypeError, "SeedSequence"),
    "no targets": (
        dict(pair=np.zeros((3, 5))),
        TypeError,
        r"the train data are ndarray; want a pair \(X, y\)",
    ),
    "lists": (dict(pair=([[0.0] * 5] * 3, [[0.0]] * 3)), TypeError, r"came list.*np.asarray\(X\)"),
    "another model": (
        dict(rule=lambda p: optimizers.SGD(small().parameters(), 0.1)),
        ValueError,
        "moves no parameter of this model",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    options, error, match = BAD[name]
    model = small()
    before = model.parameters().theta.copy()
    with pytest.raises(error, match=match):
        trained(model, **options)
    assert np.array_equal(model.parameters().theta, before)


def test_bad_measurements():
    with pytest.raises(ValueError, match="unpack"):
        training.evaluate(small(), losses.mse_loss, (X, Y, Y))
    with pytest.raises(ValueError, match="want .N, C. and .N,."):
        training.accuracy(np.eye(3), np.zeros(4))
    with pytest.raises(ValueError, match="could not convert"):
        training.History().add(0, 0, "train", "loss", "much")


class Unwritable:
    def __str__(self):
        raise Interrupted


def test_history_goes_to_csv(tmp_path):
    import pandas as pd

    _, history = run(epochs=1)
    history.to_csv(tmp_path / "h.csv")
    assert pd.read_csv(tmp_path / "h.csv").equals(history.frame)
    before = (tmp_path / "h.csv").read_bytes()
    history.rows.append((0, 0, "train", "loss", Unwritable()))
    with pytest.raises(Interrupted):
        history.to_csv(tmp_path / "h.csv")
    assert (tmp_path / "h.csv").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["h.csv"]


def test_history_goes_to_parquet(tmp_path):
    pytest.importorskip(
        "pyarrow",
        reason="pyarrow: pandas would load its 50 MB in every notebook; CI installs it last",
    )
    import pandas as pd

    _, history = run(epochs=1)
    history.to_parquet(tmp_path / "h.parquet")
    assert pd.read_parquet(tmp_path / "h.parquet").equals(history.frame) and [
        p.name for p in tmp_path.iterdir()
    ] == ["h.parquet"]


@pytest.mark.parametrize(
    "package, use",
    [
        ("pyarrow", lambda folder: training.History().to_parquet(folder / "h.parquet")),
        ("tensorboard", lambda folder: training.TensorBoard(folder / "board")),
    ],
)
def test_a_missing_extra_is_named_with_its_repair(tmp_path, monkeypatch, package, use):
    monkeypatch.setattr("dlscratch.training.history.find_spec", lambda name: None)
    with pytest.raises(
        ModuleNotFoundError,
        match=f"needs {package}, which is not installed: python -m pip install {package}$",
    ):
        use(tmp_path)
    assert not list(tmp_path.iterdir())


def test_tensorboard_shows_the_history(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with training.TensorBoard(tmp_path) as board:
        _, history = run(callbacks=[board], epochs=2)
    events = EventAccumulator(str(tmp_path), {"tensors": 0}).Reload()  # all of them, not a sample
    assert {(split, metric) for _, _, split, metric, _ in history.rows} == {
        tuple(tag.split("/")) for tag in events.Tags()["tensors"]
    }
    for tag in events.Tags()["tensors"]:
        wanted = [
            (step, np.float32(value))
            for _, step, *name, value in history.rows
            if "/".join(name) == tag
        ]
        assert [(e.step, e.tensor_proto.float_val[0]) for e in events.Tensors(tag)] == wanted


def test_tensorboard_keeps_what_an_interrupted_run_had(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def stop(state):
        if state["step"] == 30:
            raise Interrupted

    with pytest.raises(Interrupted), training.TensorBoard(tmp_path) as board:
        run(callbacks=[board, stop], epochs=4)
    events = EventAccumulator(str(tmp_path), {"tensors": 0}).Reload()  # all of them, not a sample
    assert [e.step for e in events.Tensors("train/batch_loss")] == list(range(1, 31))
