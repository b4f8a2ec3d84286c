# Set-up happens by itself: uv is put into .uv/ when it is not on the machine, and uses this python3.
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
export UV_PYTHON ?= $(shell python3 -c 'import sys; print(sys.executable)')

.PHONY: verify test test-browser test-quick test-matrix test-floor lint docs notebooks notebooks-colab
verify: $(UV)
	$(UV) run ntkverify verify

test: $(UV)
	$(UV) run pytest

# Every room, without what takes more than a few seconds.
test-quick: $(UV)
	$(UV) run pytest -m "not slow"

# Every kind of page in Chromium, which must be installed, at two widths.
test-browser: $(UV) docs
	$(UV) run --group browser pytest -o addopts=--strict-markers -q tests/browser

# The suite on every supported pair of Python and JAX, and a short run of the oldest JAX.
test-matrix: $(UV)
	UV=$(UV) python3 .ci/matrix.py suite

test-floor: $(UV)
	UV=$(UV) python3 .ci/matrix.py floor

# Every notebook from its first cell to its last, as copies that `make docs` shows with what they printed and drew; then the same
# with Colab's Python, JAX and numpy, from a built wheel.
notebooks: $(UV)
	mkdir -p docs/made/notebooks && cp notebooks/*.ipynb docs/made/notebooks
	$(UV) run pytest -o addopts="--nbmake --overwrite --nbmake-timeout=600 -q" --durations=0 docs/made/notebooks

notebooks-colab: $(UV)
	UV=$(UV) python3 .ci/matrix.py notebooks

lint: $(UV)
	$(UV) run ruff check .
	$(UV) run ruff format --check .
	$(UV) run pyright

# The documentation, a folder that opens without a network; a warning is an error.
docs: $(UV)
	$(UV) run --group docs sphinx-build -q -j auto -W --keep-going -d docs/.built/doctrees docs docs/.built/site
	rm -rf ntkverify/site && cp -R docs/.built/site ntkverify/site
	@echo "$(CURDIR)/ntkverify/site/index.html"

.uv/bin/uv:
	python3 -m venv .uv && .uv/bin/python -m pip install --quiet uv || python3 -m pip install --quiet --target .uv uv
