"""The database judges NHS numbers exactly as `domain.identifiers` does."""

from __future__ import annotations

from domain.identifiers import FILLER_NHS_NUMBERS, NhsNumberReason, check_digit, parse_nhs_number
from domain.profile import Profile
from expectations.nhs_numbers import fails_check_digit, is_filler, is_not_ten_digits
from governance.store import Store

_WRITTEN = [
    *sorted(FILLER_NHS_NUMBERS),
    *(f"{first}{digit}" for n in range(400) for first in [f"9{n * 7919 % 100_000_000:08d}"] for digit in "0159"),
    *(f"{first}{check_digit(first) or 0}" for n in range(200) for first in [f"4{n * 104_729 % 100_000_000:08d}"]),
    *("943 476 5919", "943-476-5918", "9434765919.0", " 9434765919 ", "9.434766E+09", "943476591", "NHS9434765919"),
    *("", " ", "\t9434765919", "٩٤٣٤٧٦٥٩١٩", "0000 000 000", "9434765919.00", "-"),
]


def test_database_and_domain_agree_on_every_number(database: Profile) -> None:
    with Store(database).connect("loader") as connection:
        found = connection.exec_driver_sql(
            f"""select {fails_check_digit("n")}, {is_filler("n")}, {is_not_ten_digits("n")}
                  from unnest(%s::text[]) with ordinality as t(n, o) order by o""",
            (_WRITTEN,),
        ).all()
    for number, judged in zip(_WRITTEN, found, strict=True):
        reason = parse_nhs_number(number, allow_test_range=True).reason
        told = (NhsNumberReason.CHECK_DIGIT, NhsNumberReason.FILLER, NhsNumberReason.NOT_TEN_DIGITS)
        assert tuple(judged) == tuple(reason is r for r in told), (number, reason)
