"""Results that show themselves: as a table in a notebook, as figures, in a paper.

What shows them stands above every room that makes them (`exports/`), so it is looked up when it is first used, as the register
looks up its items; nothing is imported to compute.
"""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Kept = tuple[Mapping[str, Any], Sequence[Mapping[str, Any]], Mapping[str, np.ndarray]]
"""The content of results.json, draws.csv and arrays.npz."""


def _exports() -> Any:
    return importlib.import_module("ntkverify.exports.showing")


class Shown:
    """What a verb of the library found."""

    def kept(self) -> Kept:
        """Rows as they stand on disk; those of `train`, which no verb of the command line writes, have the verb `train`."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return _exports().web(self)

    def plot(self, name: str | None = None) -> Any:
        """The figures of the report, a tuple of matplotlib's that a notebook shows; with a name (they have `.names`), that one.

        Raises `BadInput` for an unknown name.  Source: the report.

        >>> import ntkverify as nv
        >>> found = nv.certify(["kernel-entries"], nv.problem("sphere", n=3, d_in=3, d_out=1, m=8))
        >>> found.plot().names
        ('certificates',)
        """
        return _exports().plot(self, name)

    def to_latex(self) -> str:
        """Every table, with caption and label; booktabs, array and graphicx are needed, amsmath for claims' formulas.

        Exact up to the digits that are printed; intervals are rounded outwards.  Source: `ntkverify export`.

        >>> import ntkverify as nv
        >>> found = nv.certify(["kernel-entries"], nv.problem("sphere", n=3, d_in=3, d_out=1, m=8))
        >>> found.to_latex().splitlines()[0]
        '\\\\begin{table}[htbp]'
        """
        return _exports().to_latex(self)

    def to_markdown(self) -> str:
        """Every table as GitHub's Markdown.

        Exact up to the digits that are printed; intervals are rounded outwards.  Source: `ntkverify export`.

        >>> import ntkverify as nv
        >>> found = nv.certify(["kernel-entries"], nv.problem("sphere", n=3, d_in=3, d_out=1, m=8))
        >>> "| kernel-entries | derived | enclosed at 1 point |" in found.to_markdown()
        True
        """
        return _exports().to_markdown(self)

    def to_pandas(self, name: str | None = None) -> Any:
        """The first table as a data frame, or the one of that name; draws and cells, which no paper shows, are named `draws` and
        `cells`.  An interval is two columns, its ends.

        Raises `BadInput` without pandas, and for an unknown name.  Source: `ntkverify export`.

        >>> import ntkverify as nv
        >>> found = nv.certify(["kernel-entries"], nv.problem("sphere", n=3, d_in=3, d_out=1, m=8))
        >>> list(found.to_pandas()["verdict"])
        ['enclosed at 1 point']
        """
        return _exports().to_pandas(self, name)


class Results(dict[str, Any], Shown):
    """The content of results.json, which shows itself."""

    def kept(self) -> Kept:
        """Itself, without draws and arrays."""
        return self, (), {}
