# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Your own lemma
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/ntkverify/ntkverify/blob/main/notebooks/your_own_lemma.ipynb)
#
# A lemma is a file: a docstring that states it, two formulas, and a broken twin; what it imports comes from `ntkverify.lemma`. Write one, check it on draws, search for a counterexample, and decide the point that was found with every rounding enclosed.
#
# Executing a claim's file is executing its code: run only files that you trust.

# %%
# Setup. In Colab: install beside Colab's own JAX and numpy, which a constraint keeps as they are (JAX 0.7 is enough).
import sys

if "google.colab" in sys.modules:
    import subprocess
    from importlib.metadata import version

    with open("keep.txt", "w") as file:
        file.writelines(f"{name}=={version(name)}\n" for name in ("jax", "jaxlib", "numpy"))
    source = "ntkverify[data] @ git+https://github.com/ntkverify/ntkverify"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "-c", "keep.txt", source], check=True)

# %%
import contextlib
import pathlib
import tempfile

from ntkverify.cli import main as cli

folder = pathlib.Path(tempfile.mkdtemp())
lemma = folder / "my_lemma.py"
cli.main(["new", "claim", str(lemma)])
print(lemma.read_text())

# %% [markdown]
# It is true, and its bound is attained: `holds`.

# %%
small = ["--data", "sphere", "--n", "4", "--d-in", "4", "--d-out", "2", "--m", "16"]
cli.main(["verify", str(lemma), *small, "--seeds", "40", "--out", str(folder / "v")])

# %% [markdown]
# Now claim too much: a tenth less. Drawing already comes near; the search finds a point, and `check` decides it in 50-digit ball arithmetic, from the formula alone.

# %%
false = folder / "too_much.py"
false.write_text(lemma.read_text().replace("return distance(point) *", "return 0.9 * distance(point) *"))
cli.main(["falsify", str(false), *small, "--budget", "2", "--out", str(folder / "f")])
refuted = cli.main(["check", str(folder / "f" / "counterexample-derived.npz")])
assert refuted == 1

# %% [markdown]
# `show` prints the lemma in full, `certify` decides it at drawn points, `report` draws the page again.

# %%
with contextlib.suppress(SystemExit):
    cli.main(["certify", str(lemma), *small, "--seeds", "2", "--out", str(folder / "c")])
