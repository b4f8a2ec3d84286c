"""Docstring text → what a terminal shows: LaTeX between dollar signs becomes Unicode, λ_min(H(W̃)) ≥ λ/2.

latex2mathml reads the LaTeX; here its tree is walked, element by element.  A row of elements becomes a row of pieces,
and what stands between two pieces (a space, a bracket around a fraction) depends on what the two are.
A formula with an element that has no rule here stays as it was written, as a whole.
"""

import functools
import html
import itertools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

from ntkverify.report.mathml import FORMULA

SYMBOL, NUMBER, WORD, BIG, PREFIX, ROOT, FRACTION = "symbol", "number", "word", "big", "prefix", "root", "fraction"
OPEN, CLOSE, BAR = "open", "close", "bar"
RELATION, BINARY, SIGN, SLASH, COMMA = "relation", "binary", "sign", "slash", "comma"
SPACE, TEXT = "space", "text"
FACTORS = {SYMBOL, NUMBER, WORD, BIG, PREFIX, ROOT, FRACTION, OPEN}
"""Kinds that begin a factor: what stands before them is multiplied."""
ENDED = {SYMBOL, NUMBER, ROOT, FRACTION, CLOSE}
"""Kinds that end a factor."""
LOOSE = {BINARY, SIGN, RELATION, COMMA, BIG, SLASH, FRACTION, TEXT}
"""Kinds that a slash behind them does not reach over."""

ACCENTS = {
    "~": "\u0303", "^": "\u0302", "¯": "\u0304", "˙": "\u0307", "¨": "\u0308", "→": "\u20d7", "ˇ": "\u030c",
    "˘": "\u0306", "˚": "\u030a", "―": "\u0305",
}  # fmt: skip
HALVES = {("1", "2"): "½", ("1", "3"): "⅓", ("2", "3"): "⅔", ("1", "4"): "¼", ("3", "4"): "¾", ("1", "8"): "⅛"}
PRIMES = "′″‴"
KINDS = (
    dict.fromkeys("([{⟨⌈⌊", OPEN) | dict.fromkeys(")]}⟩⌉⌋", CLOSE) | dict.fromkeys("|‖", BAR)
    | dict.fromkeys("∑∏∫∮⋃⋂", BIG) | dict.fromkeys("∂∇", PREFIX) | dict.fromkeys("+−±∓·×÷∘⊗⊕∧∨∪∩∖", BINARY)
    | dict.fromkeys(",;:", COMMA) | {"/": SLASH} | dict.fromkeys("∞⊤⊥¬∀∃∅*", SYMBOL)
)  # fmt: skip
"""Character → kind; other mathematical signs are relations, everything else is a symbol."""


def _scripts(mark: str) -> dict[str, str]:
    """Character → the same, raised or lowered, as Unicode has it."""
    blocks = (range(0xB2, 0xBA), range(0x2B0, 0x2B9), range(0x2E0, 0x2E4), range(0x1D2C, 0x1D6B), range(0x1D9B, 0x1DC0),
              range(0x2070, 0x209D), range(0x2C7C, 0x2C7E))  # fmt: skip
    found = {}
    for code in (code for block in blocks for code in block):
        words = unicodedata.decomposition(chr(code)).split()
        if len(words) == 2 and words[0] == mark:
            found.setdefault(chr(int(words[1], 16)), chr(code))
    return found


RAISED = _scripts("<super>") | {each: each for each in PRIMES} | {"*": "*"}
RAISED["⊤"] = RAISED.pop("T")
"""Transposed; an exponent T is written ^T."""
LOWERED = _scripts("<sub>")


class NoRuleError(Exception):
    """An element that has no rule here."""


@dataclass(frozen=True)
class Piece:
    """Characters that stay together, and what they are."""

    text: str
    kind: str


def readable(text: str) -> str:
    """The sentence with its $inline$ and $$display$$ formulas in Unicode.

    >>> readable(r"If $R \\le 1$ then $\\|\\widetilde w_r - w_r\\|^2 \\le \\frac{R}{2m}$.")
    'If R ≤ 1 then ‖w̃ᵣ − wᵣ‖² ≤ R/(2m).'
    """
    return FORMULA.sub(_in_text, text)


