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
    history = training.fit(model, losses.cross_entropy, optimizer, (X, Y), epochs=epochs, batch_size=64, rng=3, checkpoint=path,
                           validation=(X_TEST, Y_TEST), metrics={"accuracy": training.accuracy}, callbacks=callbacks)  # fmt: skip
    return model, history


def test_fit_learns_and_remembers():
    model, history = run()
    assert history.last("validation", "accuracy") > 0.9
    frame = history.frame
    assert list(frame.columns) == ["epoch", "step", "split", "metric", "value"] and set(frame.split) == {"train", "validation"}
    assert len(history.values("train", "batch_loss")) == 4 * 22 and np.isnan(history.last("train", "nothing")) and model.training


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
    for damaged in (whole[:-10], b"", b"x" * 100):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="no checkpoint of dlscratch, or it is damaged"):
            training.load_checkpoint(path, model, optimizer, np.random.default_rng(0))
    path.write_bytes(whole)
    other = optimizers.SGD(model.parameters(), lr=0.1, momentum=0.9)
    with pytest.raises(KeyError, match="unexpected"):
        training.load_checkpoint(path, model, other, np.random.default_rng(0))
    assert np.array_equal(model.parameters().theta, theta)
    plain = layers.Sequential(layers.Linear(64, 10, rng=0))
    with pytest.raises(ValueError, match="another model"):
        training.load_checkpoint(path, plain, optimizers.SGD(plain.parameters()), np.random.default_rng(0))


def test_accuracy_and_progress(capsys, monkeypatch):
    assert training.accuracy(np.eye(3), np.array([0, 1, 1])) == pytest.approx(2 / 3)
    assert training.accuracy(Tensor(np.eye(3)), np.array([0, 1, 2])) == 1
    monkeypatch.setenv("DLSCRATCH_PROGRESS", "1")
    run(epochs=1)
    shown = capsys.readouterr()
    assert "epochs" in shown.out and not shown.err
