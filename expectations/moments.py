"""Dates as suppliers write them, compared inside the database without ever raising.

Nearly every value has the one strict shape of its style and is read by cutting it up; the few others (the 31st,
one-digit days) go to the landing functions that conforming uses, so that both always agree on what a date is.
"""

from __future__ import annotations

from dataclasses import dataclass

from expectations.rule import RuleError


@dataclass(frozen=True, slots=True)
class Style:
    """One way of writing a date: `shape` matches values that surely are dates, `day` cuts YYYYMMDD out of them."""

    function: str
    like: str  # the operator to match shapes with; comparing letters in either case costs three times as much
    shape: str
    day: str
    default: str  # shape of the dates that stand for "no date"
    none: str = ""  # what is written where there is no date


_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]+)?)?"
_DAY = "(?:0[1-9]|1[0-9]|2[0-8])"  # days every month has
_MONTH = "(?:0[1-9]|1[0-2])"
_YEAR = "(?:19|20)[0-9]{2}"
_MONTHS = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"

STYLES = {
    "iso": Style(
        function="landing.moment_iso",
        like="~",
        shape=f"^{_YEAR}-{_MONTH}-{_DAY}(?:[ T]{_CLOCK})?$",
        day="substr({f}, 1, 4) || substr({f}, 6, 2) || substr({f}, 9, 2)",
        default="^190[01]-01-01",
    ),
    "slash": Style(
        function="landing.moment_slash",
        like="~",
        shape=f"^{_DAY}/{_MONTH}/{_YEAR}(?: {_CLOCK})?$",
        day="substr({f}, 7, 4) || substr({f}, 4, 2) || substr({f}, 1, 2)",
        default="^01/01/190[01]",
    ),
    "dmon": Style(
        function="landing.moment_dmon",
        like="~*",
        shape=f"^{_DAY}[ -](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[ -]{_YEAR}(?: {_CLOCK})?$",
        day=f"substr({{f}}, 8, 4) || lpad(((strpos('{_MONTHS}', upper(substr({{f}}, 4, 3))) + 2) / 3)::text, 2, '0')"
        " || substr({f}, 1, 2)",
        default="^0?1[ -]jan[ -]190[01]",
    ),
    "ddmmyyyy": Style(
        function="landing.day_ddmmyyyy",
        like="~",
        shape=f"^{_DAY}{_MONTH}{_YEAR}$",
        day="substr({f}, 5, 4) || substr({f}, 3, 2) || substr({f}, 1, 2)",
        default="^0101190[01]",
        none="00000000",
    ),
}


def style_of(name: str) -> Style:
    """The style called `name`; raises `RuleError` when there is none."""
    try:
        return STYLES[name]
    except KeyError:
        raise RuleError(f"no date style called {name!r}; there are {', '.join(STYLES)}") from None


def day_of(name: str, style: Style) -> str:
    """SQL: the day written in field `name` as text YYYYMMDD; null when it is empty or no date."""
    return (
        f"(case when {name} {style.like} '{style.shape}' then {style.day.format(f=name)} "
        f"when btrim({name}) <> '' then to_char({style.function}({name}), 'YYYYMMDD') end)"
    )


def is_default(name: str, style: Style) -> str:
    """SQL: the field holds a date that stands for "no date"."""
    return f"coalesce({name} {style.like} '{style.default}', false)"


def is_impossible(name: str, style: Style, *, first: str, last: str) -> str:
    """SQL: something is written in the field, and it is no day from `first` to `last` (YYYYMMDD).

    Values that surely are dates of 1900 to 2099 are only looked at once, unless the range is narrower than that.
    """
    sure = f"{name} {style.like} '{style.shape}'"
    if last < "20991231":
        sure += f" and {style.day.format(f=name)} <= '{last}'"
    parsed = f"to_char({style.function}({name}), 'YYYYMMDD') between '{first}' and '{last}'"
    nothing = f"btrim(coalesce({name}, '')) in ('', '{style.none}')"
    return f"(case when {nothing} or {sure} then false else coalesce(not ({parsed}), true) end)"