def _in_text(found: re.Match) -> str:
    """The formula; a displayed one stands apart from words that follow it."""
    apart = found[0].startswith("$$") and re.match(r"\s+\w", found.string[found.end() :])
    return _formula(found[0]) + (" " if apart else "")


@functools.cache
def _formula(part: str) -> str:
    try:
        return _joined(_pieces(convert_to_element(part.strip("$").strip())))
    except Exception:  # no rule here, or LaTeX that latex2mathml cannot read; its errors have no common name
        return part


# Elements to pieces.


def _pieces(element: Element) -> list[Piece]:
    """The pieces of an element; of a group, those of its elements."""
    match element.tag:
        case "mi" | "mn" | "mo":
            return [_leaf(element)]
        case "mtext":
            return [Piece(_characters(element).replace("\xa0", " "), TEXT)]
        case "mspace":
            return _space(element.get("width", ""))
        case "math" | "mrow" | "mstyle" | "mtd":
            return _group(element)
        case "mtable":
            rows = [", ".join(_joined(_pieces(cell)) for cell in row) for row in element]
            return [Piece("; ".join(rows), TEXT)]
        case "mfrac" if element.get("linethickness") is None:
            return [_fraction(*map(_pieces, element))]
        case "msqrt":
            return [_root("", _pieces(element[0]))]
        case "mroot":
            return [_root(_script(element[1], RAISED), _pieces(element[0]))]
        case "msub":
            return _scripted(element[0], lower=element[1])
        case "msup":
            return _scripted(element[0], upper=element[1])
        case "msubsup":
            return _scripted(element[0], lower=element[1], upper=element[2])
        case "munder" if _has_limits(element[0]):
            return _scripted(element[0], lower=element[1])
        case "munderover" if _has_limits(element[0]):
            return _scripted(element[0], lower=element[1], upper=element[2])
        case "mover" if _accent(element[1]):
            return [_accented(_pieces(element[0]), _accent(element[1]))]
        case name:
            raise NoRuleError(name)


def _characters(element: Element) -> str:
    """What the element holds; latex2mathml writes characters as references, &#x003BB;."""
    return html.unescape(element.text or "")


def _leaf(element: Element) -> Piece:
    text = _characters(element)
    if text == "∣":
        return Piece("|", RELATION)
    variant = element.get("mathvariant", "normal")
    if variant != "normal":
        text = "".join(_styled(each, variant) for each in text)
    if text.startswith("\\"):
        raise NoRuleError(text)
    text = "−" if text == "-" else text
    if len(text) > 1 and text.isalpha():
        return Piece(text, WORD)
    if text in KINDS:
        return Piece(text, KINDS[text])
    if element.tag == "mn":
        return Piece(text, NUMBER)
    return Piece(text, RELATION if len(text) == 1 and unicodedata.category(text) == "Sm" else SYMBOL)


def _styled(letter: str, variant: str) -> str:
    """A letter or a digit in double-struck, script and so on."""
    name = unicodedata.name(letter).replace("LATIN ", "").replace(" LETTER", "")
    style = variant.upper().replace("-", " ").replace("DOUBLE ", "DOUBLE-")
    for start in ("MATHEMATICAL ", ""):  # ℝ is older than the mathematical letters
        try:
            return unicodedata.lookup(f"{start}{style} {name}")
        except KeyError:
            continue
    raise NoRuleError(f"{letter} in {variant}")


def _space(width: str) -> list[Piece]:
    """A word's space for a thin one, two for a quad, none for what draws pieces together."""
    try:
        em = float(width.removesuffix("em"))
    except ValueError:
        return []
    return [Piece(" " if em < 1 else "  ", SPACE)] if em > 0 else []


