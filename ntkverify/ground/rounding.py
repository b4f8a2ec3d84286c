"""Numbers in few digits, rounded to the side on which a bound stays one."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context


def below(number: float, digits: int = 6) -> str:
    """So many digits, not above the number."""
    return _digits(number, digits, ROUND_FLOOR)


def above(number: float, digits: int = 6) -> str:
    """So many digits, not below the number."""
    return _digits(number, digits, ROUND_CEILING)


def _digits(number: float, digits: int, side: str) -> str:
    return f"{float(Context(digits, side).create_decimal_from_float(float(number))):.{digits}g}"
