"""Formulas in a terminal: none is lost, none says another thing than the LaTeX."""

import dataclasses
import doctest
import math
import re
import unicodedata

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from latex2mathml.converter import convert_to_element

from ntkverify import catalogue
from ntkverify.ground.terminal import spelling
from ntkverify.report import terminal_maths
from ntkverify.report.mathml import FORMULA
from ntkverify.report.terminal_maths import readable

TEXTS = [
    text
    for name in catalogue.CLAIMS
    for statement in catalogue.statements(name).values()
    for text in dataclasses.asdict(statement).values()
] + [catalogue.theorem(name).about for name in catalogue.THEOREMS]
FORMULAS = sorted({formula for text in TEXTS for formula in FORMULA.findall(text)})


def letters(text: str) -> str:
    """Letters and digits, raised and lowered ones as plain ones."""
    return "".join(each for each in unicodedata.normalize("NFKD", text) if each.isalnum())


def test_every_formula_of_the_catalogue_is_rendered():
    assert len(FORMULAS) > 700
    for formula in FORMULAS:
        shown = readable(formula)
        assert not set(shown) & set("$\\"), formula
        assert shown.count("‖") % 2 == 0, shown
        for pair in ("()", "[]", "{}", "⟨⟩", "⌈⌉"):
            assert shown.count(pair[0]) == shown.count(pair[1]), shown


def test_terminals_that_lack_a_character_have_aspelling():
    for character in set("".join(map(readable, TEXTS))):
        assert "\\" not in spelling(character), character


def test_no_letter_is_lost_or_moved():
    for formula in FORMULAS:
        elements = convert_to_element(formula.strip("$").strip()).iter()
        held = "".join(terminal_maths._characters(each) for each in elements).replace("⊤", "T")
        assert letters(readable(formula)).replace("⁄", "") == letters(held), formula


@pytest.mark.parametrize(
    ("claim", "form", "shown"),
    [
        ("kernel-perturbation", "reconstructed", "‖H(W̃) − H(W)‖_F ≤ R nd e¹⁰ᴮ"),
        (
            "kernel-perturbation",
            "derived",
            "‖H(W̃) − H(W)‖_F ≤ (e²ᴿ − 1) d κ ‖XXᵀ‖_F ≤ (e²ᴿ − 1) nd κ  for every R",
        ),
        ("gradient-formula", "derived", "Δwᵣ = ∂L/∂wᵣ = m ∑ᵢ ∑ₗ e_{l,i} (a_{l,r} − f_{l,i}) S_{i,r} xᵢ"),
        ("convex-region", "reconstructed", "R ≤ λ/(2nd e¹⁰ᴮ)  ⟹  λₘᵢₙ(H(W̃)) ≥ λ/2"),
        ("kappa-bound", "derived", "log κ ≤ σ√(2 max(log(m′n/(2δ)), 0))"),
        (
            "jacobian-perturbation",
            "derived",
            "(1/√m) ‖J̃ − J‖ₒₚ ≤ (eᴿ − 1)√(κd) ‖X‖ₒₚ,  hence  ‖H(W̃) − H(W)‖ₒₚ ≤ (e²ᴿ − 1) d κ ‖X‖ₒₚ²",
        ),
        ("linearised-output", "derived", "‖F(W̃) − F(W) − J vec(Δ)‖ ≤ χ(R) ‖Δ‖_F²"),
        ("movement", "reconstructed", "‖wᵣ(τ) − wᵣ(0)‖ ≤ D = (4/(mλ)) e³ᴮ√(nd) ‖e(0)‖"),
        ("convergence", "reconstructed", "‖e(τ + 1)‖² ≤ (1 − ½mηλ)^{τ+1} ‖e(0)‖²"),
        ("step-expansion", "derived", "|L(W + Δ) − L(W) − ⟨g, Δ⟩ − ½‖JΔ‖²| ≤ ‖e + JΔ‖ ρ + ½ρ²"),
        ("score-regression", "derived", "(hₜ²/αₜ²) ‖s_f(t, x) − ∇log pₜ(x)‖² = ‖f − f*(t, x)‖²"),
        ("taylor-floor", "derived", "minᵢ Dᵢ² max_N ∑_{k≥N} αₖ minᵢ(Gᵢᵢᵏ − ∑_{j≠i} |Gᵢⱼ|ᵏ) ≤ λₘᵢₙ(K)"),
        ("separated-data", "reconstructed", "λₘᵢₙ(K) ≥ c θ²(1 + d log(1/θ) / (log d))⁻³,  c = 1"),
        ("prefix-attention", "derived", "m Att(xᵢ) = F(xᵢ; W, a)  with  kᵣ = wᵣ, v_{r,l} = a_{l,r}"),
    ],
)
def test_what_was_looked_at_stays(claim, form, shown):
    first = FORMULA.findall(catalogue.statements(claim)[form].statement)[0]
    assert unicodedata.normalize("NFC", readable(first)) == unicodedata.normalize("NFC", shown)


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"$x = \begin{cases} a & x > 0 \\ b & \text{otherwise}\end{cases}$.", "x = { a, x > 0; b, otherwise }."),
        (r"$m'^{1/4}$, $x_F a$, $x^T$", "m′^{1/4}, x_F a, x^T"),
        (r"$-a + (-b) - |{-c}| \le -d$", "−a + (−b) − |−c| ≤ −d"),
        (r"$|a| |b| - \|c\|\|d\|$", "|a||b| − ‖c‖‖d‖"),
        (r"$\mathbb R^d$, $\mathcal N$, $\mathbb 1$", "ℝᵈ, 𝒩, 𝟙"),
        (r"$\sqrt2 \sigma$, $\sqrt{x^2}$, $\sqrt[3]{x}$", "√2 σ, √(x²), ³√x"),
        (r"costs 3$ and 4", "costs 3$ and 4"),
    ],
)
def test_single_rules(latex, shown):
    assert readable(latex) == shown


