"""Names become comparable: what is no part of a name goes, what is stays, and spellings of one name meet."""

from __future__ import annotations

import pytest

from linkage.names import groups_of, nickname_groups, skeleton, standardise_name


@pytest.mark.parametrize(
    ("raw", "tokens"),
    [
        ("O'Brien", ("obrien",)),
        ("O BRIEN", ("obrien",)),
        ("Smith-Jones", ("smith", "jones")),
        ("  van  der Berg ", ("vanderberg",)),
        ("José", ("jose",)),
        ("JosÃ©", ("jose",)),
        ("Łukasz", ("lukasz",)),
        ("Mr John", ("john",)),
        ("Smith (deceased)", ("smith",)),
        ("DO NOT USE SMITH", ("smith",)),
        ("07700 900123 Smith", ("smith",)),
        ("Old", ("old",)),
        ("No", ("no",)),
        ("", ()),
        (None, ()),
    ],
)
def test_a_name_keeps_its_words_and_loses_everything_else(raw: str | None, tokens: tuple[str, ...]) -> None:
    assert standardise_name(raw).tokens == tokens


@pytest.mark.parametrize(
    "raw", ["Baby", "Baby Girl", "BABY OF MARY", "Twin 1", "Unknown", "DUPLICATE", "unk", "N/A", "Not known"]
)
def test_a_placeholder_is_nobodys_name(raw: str) -> None:
    assert standardise_name(raw).joined == ""


def test_a_name_that_contains_a_placeholder_word_is_a_name() -> None:
    assert standardise_name("Male").joined == ""
    assert standardise_name("Malek").joined == "malek"
    assert standardise_name("Rose Infant").tokens == ("rose", "infant")


def test_other_names_behind_also_known_as_are_kept_apart() -> None:
    name = standardise_name("Smith aka Jones")
    assert (name.tokens, name.others) == (("smith",), ("jones",))


@pytest.mark.parametrize(("one", "other"), [("mohammed", "muhammad"), ("hussain", "hussein"), ("yusuf", "yousef")])
def test_spellings_of_one_name_sound_alike(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


def test_names_that_differ_sound_different() -> None:
    assert skeleton("margaret") != skeleton("mary")
    assert skeleton("ivan") != skeleton("van")


def test_a_short_form_shares_a_group_with_its_name() -> None:
    known = nickname_groups()
    pairs = [("peggy", "margaret"), ("ted", "edward"), ("liz", "elizabeth"), ("bob", "robert")]
    in_our_half = [(short, full) for short, full in pairs if set(known.get(short, ())) & set(known.get(full, ()))]
    assert in_our_half, "half of a list of a thousand names should hold one of these"
    assert groups_of(["john"]) == known["john"]
    assert not set(groups_of(["john"])) & set(groups_of(["agatha"]))
