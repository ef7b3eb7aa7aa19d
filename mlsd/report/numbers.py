"""How figures are written: digits by the width of the interval, units, signs, and nothing else.

Every figure of both reports and of the terminal goes through here.
"""

from __future__ import annotations

import math
import re
import unicodedata

from mlsd.report.estimate import Estimate

UNKNOWN = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"

_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def clean(text: object) -> str:
    r"""Text that every output can carry: control, bidirectional and surrogate characters become "�".

    Example:
        >>> clean("a\x00b")
        'a�b'
    """
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(text).replace("\r\n", "\n"))


def one_line(text: object) -> str:
    r"""Clean text on one line.

    Example:
        >>> one_line("a\n  b\t")
        'a b'
    """
    return " ".join(clean(text).split())


def spoken(name: str) -> str:
    """A column-like name as words.

    Example:
        >>> spoken("sessions_per_user"), spoken("nDCG@10")
        ('sessions per user', 'nDCG@10')
    """
    return one_line(name).replace("_", " ")


def metric_name(name: str) -> str:
    """What a reader calls a metric of the online test.

    Example:
        >>> metric_name("retention_7d"), metric_name("ctr"), metric_name("sessions_per_user")
        ('7-day retention', 'click-through rate', 'sessions per user')
    """
    if found := _OF_DAYS.fullmatch(name):
        return f"{found[2]}-day {spoken(found[1])}"
    return _METRIC_NAMES.get(name, spoken(name))


def action_name(name: str) -> str:
    """What a reader calls an action that is predicted: of dwell, that it was long enough.

    Example:
        >>> action_name("dwell_s"), action_name("add_to_cart")
        ('long read', 'add to cart')
    """
    return "long read" if name == "dwell_s" else spoken(name)


_OF_DAYS = re.compile(r"([a-z_]+)_(\d+)d")
_METRIC_NAMES = {
    "ctr": "click-through rate",
    "satisfaction": "satisfied requests",
    "exposure_gini": "Gini of impressions by author",
    "dwell_s_per_page": "seconds read per page",
    "satisfied_per_page": "satisfying posts per page",
    "annoyed_per_page": "annoying posts per page",
}


def family_name(name: str) -> str:
    """What a reader calls a family of features: pairs with a hyphen.

    Example:
        >>> family_name("query_item"), family_name("query_item_statistics"), family_name("item_statistics")
        ('query-item', 'query-item statistics', 'item statistics')
    """
    return one_line(name).replace("_item", "-item").replace("_", " ")


def segment_name(name: str) -> str:
    """What a reader calls a segment.

    Example:
        >>> segment_name("query_length=short"), segment_name("all")
        ('query length: short', 'all')
    """
    kind, equals, value = one_line(name).partition("=")
    return f"{spoken(kind)}: {value}" if equals else one_line(name)


def sentence(text: str) -> str:
    """Text that starts with a capital and ends with a full stop.

    Example:
        >>> sentence("what users did"), sentence("Done!"), sentence("")
        ('What users did.', 'Done!', '')
    """
    line = one_line(text)
    return line[:1].upper() + line[1:] + ("" if line.endswith((".", "!", "?")) or not line else ".")


def text_width(text: str, size: float = 12, *, bold: bool = False) -> float:
    """About how wide text is drawn, in pixels, in a wide font; East Asian characters count twice.

    Example:
        >>> text_width("abcd", size=10)
        24.0
    """
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return (len(text) + wide) * (0.68 if bold else 0.6) * size


