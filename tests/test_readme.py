"""What the README says works, works."""

import re
from pathlib import Path

import pytest

from dlscratch.cli import COMMANDS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_prints_what_its_comments_say(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    assert len([line for line in code.splitlines() if line.strip()]) <= 12
    exec(code, {})
    printed = capsys.readouterr().out.split()
    assert printed == [said.split()[-1] for said in re.findall(r"^print.*  # (.*)$", code, re.M)]


def test_the_example_of_docs_elsewhere_runs(tmp_path, monkeypatch):
    for name, extra in {"tensorboard": "tensorboard", "onnx": "onnx"}.items():
        pytest.importorskip(name, reason=f"the extra `{extra}` is not installed")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "elsewhere.md").read_text(encoding="utf-8"), re.S
    )
    exec(code, {})
    assert {p.name for p in (tmp_path / "runs").iterdir()} == {
        "first",
        "first.csv",
        "first.onnx",
        "first.safetensors",
    }


def test_the_guide_to_custom_operations_runs():
    text = (ROOT / "docs" / "custom_operations.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(blocks) >= 6
    exec("\n".join(blocks), {})


def test_links_lead_somewhere():
    for name in ("README.md", "CONTRIBUTING.md", "data/README.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        without_code = re.sub(r"`[^`\n]*`", "", text)
        for link in re.findall(r"\]\((?!https?:|#)([^)]+)\)", without_code):
            assert (ROOT / name).parent.joinpath(link).exists(), f"{name} links to {link}"


def test_every_make_target_that_is_named_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(
            r"(?:`|^)make ([a-z]+)", (ROOT / name).read_text(encoding="utf-8"), re.M
        ):
            assert re.search(rf"^{target}:", makefile, re.M), f"{name} names make {target}"


def test_every_command_that_is_named_exists():
    named = re.findall(r"(?:`|^)(?:python -m )?dlscratch ([a-z]+)", TEXT, re.M)
    assert set(named) == COMMANDS.keys()
