"""Sphinx builds the tree that `python -m tools.book.stage` wrote.

Notebooks are never executed here; their outputs are committed.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
os.environ["DLSCRATCH_PROGRESS"] = "0"

from dlscratch import functional  # noqa: E402
from dlscratch.engine import CustomOperation  # noqa: E402
from tools.book import docstrings, figures  # noqa: E402
from tools.notebooks import address  # noqa: E402

project = html_title = "Deep Learning from First Principles"
author = copyright = "The Deep Learning from First Principles authors"
extensions = ["myst_nb", "sphinx_copybutton", "sphinx.ext.autodoc"]
exclude_patterns = ["jupyter_execute"]
language = "en"

nb_execution_mode = "off"
nb_number_source_lines = False
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]

# The copy of MathJax that `tools.book.stage` laid beside the pages. Its menu would make every
# formula a stop of the Tab key.
mathjax_path = "mathjax/tex-chtml.js"
mathjax3_config = {"options": {"enableMenu": False}, "chtml": {"mtextInheritFont": True}}

html_theme = "sphinx_book_theme"
html_static_path = ["_static", "../build/source/_static"]
html_favicon = "_static/favicon.svg"
html_context = {"default_mode": "auto"}
html_css_files = ["book.css"]
html_js_files = [("book.js", {"defer": "defer"})]
html_copy_source = html_show_sourcelink = False
html_theme_options = {
    "repository_url": f"https://github.com/{address.repository()}",
    "repository_branch": "main",
    "path_to_docs": "",
    "use_repository_button": True,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "launch_buttons": {"colab_url": "https://colab.research.google.com"},
    "navbar_persistent": [],
    "show_toc_level": 2,
    "secondary_sidebar_items": {"**": ["page-toc"], "claims": [], "concepts": []},
    "logo": {"text": project},
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}

html_domain_indices = False
toc_object_entries_show_parents = "hide"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
add_module_names = False
python_use_unqualified_type_names = True
copybutton_exclude = ".linenos, .gp, .go"


def setup(app):
    for name, operation in vars(
        functional
    ).items():  # autodoc shows functions; an operation with a fast twin is an object
        if isinstance(operation, CustomOperation):
            setattr(functional, name, operation.textbook)
    app.connect("autodoc-process-docstring", docstrings.process)
    app.connect("doctree-read", figures.anchor_cells)