@pytest.mark.parametrize("latex", [r"$\binom{n}{k}$", r"$a \not= b$", r"$\nonsense x$", r"$\overline{AB}$", r"$x^$"])
def test_what_has_no_rule_stays_as_it_was_written(latex):
    assert readable(f"In words, {latex} there.") == f"In words, {latex} there."


def test_the_example():
    found = doctest.testmod(terminal_maths)
    assert found.attempted
    assert not found.failed


# What is shown is read again, in both ways in which people read a/b c, and must have the value of the LaTeX.

VALUES = {"a": 1.7, "b": 0.6, "c": 2.3, "d": 0.4, "κ": 3.1, "λ": 0.9}
LATEX = {"κ": r"\kappa", "λ": r"\lambda"}
LEAVES = st.sampled_from([*VALUES, "1", "2", "3", "12"]).map(lambda name: ("leaf", name))


def grown(inner):
    few = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        st.tuples(st.sampled_from(["sum", "difference", "product", "quotient"]), few),
        st.tuples(st.just("fraction"), inner, inner),
        st.tuples(st.just("power"), inner, inner),
        st.tuples(st.sampled_from(["root", "norm", "minus"]), inner),
    )


def written(tree) -> str:
    """LaTeX with the brackets that LaTeX needs."""

    def factor(each):
        return (
            rf"\left({written(each)}\right)" if each[0] in ("sum", "difference", "minus", "quotient") else written(each)
        )

    match tree:
        case ("leaf", name):
            return LATEX.get(name, str(name))
        case ("sum", parts):
            return " + ".join(f"({written(each)})" if each[0] == "minus" else written(each) for each in parts)
        case ("difference", parts):
            first, *rest = map(written, parts)
            return " - ".join([first, *(f"({each})" for each in rest)])
        case ("product", parts):
            return r"\,".join(map(factor, parts))
        case ("quotient", parts):
            return "/".join(f"({written(each)})" for each in parts)
        case ("fraction", above, below):
            return rf"\frac{{{written(above)}}}{{{written(below)}}}"
        case ("power", base, exponent):
            return rf"{{{written(base)}}}^{{{written(exponent)}}}"
        case ("root", inside):
            return rf"\sqrt{{{written(inside)}}}"
        case ("norm", inside):
            bare = "norm" not in str(inside)  # ‖‖a‖ + b‖ is read by nobody
            return rf"\|{written(inside)}\|" if bare else rf"\|({written(inside)})\|"
        case ("minus", inside):
            return f"-{factor(inside)}"
    raise AssertionError(tree)