def shorten(text: str, width: float, size: float = 12, *, bold: bool = False) -> str:
    """Text cut to fit `width` pixels, an ellipsis at its end.

    Example:
        >>> shorten("abcdefghij", 42, size=10)
        'abcdef…'
    """
    text = one_line(text)
    if text_width(text, size, bold=bold) <= width:
        return text
    text = text[: int(width / (0.6 * size))]
    while text and text_width(text + "…", size, bold=bold) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def decimals(estimate: Estimate) -> int:
    """How many decimals the interval deserves.

    Its half-width shows two digits up to 35, else one. Within ±1, where metrics of rankings lie, it shows
    two down to thousandths in any case, as tables of them do. An end that is not zero is never rounded to
    zero if two further decimals can help it, since on which side of zero it lies is what an interval
    decides. Without an interval: three significant digits.

    Source: rounding rule of the Particle Data Group, Review of Particle Physics, Introduction, section 5.3.

    Example:
        >>> decimals(Estimate(0.65123, 0.6398, 0.6631)), decimals(Estimate(1234.5, 1200, 1269))
        (3, 0)
        >>> decimals(Estimate(0.08, 0.0003, 0.1597))
        4
    """
    if not estimate.has_interval or estimate.high <= estimate.low:
        return _decimals_alone(estimate.value)
    half = (estimate.high - estimate.low) / 2
    size = math.floor(math.log10(half))
    leading = round(half / 10.0 ** (size - 1))
    two_digits = 1 - size - (leading >= 100)
    by_rule = two_digits if leading <= 35 else -size
    is_within_one = max(-estimate.low, estimate.high) <= 1
    least = min(6, max(0, by_rule, min(3, two_digits) if is_within_one else 0))
    return next((n for n in range(least, least + 3) if not _vanishes(estimate, n)), least)


def _vanishes(estimate: Estimate, n_decimals: int) -> bool:
    return any(end != 0 and round(end, n_decimals) == 0 for end in (estimate.low, estimate.high))


def _decimals_alone(value: float) -> int:
    if not math.isfinite(value):
        return 3
    if float(value).is_integer():
        return 0
    return min(6, max(0, 2 - math.floor(math.log10(abs(value)))))


def fixed(value: float, n_decimals: int, *, signed: bool = False) -> str:
    """A number with so many decimals, thousands parted, a true minus sign; a rounded zero has no sign.

    Example:
        >>> fixed(-1234.5678, 1), fixed(0.25, 2, signed=True), fixed(-0.001, 2), fixed(math.nan, 2)
        ('−1,234.6', '+0.25', '0.00', '–')
    """  # noqa: RUF002
    if not math.isfinite(value):
        return UNKNOWN
    text = f"{abs(value):,.{n_decimals}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    sign = MINUS if value < 0 else "+" if signed else ""
    return sign + text


def in_unit(estimate: Estimate, unit: str) -> Estimate:
    """The estimate as its unit counts: shares in percent, all else as it is."""
    return estimate.scaled(100) if unit == "%" else estimate


def suffix(unit: str, *, signed: bool = False) -> str:
    """What follows a number of this unit; differences of percentages are percentage points."""
    if unit == "%":
        return " pp" if signed else "%"
    return f" {unit}" if unit else ""


def value_text(estimate: Estimate, unit: str = "", *, signed: bool = False) -> str:
    """The point estimate with as many digits as its interval deserves.

    Example:
        >>> value_text(Estimate(0.0812, 0.0794, 0.0831), "%")
        '8.12%'
        >>> value_text(Estimate(0.0118, 0.0021, 0.0215), "%", signed=True)
        '+1.2 pp'
    """
    shown = in_unit(estimate, unit)
    if not shown.is_known:
        return UNKNOWN
    return fixed(shown.value, _decimals_in(estimate, unit), signed=signed) + suffix(unit, signed=signed)


def _decimals_in(estimate: Estimate, unit: str) -> int:
    """Decimals of the estimate as its unit counts; percent have two less than the share."""
    return max(0, decimals(estimate) - 2) if unit == "%" else decimals(estimate)


def interval_text(estimate: Estimate, unit: str = "", *, signed: bool = False) -> str:
    """The interval in brackets, with the value's digits; empty when there is none.

    Example:
        >>> interval_text(Estimate(0.65123, 0.6398, 0.6631))
        '[0.640, 0.663]'
    """
    shown = in_unit(estimate, unit)
    if not shown.has_interval:
        return ""
    n_decimals = _decimals_in(estimate, unit)
    low, high = (fixed(end, n_decimals, signed=signed) for end in (shown.low, shown.high))
    return f"[{low}, {high}]"


def with_interval(estimate: Estimate, unit: str = "", *, signed: bool = False) -> str:
    """Value and interval on one line.

    Example:
        >>> with_interval(Estimate(0.65123, 0.6398, 0.6631))
        '0.651 [0.640, 0.663]'
    """
    parts = (value_text(estimate, unit, signed=signed), interval_text(estimate, unit, signed=signed))
    return " ".join(part for part in parts if part)


