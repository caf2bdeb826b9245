"""Addresses as systems really hold them (D60 to D70): stale, overlapping, mistyped, shifted, made up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from connectors.synthetic.choosing import choose, how_many
from connectors.synthetic.record_defects import Spoiler
from connectors.synthetic.world import AddressPeriod, Appearance

_PSEUDO: Final = ("ZZ99 3VZ", "ZZ99 3WZ", "ZZ99 3CZ")
_PLACEHOLDERS: Final = ("NOT FOUND", "UNKNOWN", "NO FIXED ABODE")
#: Hard cases whose story is their address.
_KEEP: Final = frozenset({"night_move", "no_fixed_abode"})


def spoil_addresses(spoiler: Spoiler) -> None:
    """Puts the address defects in: first which addresses are held, then what is written in them."""
    if spoiler.system == "systmone":
        for record in spoiler.register.by_system["systmone"]:
            if record.is_restricted:
                record.addresses = []
    _stale(spoiler)
    _overlaps_and_gaps(spoiler)
    _postcodes(spoiler)
    _lines(spoiler)
    _property_numbers(spoiler)
    _dates(spoiler)


def _mark(spoiler: Spoiler, record: Appearance, defect_id: str, field: str, place: int = -1) -> None:
    index = place % len(record.addresses)
    record.address_defects.setdefault(index, defect_id[:3])
    spoiler.note(defect_id, record, field, "address")


def _current(record: Appearance, **changes: object) -> None:
    record.addresses[-1] = replace(record.addresses[-1], **changes)  # type: ignore[arg-type]


def _stale(spoiler: Spoiler) -> None:
    """The last move never reached the system: it still holds the address before (D60; D65 for care homes)."""
    moved = [r for r in spoiler.records if len(r.addresses) > 1 and not spoiler.person(r).tags & _KEEP]
    private = [r for r in moved if r.addresses[-1].kind != "care_home"]
    at_home = sum(1 for r in spoiler.records if r.addresses and r.addresses[-1].kind != "care_home")
    for record in spoiler.pick("D60", private, at_home):
        _forget_last(record)
        _mark(spoiler, record, "D60", "postcode")
    lately = spoiler.council.last_day - timedelta(days=60)
    for defect_id, recent in (("D65a", True), ("D65b", False)):
        group = [
            r for r in moved if r.addresses[-1].kind == "care_home" and (r.addresses[-1].valid_from >= lately) is recent
        ]
        for record in choose(spoiler.rng, group, how_many(spoiler.rng, spoiler.share(defect_id), len(group))):
            _forget_last(record)
            _mark(spoiler, record, "D65", "postcode")


def _forget_last(record: Appearance) -> None:
    record.addresses = [*record.addresses[:-2], replace(record.addresses[-2], valid_to=None)]


def _overlaps_and_gaps(spoiler: Spoiler) -> None:
    several = [r for r in spoiler.records if len(r.addresses) > 1 and not spoiler.person(r).tags & _KEEP]
    open_twice = spoiler.pick("D65c", several)
    for record in open_twice:
        record.addresses[-2] = replace(record.addresses[-2], valid_to=None)
        _mark(spoiler, record, "D65", "valid_to", -2)
    keys = {record.key for record in open_twice}
    for record in spoiler.pick("D65d", [r for r in several if r.key not in keys]):
        earlier = record.addresses[-2]
        if earlier.valid_to is None:
            continue
        ended = max(earlier.valid_from, earlier.valid_to - timedelta(days=spoiler.rng.randrange(30, 300)))
        record.addresses[-2] = replace(earlier, valid_to=ended)
        _mark(spoiler, record, "D65", "valid_to", -2)


def _postcodes(spoiler: Spoiler) -> None:
    free = [r for r in spoiler.records if r.addresses and not spoiler.person(r).tags & _KEEP]
    base = len(free)
    for defect_id in ("D61", "D62", "D63m", "D63x", "D63n", "D63o"):
        hit = spoiler.pick(defect_id, free, base)
        for record in hit:
            postcode = record.addresses[-1].postcode
            _current(record, postcode=_written(spoiler, defect_id, postcode))
            _mark(spoiler, record, defect_id, "postcode")
        keys = {record.key for record in hit}
        free = [r for r in free if r.key not in keys]
    for defect_id in ("D63l", "D63s"):
        for record in spoiler.pick(defect_id, free, base):
            _current(record, postcode=_written(spoiler, defect_id, record.addresses[-1].postcode))
            _mark(spoiler, record, defect_id, "postcode")


def _written(spoiler: Spoiler, defect_id: str, postcode: str) -> str:
    if defect_id == "D61":
        return postcode[:-2] + postcode[-1] + postcode[-2]
    if defect_id == "D62":
        return spoiler.rng.choice(_PSEUDO)
    if defect_id == "D63o":
        swapped = postcode.replace("0", "O").replace("1", "I")
        return (
            swapped
            if swapped != postcode
            else postcode[:-3] + postcode[-3].replace("0", "O") + postcode[-2:].replace("O", "0")
        )
    fixed = {
        "D63m": "",
        "D63x": "XXX",
        "D63n": "nopostcode",
        "D63l": postcode.lower(),
        "D63s": postcode.replace(" ", ""),
    }
    return fixed[defect_id]


def _shifted(spoiler: Spoiler, address: AddressPeriod) -> AddressPeriod:
    """Number and street in one field, lines moved by one, the home's name in the street field (D64)."""
    if address.kind == "care_home" and spoiler.rng.random() < 0.5:
        return replace(address, building="", number="", street=f"{address.building}, {address.number} {address.street}")
    if spoiler.rng.random() < 0.7 and address.number:
        return replace(address, number=f"{address.number} {address.street}", street=address.locality, locality="")
    if address.building:
        return replace(address, number=address.building, building=address.number)
    return replace(address, building=address.number, number="")