def value(tree) -> float:
    match tree:
        case ("leaf", name):
            return VALUES[name] if name in VALUES else float(name)
        case ("sum", parts):
            return sum(map(value, parts))
        case ("difference", (first, *rest)):
            return value(first) - sum(map(value, rest))
        case ("product" | "quotient" as kind, (first, *rest)):
            found = value(first)
            for each in rest:
                found = found * value(each) if kind == "product" else found / value(each)
            return found
        case ("fraction", above, below):
            return value(above) / value(below)
        case ("power", base, exponent):
            return math.pow(value(base), value(exponent))
        case ("root", inside):
            return math.sqrt(value(inside))
        case ("norm", inside):
            return abs(value(inside))
        case ("minus", inside):
            return -value(inside)
    raise AssertionError(tree)


class Reader:
    """Reads a formula as shown; `greedy` where a/b c is a/(bc) and √ab is √(ab), otherwise from left to right."""

    def __init__(self, text: str, greedy: bool):
        raised = "".join(value for value in terminal_maths.RAISED.values() if value not in "*′″‴")
        text = re.sub(f"[{raised}]+", lambda run: "^{" + unicodedata.normalize("NFKD", run[0]) + "}", text)
        self.text, self.greedy, self.at = re.sub(r" *([-+−/]) *", r"\1", text), greedy, 0

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def took(self, character: str) -> bool:
        self.at += self.peek() == character != ""
        return self.text[self.at - 1 : self.at] == character

    def closed(self, end: str) -> float:
        found = self.sum()
        assert self.peek() == end, self.text[self.at :]
        self.at += 1
        return found

    def sum(self) -> float:
        if self.peek() == "−":
            self.at += 1
            found = -self.term()
        else:
            found = self.term()
        while (sign := self.peek()) and sign in "+−":
            self.at += 1
            found += self.term() if sign == "+" else -self.term()
        return found

    def term(self) -> float:
        found = self.product()
        while self.peek() == "/":
            self.at += 1
            found /= self.product() if self.greedy else self.power()
            if not self.greedy and self.starts():
                found *= self.product()
        return found

    def starts(self) -> bool:
        return self.peek() not in ("", ")", "}", "+", "−", "/") and not (self.peek() == "‖" and self.norms % 2 == 1)

    norms = 0

    def product(self) -> float:
        found = self.power()
        while self.starts():
            self.at += self.peek() == " "
            found *= self.power()
        return found

    def power(self) -> float:
        found = self.base()
        while self.peek() == "^":
            self.at += 1
            if self.peek() == "{":
                self.at += 1
                found = math.pow(found, self.closed("}"))
            else:
                found = math.pow(found, self.base())
        return found

    def base(self) -> float:
        one = self.peek()
        self.at += 1
        if one == "(":
            norms, self.norms = self.norms, 0
            found = self.closed(")")
            self.norms = norms
            return found
        if one == "‖":
            self.norms += 1
            found = self.closed("‖")
            self.norms -= 1
            return abs(found)
        if one == "√":
            found = self.base()
            while self.greedy and self.starts() and self.peek() != " ":
                found *= self.power()
            return math.sqrt(found)
        if one in VALUES:
            return VALUES[one]
        if one.isdecimal():
            while self.peek().isdecimal():
                one += self.peek()
                self.at += 1
            return float(one)
        return unicodedata.numeric(one)


@settings(max_examples=150, deadline=None)
@given(tree=st.recursive(LEAVES, grown, max_leaves=7))
def test_no_formula_says_another_thing(tree):
    shown = readable(f"${written(tree)}$")
    assert "$" not in shown
    try:
        right = value(tree)
    except (ArithmeticError, ValueError):  # a root of a negative number
        assume(False)
        raise
    assume(abs(right) < 1e12)
    for greedy in (True, False):
        reader = Reader(shown, greedy)
        found = reader.sum()
        assert reader.at == len(reader.text), shown
        assert math.isclose(found, right, rel_tol=1e-6, abs_tol=1e-9), (shown, greedy)
