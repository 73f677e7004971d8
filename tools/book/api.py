"""The reference: one page a module, from its `__all__` and docstrings."""

import importlib

import dlscratch

__all__ = ["MODULES", "pages"]

MODULES = {
    "dlscratch": "Gradients of any order",
    "dlscratch.engine": "The engine: a table of derivatives",
    "dlscratch.functional": "Functions that NumPy lacks",
    "dlscratch.layers": "Layers",
    "dlscratch.initializers": "Initializers",
    "dlscratch.losses": "Losses",
    "dlscratch.optimizers": "Optimizers and schedules",
    "dlscratch.data": "Data",
    "dlscratch.models": "Models",
    "dlscratch.training": "Training",
    "dlscratch.checkpoints": "Checkpoints",
    "dlscratch.files": "Files",
    "dlscratch.filetypes": "Kinds of files",
    "dlscratch.progress": "Progress bars",
    "dlscratch.onnx": "Export to ONNX",
    "dlscratch.lab.claim": "Claims",
    "dlscratch.testing": "Verification",
    "dlscratch.lab.probe": "Probes",
    "dlscratch.lab.curvature": "Curvature",
    "dlscratch.lab.landscape": "Landscapes",
    "dlscratch.lab.measures": "Measures",
    "dlscratch.lab.quadrature": "Expectations over Gaussian numbers",
    "dlscratch.sweep": "Sweeps",
    "dlscratch.lab.plot": "Figures",
    "dlscratch.lab.source": "Source",
    "dlscratch.lab.stacked": "Networks side by side",
    "dlscratch.lab.tuning": "Choosing a rate",
    "dlscratch.cli.notebooks": "Notebooks as files",
}


def pages():
    """{file: text} of an index and of one page a module."""
    index = [
        "# Reference",
        "",
        "Every public name, from its docstring: one sentence, formula, shapes, errors, the source.",
        "",
    ]
    index += ["```{toctree}", ":maxdepth: 1", "", *MODULES, "```", ""]
    return {"api/index.md": "\n".join(index)} | {
        f"api/{name}.rst": _page(name, title) for name, title in MODULES.items()
    }


def _page(name, title):
    module = importlib.import_module(name)
    options = "   :members:\n   :undoc-members:\n   :show-inheritance:\n"
    if hasattr(module, "__path__"):
        options += "   :imported-members:\n"
    if name == "dlscratch.engine":  # what stands on the page of dlscratch
        options += f"   :exclude-members: {', '.join(dlscratch.__all__)}\n"
    return f"{title}\n{'=' * len(title)}\n\n``{name}``\n\n.. automodule:: {name}\n{options}"
