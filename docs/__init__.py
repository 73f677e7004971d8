"""The web book: `python -m docs.stage` writes its source tree from the committed notebooks, and Sphinx builds that."""
