"""What the terminal and the pages say of a row of results.json.  Three things are told apart: who proved the theorem, at
which points every rounding was enclosed, and what random draws showed.
"""

from collections.abc import Mapping

from ntkverify.ground.rounding import above, below

YOURS = "yours"
THEOREM = {"derived": "here", "reconstructed": "source's", "stated": "source's", YOURS: YOURS}
"""Whose theorem a form is, in a word; what is its source's was not proved here."""
LEGEND = "Theorem: proved here, its source's (not proved here), or yours."
EXPLAINED = {
    "derived": "proved here: the proof is in the claim's file and below",
    "reconstructed": "its source's: the explicit form rebuilt from the proof technique, with constants that are parameters and not the printed ones",
    "stated": "its source's, said in the abstract or summary",
    YOURS: "yours; no proof known here",
}


def kind(row: Mapping) -> str:
    """A form's kind: derived, reconstructed, stated; or yours, of a lemma of the user's own."""
    return YOURS if row.get("yours") else row["form"]


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
    """Draws on which it held, of those that it speaks of, of how many where those are not all, and the 95% lower bound of
    the rate at which it holds."""
    if not row["draws"]:
        return ""
    low = f" ≥ {below(row['hold_rate_interval'][0], 2)}" if row["applicable"] else ""
    drawn = f" of {row['draws']}" if row["applicable"] < row["draws"] else ""
    return f"{row['held']}/{row['applicable']}{drawn}{low}"


def _count(number: int) -> str:
    return f"{number} point{'' if number == 1 else 's'}"