def _lines(spoiler: Spoiler) -> None:
    free = [r for r in spoiler.records if r.addresses and not spoiler.person(r).tags & _KEEP]
    for record in spoiler.pick("D64", free, clustered=False):
        record.addresses = [_shifted(spoiler, address) for address in record.addresses]
        _mark(spoiler, record, "D64", "number")
    for record in spoiler.pick("D68", free):
        _current(record, street=spoiler.rng.choice(_PLACEHOLDERS), number="", building="")
        _mark(spoiler, record, "D68", "street")


def _property_numbers(spoiler: Spoiler) -> None:
    free = [r for r in spoiler.records if r.addresses]
    missing = spoiler.pick("D69m", free, clustered=False)
    keys = {record.key for record in missing}
    for record in missing:
        record.addresses = [replace(address, uprn="") for address in record.addresses]
        _mark(spoiler, record, "D69", "uprn")
    rest = [r for r in free if r.key not in keys]
    for record in spoiler.pick("D69w", rest, min(len(free), len(rest) * 2), clustered=False):
        uprn = record.addresses[-1].uprn
        if uprn:
            _current(record, uprn=str(int(uprn) + spoiler.rng.randrange(1, 90)))
            _mark(spoiler, record, "D69", "uprn")
    for record in spoiler.pick("D69e", rest, clustered=False):
        uprn = record.addresses[-1].uprn
        if uprn:
            _current(record, uprn=f"{int(uprn) / 10 ** (len(uprn) - 1):.5f}E+{len(uprn) - 1:02d}")
            _mark(spoiler, record, "D69", "uprn")


def _dates(spoiler: Spoiler) -> None:
    ended = [r for r in spoiler.records if len(r.addresses) > 1 and r.addresses[0].valid_to is not None]
    for record in spoiler.pick("D70a", ended):
        first = record.addresses[0]
        record.addresses[0] = replace(first, valid_to=first.valid_from - timedelta(days=spoiler.rng.randrange(1, 400)))
        _mark(spoiler, record, "D70", "valid_to", 0)
    for record in spoiler.pick("D70b", ended):
        record.addresses[0] = replace(record.addresses[0], valid_to=date(1900, 1, 1))
        _mark(spoiler, record, "D70", "valid_to", 0)
