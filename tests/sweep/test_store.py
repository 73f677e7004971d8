"""The file of a sweep: half a line is cut off, and a file of something else stays as it is."""

import pytest

from dlscratch.sweep import sweep
from dlscratch.sweep.fingerprint import fingerprint
from dlscratch.sweep.store import read

from .test_grid import GRID, product, pytestmark  # noqa: F401 - not on Windows either


def test_a_half_line_is_cut_off_and_its_run_redone(tmp_path):
    out = tmp_path / "runs.jsonl"
    whole = sweep(product, GRID, 2, jobs=1, out=out)
    lines = out.read_bytes().splitlines(keepends=True)
    for cut in (3, 30, len(lines[-1]) - 1):
        out.write_bytes(b"".join(lines[:-1]) + lines[-1][:cut])
        assert len(
            read(out, fingerprint(product), ["a", "b", "seed"])
        ) == 5 and out.read_bytes() == b"".join(lines[:-1])
    assert (
        sweep(product, GRID, 2, jobs=1, out=out)
        .drop(columns="seconds")
        .equals(whole.drop(columns="seconds"))
    )
    assert len(out.read_bytes().splitlines()) == 6


@pytest.mark.parametrize(
    "content, message",
    [
        (b"my diary\n", "line 1: no run over a, b, seed"),
        (b"my diary", "is no file of a sweep"),
        (b'{"code": "\n', "line 1: no run"),
        (b'{"code": "1", "run": {"a": 1, "seed": 0}}\n', "line 1: no run over a, b, seed"),
        (b'{"code": "1", "run": {"a": 1, "b": 2, "seed": 0}}\n', "line 1: other code"),
    ],
)
def test_another_file_is_left_as_it_is(tmp_path, content, message):
    (tmp_path / "runs.jsonl").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        sweep(product, GRID, 1, out=tmp_path / "runs.jsonl")
    assert (tmp_path / "runs.jsonl").read_bytes() == content
