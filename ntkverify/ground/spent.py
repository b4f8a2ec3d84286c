"""How far long work is, in a line."""


def told(what: str, done: int, total: int, spent: float) -> str:
    """What is done of how much after so many seconds, and about how long the rest takes once a tenth is done."""
    left = f", about {_clock(spent * (total - done) / done)} left" if 0 < total <= 10 * done else ""
    counted = f": {done} of {total}" if total else ""
    return f"{what}{counted} after {_clock(spent)}{left}"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d}"