def _group(element: Element) -> list[Piece]:
    own = list(element)
    letters = [each for each in own if each.get("mathvariant") == "normal" and each.tag == "mi"]
    if len(own) > 1 and letters == own:  # \mathrm{rank}
        return [Piece("".join(_characters(each) for each in own), WORD)]
    found: list[Piece] = []
    for each in own:
        found += _pieces(each)
    fences = [piece for piece in found if piece.text in ("{", "}")]
    if fences and fences[0] == found[0] and len(fences) % 2 == 1 and own[0].get("form") == "prefix":  # cases
        found.append(Piece("}", CLOSE))
    return found


def _has_limits(base: Element) -> bool:
    found = _pieces(base)
    return bool(found) and {piece.kind for piece in found} <= {WORD, BIG, SPACE}


def _accent(over: Element) -> str:
    return ACCENTS.get(_characters(over), "")


def _accented(base: list[Piece], accent: str) -> Piece:
    if len(base) != 1 or len([each for each in base[0].text if not unicodedata.combining(each)]) != 1:
        raise NoRuleError("an accent over several letters")
    return Piece(base[0].text + accent, base[0].kind)


def _scripted(base: Element, lower: Element | None = None, upper: Element | None = None) -> list[Piece]:
    pieces = [piece for piece in _pieces(base) if piece.text]
    alone = not pieces or (len(pieces) == 1 and pieces[0].kind not in (FRACTION, ROOT, TEXT) and not _raised(pieces[0].text))  # fmt: skip
    if not alone and not (_in_brackets(pieces) and not _raised(pieces[-1].text)):
        pieces = [Piece("(", OPEN), *pieces, Piece(")", CLOSE)]
    *before, last = pieces or [Piece("", SYMBOL)]
    below = _script(lower, LOWERED, "_") if lower is not None else ""
    above = _script(upper, RAISED, "^") if upper is not None else ""
    return [*before, Piece(last.text + below + above, last.kind)]


def _raised(text: str) -> bool:
    return "^" in text or any(each in RAISED.values() for each in text if each not in PRIMES)


def _script(element: Element, characters: dict[str, str], mark: str = "") -> str:
    """Raised or lowered characters where all of them can be; otherwise ^{...} or _{...}, braces left out around one."""
    text = _joined(_pieces(element), tight=True)
    primes = text[: len(text) - len(text.lstrip(PRIMES))]
    rest = text[len(primes) :]
    if all(each in characters for each in rest):
        return primes + "".join(characters[each] for each in rest)
    if not mark:
        raise NoRuleError("a root's degree")
    return f"{primes}{mark}{rest}" if len(rest) == 1 else f"{primes}{mark}{{{rest}}}"


# Fractions and roots, with the brackets that keep them what they are.


def _fraction(above: list[Piece], below: list[Piece]) -> Piece:
    simple = HALVES.get((_joined(above), _joined(below)))
    if simple:
        return Piece(simple, NUMBER)
    top = _bracketed(above) if _is_loose(above) else _joined(above)
    bottom = _joined(below) if _one_factor(below) else _bracketed(below)
    slash = " / " if " " in _joined(_outermost(above)) and top[0] != "(" else "/"
    return Piece(f"{top}{slash}{bottom}", FRACTION)


def _root(degree: str, inside: list[Piece]) -> Piece:
    one = len(inside) == 1 and inside[0].kind in (SYMBOL, NUMBER) and not _raised(inside[0].text)
    return Piece(f"{degree}√{_joined(inside) if one else _bracketed(inside)}", ROOT)


def _bracketed(pieces: list[Piece]) -> str:
    return f"({_joined(pieces)})"


def _is_loose(pieces: list[Piece]) -> bool:
    """Whether a slash behind the pieces would divide the last of them only: a + b, log x; but not log(x)."""
    outer = [piece for piece in _outermost(pieces) if piece.kind != SPACE]
    open_words = (one.kind == WORD and other.kind != OPEN for one, other in itertools.pairwise(outer))
    return any(open_words) or bool(LOOSE & {piece.kind for piece in outer})


