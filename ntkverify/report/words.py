"""What the terminal and the pages say of a row of results.json.  Three things are told apart: who proved the theorem, at
which points every rounding was enclosed, and what random draws showed.
"""

from collections.abc import Mapping

from ntkverify.ground.rounding import above, below

THEOREM = {"derived": "here", "reconstructed": "paper's", "stated": "paper's", "yours": "yours"}
"""Whose theorem a form is, in a word; what is the paper's was not proved here."""
EXPLAINED = {
    "derived": "proved here: the proof is in the claim's file and below",
    "reconstructed": "the paper's: its explicit form rebuilt from the proof technique, with constants that are parameters and not the paper's printed ones",
    "stated": "the paper's, said in its abstract or summary",
    "yours": "yours; no proof known here",
}


def kind(row: Mapping) -> str:
    """A form's kind: derived, reconstructed, stated; or yours, of a lemma of the user's own."""
    return "yours" if row.get("yours") else row["form"]


def theorem(row: Mapping) -> str:
    """Who proved it."""
    return THEOREM[kind(row)]


def verdict(row: Mapping) -> str:
    """The verdict's word, with its reach: `proved` speaks of so many points."""
    if row["verdict"] != "proved":
        return row["verdict"]
    return "enclosed at " + _count(row["bracket"]["points"]["proved"])


def points(row: Mapping) -> str:
    """log₁₀ of the ratio that is proved at most at every point tried; where some are not decided, how many are; nothing
    where no point was tried."""
    if not row["bracket"]:
        return ""
    decided, most = row["bracket"]["points"], row["bracket"]["above"]
    if decided["undecided"]:
        return f"{decided['proved'] + decided['refuted']} of {sum(decided.values())}"
    return "" if most is None else f"≤ {above(most, 3)}".replace("-", "−")


def draws(row: Mapping) -> str:
    """Draws on which it held, of those that it speaks of, and the 95% lower bound of the rate at which it holds."""
    if not row["draws"]:
        return ""
    low = f" ≥ {below(row['hold_rate_interval'][0], 2)}" if row["applicable"] else ""
    return f"{row['held']}/{row['applicable']}{low}"


def _count(number: int) -> str:
    return f"{number} point{'' if number == 1 else 's'}"