def like(value: float, estimate: Estimate, unit: str = "", *, signed: bool = False) -> str:
    """Another number with the digits of `estimate`, as for the two sides of a difference.

    Example:
        >>> like(0.6512345, Estimate(0.061, 0.049, 0.073))
        '0.651'
    """
    shown = in_unit(Estimate(value), unit)
    if not shown.is_known:
        return UNKNOWN
    return fixed(shown.value, _decimals_in(estimate, unit), signed=signed) + suffix(unit, signed=signed)


def count(value: float | None) -> str:
    """A number of things; a mean below 100 keeps one decimal.

    Example:
        >>> count(20000), count(487.31), count(12.34), count(None)
        ('20,000', '487', '12.3', '–')
    """  # noqa: RUF002
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return fixed(value, 0 if abs(value) >= 100 or float(value).is_integer() else 1)


def about(value: float) -> str:
    """A number of things of which only the size is known: two significant digits.

    Example:
        >>> about(88417.3), about(7.2)
        ('88,000', '7.2')
    """
    if not math.isfinite(value) or value == 0:
        return count(value)
    size = math.floor(math.log10(abs(value)))
    return count(round(value, 1 - size))


def plural(n: float, one: str, many: str = "") -> str:
    """A count with its noun.

    Example:
        >>> plural(1, "day"), plural(14, "day"), plural(2, "query", "queries")
        ('1 day', '14 days', '2 queries')
    """
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def share(value: float) -> str:
    """A share in percent, with a decimal below ten percent and two below one.

    Example:
        >>> share(0.5), share(0.0512), share(0.0049), share(0.0)
        ('50%', '5.1%', '0.49%', '0%')
    """
    percent = value * 100
    if not math.isfinite(percent):
        return UNKNOWN
    n_decimals = 0 if percent in {0, 100} or abs(percent) >= 10 else 1 if abs(percent) >= 1 else 2
    return fixed(percent, n_decimals) + "%"


def p_text(p_value: float) -> str:
    """A p-value, no smaller than is worth telling.

    Example:
        >>> p_text(0.0123), p_text(0.00001), p_text(0.43219)
        ('0.012', '<0.001', '0.43')
    """
    if not math.isfinite(p_value):
        return UNKNOWN
    return "<0.001" if p_value < 0.001 else fixed(p_value, 3 if p_value < 0.1 else 2)


def milliseconds(value: float) -> str:
    """A latency, with two or three digits and the unit that fits.

    Example:
        >>> [milliseconds(value) for value in (0.0512, 0.4219, 3.14, 14.2, 1250)]
        ['51 µs', '0.42 ms', '3.1 ms', '14 ms', '1.25 s']
    """
    if not math.isfinite(value):
        return UNKNOWN
    if value >= 1000:
        return f"{fixed(value / 1000, 2)} s"
    if value == 0:
        return "0 ms"
    if value < 0.1:
        return f"{fixed(value * 1000, 0 if value >= 0.01 else 1)} µs"
    return f"{fixed(value, 0 if value >= 10 else 1 if value >= 1 else 2)} ms".replace(".0 ms", " ms")


def seconds(value: float) -> str:
    """How long a step took.

    Example:
        >>> seconds(0.31), seconds(12.3), seconds(125)
        ('0.3 s', '12 s', '2 min 05 s')
    """
    if not math.isfinite(value):
        return UNKNOWN
    if value < 60:
        return f"{fixed(value, 1 if value < 9.95 else 0)} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes:,} min {rest:02d} s"


def significant(value: float, digits: int = 3) -> str:
    """A number of any size with so many significant digits.

    Example:
        >>> significant(12345.6), significant(0.0123456), significant(2.0), significant(1.2e-7)
        ('12,346', '0.0123', '2.00', '1.2e−7')
    """  # noqa: RUF002
    if not math.isfinite(value):
        return UNKNOWN
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size < -5 or size > 9:
        mantissa, _, exponent = f"{value:.{digits - 2}e}".partition("e")
        return f"{mantissa}e{int(exponent)}".replace("-", MINUS)
    return fixed(value, max(0, digits - 1 - size))
