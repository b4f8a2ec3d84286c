"""The glossary, from the mapping that study pages use."""

from ntkverify.report.glossary import GLOSSARY
from pages.written import fenced


def pages() -> dict[str, str]:
    entries = [line for word, said in sorted(GLOSSARY.items(), key=_place) for line in (word, f"  {said}", "")]
    return {"glossary.md": "# Symbols and words\n\n" + fenced("glossary", *entries)}


def _place(entry: tuple[str, str]) -> tuple[bool, str]:
    """Symbols before words."""
    word = entry[0]
    return len(word.split(",")[0]) > 5, word.lower()