def _one_factor(pieces: list[Piece]) -> bool:
    """Whether the pieces are one factor: x, ∂x, (...), ‖...‖."""
    pieces = [piece for piece in pieces if piece.kind != SPACE]
    if pieces and pieces[0].kind == PREFIX:
        pieces = pieces[1:]
    if len(pieces) == 1:
        return pieces[0].kind in (SYMBOL, NUMBER, ROOT)
    return _in_brackets(pieces)


def _in_brackets(pieces: list[Piece]) -> bool:
    """Whether the first and the last piece are the brackets, or bars, around all the others."""
    return len(pieces) > 1 and pieces[0].kind in (OPEN, BAR) and len(_outermost(pieces)) == 2


def _outermost(pieces: Iterable[Piece]) -> list[Piece]:
    """The pieces that stand in no bracket, with the brackets themselves."""
    found, depth = [], 0
    for piece in _paired(pieces):
        depth -= piece.kind == CLOSE
        if depth == 0:
            found.append(piece)
        depth += piece.kind == OPEN
    return found


# Pieces to text.


def _paired(pieces: Iterable[Piece]) -> list[Piece]:
    """Bars as what they are, opening or closing, and signs that join nothing."""
    found: list[Piece] = []
    opened: list[str] = []
    before = ""
    for piece in pieces:
        kind = piece.kind
        if kind == BAR:
            bar = piece.text[0]
            kind = CLOSE if bar in opened and (before in ENDED or before == TEXT) else OPEN
            opened.append(bar) if kind == OPEN else opened.remove(bar)
        elif kind == BINARY and before not in (ENDED | {TEXT}):
            kind = SIGN
        elif piece.text == "=" and found and found[-1].text == ":":
            found.pop()
            piece = Piece(":=", RELATION)
        if kind != SPACE:
            before = kind
        found.append(Piece(piece.text, kind))
    return found


def _joined(pieces: Iterable[Piece], tight: bool = False) -> str:
    """The text of a row; `tight` in scripts, where signs have no space around them."""
    row = [piece for piece in _paired(pieces) if not (tight and piece.kind == SPACE and len(piece.text) == 1)]
    text = ""
    for place, piece in enumerate(row):
        before, after = _neighbour(row[:place][::-1]), _neighbour(row[place + 1 :])
        if piece.kind == FRACTION and _needs_brackets(before, after):
            piece = Piece(f"({piece.text})", FRACTION)
        if piece.kind == SPACE:
            text = text.rstrip() + piece.text
        else:
            text += _between(row[place - 1], piece, text, tight) if place else ""
            text += piece.text
    return text.strip()


def _neighbour(row: list[Piece]) -> str:
    """The kind of the first piece that is no thin space."""
    return next((piece.kind for piece in row if piece.kind != SPACE or len(piece.text) > 1), "")


def _needs_brackets(before: str, after: str) -> bool:
    return before in (WORD, PREFIX, SLASH) or after in FACTORS | {SLASH}


def _between(one: Piece, other: Piece, text: str, tight: bool) -> str:
    """What stands between two pieces that follow each other."""
    if text.endswith(" "):
        return ""
    kinds = one.kind, other.kind
    if TEXT in kinds:
        word = one.text[-1:].isalnum() if one.kind == TEXT else other.text[:1].isalnum()
        return " " if word else ""
    if not tight and {RELATION, BINARY} & set(kinds):
        return " "
    if one.kind == COMMA:
        return "" if tight else " "
    if other.kind not in FACTORS:
        return ""
    if one.kind == WORD:
        return "" if other.text[0] in "([{" else " "
    if one.kind == BIG:
        return " "
    if one.kind not in ENDED:
        return ""
    if {WORD, BIG, FRACTION} & set(kinds) or one.kind == ROOT:
        return " "
    glued = one.text[-1] == "}" or one.text[-2:-1] in ("_", "^")  # x_F a is no x_Fa
    return " " if (glued and other.kind != OPEN) or (other.kind == NUMBER and one.text[-1].isalnum()) else ""
