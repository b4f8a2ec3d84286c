"""The glossary, from the mapping that study pages use."""

from ntkverify.report.glossary import GLOSSARY
from pages.written import fenced


def pages() -> dict[str, str]:
    by_word = sorted(GLOSSARY.items(), key=lambda entry: entry[0].lower())
    entries = [line for word, said in by_word for line in (word, f"  {said}", "")]
    return {"glossary.md": "# Symbols and words\n\n" + fenced("glossary", *entries)}
