# Two commands for a newcomer: `make run` and `make test`. Each sets up what it needs in .venv first.
SHELL  := /bin/bash
TORCH  ?= torch==2.13.0
NB     ?= 00
SEEDS  ?= 3
ARGS   ?=
J      ?= 2
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3 python,$(if $(shell $(p) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(p))))
PY     := .venv/bin/python
STAMP  := $(shell cat pyproject.toml constraints.txt 2>/dev/null | cksum | cut -d' ' -f1)
RUN    := .venv/.run-$(STAMP)
DOCS   := .venv/.docs-$(STAMP)
TEST   := .venv/.test-$(STAMP)$(if $(TORCH),-torch)
OLD    := .venv-colab/.made-$(STAMP)$(if $(TORCH),-torch)
PIP    := PYTHONWARNINGS=ignore $(PY) -m pip install --disable-pip-version-check --progress-bar on -q -c constraints.txt
# Where the platform has no such build of PyTorch, say which: make test TORCH=torch, or none: make test TORCH=
export OPENBLAS_NUM_THREADS ?= 1
test unit notebooks execute cost seeds breaks reach answers tinker portable: export DLSCRATCH_PROGRESS ?= 0
NBVAL  := $(PY) -m pytest -q --color=no -n $(J) --dist loadfile --nbval --nbval-current-env --nbval-cell-timeout=180 --nbval-sanitize-with=nbval-sanitize.cfg -p no:cacheprovider

.PHONY: run lab book serve chromium test unit notebooks lint mutations parity benchmark execute links figures cost seeds breaks reach answers tinker portable colab setup clean
run: $(RUN)
	@echo "Executing notebook $(NB) ..."
	@$(PY) -m dlscratch run $(NB) $(ARGS)

lab: $(RUN)
	$(PY) -m jupyterlab notebooks/part0_foundations/00_start_here.ipynb

# The web book, from the committed notebooks; nothing is executed.
book: $(DOCS)
	$(PY) -m tools.book.stage
	@rm -rf build/book
	$(PY) -m sphinx -q -W --keep-going -E -j $(J) -c docs -d build/doctrees -b html build/source build/book
	@echo "The book: build/book/index.html"
serve: book
	$(PY) -m http.server --directory build/book --bind 127.0.0.1 8000

test: lint unit notebooks
unit: $(TEST) book chromium
	$(PY) -m pytest -rs tests -n $(J) --dist worksteal --timeout=600 --cov=dlscratch --cov-report=term:skip-covered --cov-fail-under=95
notebooks: $(TEST)
	$(NBVAL) --durations=5 notebooks
lint: $(TEST)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m codespell_lib dlscratch tests tools docs data README.md CONTRIBUTING.md

# Classic bugs, injected one at a time, and the test that catches each: the table. (`make unit` runs them as tests.)
mutations: $(TEST)
	$(PY) -m tests.mutations.run

# The worst errors of the derivatives and against PyTorch, test by test.
parity: $(TEST)
	@$(PY) -m dlscratch verify $(ARGS)

# A race with PyTorch; a quiet machine, please: make benchmark ARGS="W1 W6 --rounds 9"
benchmark: $(TEST)
	@$(PY) -m dlscratch benchmark $(ARGS)

# Maintenance: NB=05 picks one notebook; without it, all that changed since the last time.
BOOKS = $(if $(filter command,$(firstword $(origin NB))),$(NB),all)
execute: $(TEST)
	$(PY) -m tools.notebooks.maintain execute $(BOOKS)
links: $(TEST)
	REPOSITORY=$(REPOSITORY) $(PY) -m tools.notebooks.maintain links
cost: $(TEST)
	$(PY) -m tools.notebooks.maintain cost $(BOOKS)
# Three other seeds; before a notebook is called done: make seeds NB=05 SEEDS=20
seeds: $(TEST)
	SEEDS=$(SEEDS) $(PY) -m tools.notebooks.rerun seeds $(BOOKS)
# Small edits that must turn named claims, and no others, from ✓ to ✗.
breaks: $(TEST)
	$(PY) -m tools.notebooks.breaks $(BOOKS)
# At how many neighbouring settings each claim holds: notebooks/reach.json.
reach: $(TEST)
	$(PY) -m tools.notebooks.reach $(BOOKS)
# Right and wrong answers, fed to each exercise's check.
answers: $(TEST)
	$(PY) -m tools.notebooks.exercises $(BOOKS)
tinker: $(TEST)
	$(PY) -m tools.notebooks.rerun tinker $(BOOKS)
figures: $(TEST)
	$(PY) -m tools.book.picture
portable: $(TEST)
	$(PY) -m tools.notebooks.rerun portable $(BOOKS)

# The oldest versions that pyproject.toml promises, which are Colab's or older: all notebooks must print there what is committed.
colab: $(OLD)
	.venv-colab/bin/python -m tools.notebooks.rerun lowest $(BOOKS) $(SAMPLE)
$(OLD):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; say make colab PYTHON=/path/to/python"; exit 1; }
	@echo "Setting up .venv-colab with $$($(PYTHON) --version) (once; a minute or two) ..."
	@rm -rf .venv-colab; $(PYTHON) -m venv .venv-colab; .venv-colab/bin/python -m pip install -q -U pip
	@$(PYTHON) -m tools.notebooks.lowest > .venv-colab/constraints.txt
	@$(if $(TORCH),.venv-colab/bin/python -m pip install --disable-pip-version-check -q -c .venv-colab/constraints.txt "$(TORCH)")
	@PYTHONWARNINGS=ignore .venv-colab/bin/python -m pip install --disable-pip-version-check -q -c .venv-colab/constraints.txt -e . ipython ipykernel "nbval==0.11.*"
	@touch $@

setup: $(RUN)
$(RUN):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none was found; install it, or say make PYTHON=/path/to/python"; exit 1; }
	@echo "Setting up .venv with $$($(PYTHON) --version) (once; a few minutes) ..."
	$(PYTHON) -m venv .venv
	@echo "  pip ..."; $(PY) -m pip install -q -U pip
	@echo "  numpy, matplotlib, jupyter, dlscratch ..."; $(PIP) -e ".[notebooks]"
	@rm -f .venv/.run-* .venv/.docs-* .venv/.test-*; touch $@
$(DOCS): | $(RUN)
	@echo "  sphinx, myst-nb, playwright ..."; $(PIP) --group docs --group browser
	@touch $@
$(TEST): | $(RUN)
	@$(if $(TORCH),echo "  $(TORCH) ..."; $(PY) -m pip install -q "$(TORCH)")
	@echo "  pytest, nbval, ruff ..."; $(PIP) -e ".[notebooks,data,sweep,dask,tensorboard]" --group test --group lint
	@touch $@
# For the browser tests of the book. Without root or apt they use what is installed, or skip and say so.
chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null || test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null || \
	  { echo "  chromium ..."; apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium >/dev/null; }

clean:
	rm -rf .venv .venv-colab build
