"""claims: of the committed notebooks, of a folder, of a file; as text and as JSON."""

import json

import pytest

from dlscratch.__main__ import main
from dlscratch.cli import notebooks as nb


def test_claims_of_the_committed_notebooks(capsys):
    assert main(["claims"]) == 0
    out = capsys.readouterr().out
    assert "00_start_here" in out and "✓" in out and "✗" not in out
    assert out.endswith(f"{out.count('✓')} of {out.count('✓')} claims hold\n")


def test_as_json(capsys):
    assert main(["claims", "00", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made[1] == {
        "notebook": "00_start_here",
        "text": "Share of unseen digits read correctly",
        "holds": True,
        "measured": "0.9735 ± 0.0028 (20 seeds)",
        "wanted": "> 0.95",
    }
    said = [line for _, line in nb.claims(nb.read(nb.find("00")[0]))]
    assert [f"✓ {m['text']} [measured {m['measured']}; wanted {m['wanted']}]" for m in made] == said


def test_of_a_folder_and_of_a_file(clone, capsys):
    assert main(["run", "6"]) == 1
    capsys.readouterr()
    for what in ("build", "build/notebooks/06_c.ipynb"):
        assert main(["claims", what]) == 1
        assert capsys.readouterr().out.splitlines()[:2] == [
            "06_c",
            "  ✗ It is shallow [measured 8 ; wanted < 5]",
        ]


@pytest.mark.parametrize("text", ["a diary", '{"cells": 3}', "[]", '{"nbformat": "x"}'])
def test_a_file_that_is_no_notebook(tmp_path, capsys, text):
    (tmp_path / "a.ipynb").write_text(text)
    assert main(["claims", str(tmp_path / "a.ipynb")]) == 2
    assert "a.ipynb is no notebook" in capsys.readouterr().err


def test_where_there_are_none(clone, capsys):
    assert main(["claims"]) == 0
    assert "no claims: not executed?" in capsys.readouterr().out
    for what in ("nowhere", "7"):
        assert main(["claims", what]) == 2
    assert "nowhere is no notebook's number, no file" in capsys.readouterr().err
