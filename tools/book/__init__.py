"""The web book: `python -m tools.book.stage` writes its source tree, and Sphinx builds that."""
