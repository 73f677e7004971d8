cd /tmp/scratch_11/copy2; export PYTHONPATH=$PWD
/work/main/.venv/bin/python -m tools.notebooks.breaks 11 > /tmp/scratch_11/breaks.log 2>&1
