"""Rows for the check stage's tests, and what may be asked of the ledger and the landing zone afterwards."""

from __future__ import annotations

from typing import Any

from domain.profile import Profile
from governance.store import Store
from tests.support.landed import night

CANARY = "Zzyzxcanary"


def person(key: str, **fields: str | None) -> dict[str, str | None]:
    return {
        "person_id": key,
        "forename": "Edith",
        "surname": "Marlow",
        "birth_at": "1941-07-09 00:00:00",
        "nhs_number": "9990000018",
        "is_client": "Y",
        **fields,
    }


def patient(key: str, **fields: str | None) -> dict[str, str | None]:
    return {
        "row_id": key,
        "visible_to": "NLX99",
        "forename": "Edith",
        "surname": "Marlow",
        "birth_at": "09 Jul 1941 00:00",
        "nhs_number": "9990000018",
        "gender": "F",
        "removed": "0",
        **fields,
    }


def contact(key: str, of: str, **fields: str | None) -> dict[str, str | None]:
    return {
        "row_id": key,
        "visible_to": "NLX99",
        "patient_id": of,
        "contact_number": "01632 960001",
        "removed": "0",
        **fields,
    }


def service(key: str, of: str, **fields: str | None) -> dict[str, str | None]:
    return {
        "service_id": key,
        "person_id": of,
        "client_type_code": "SU",
        "service_type_code": "LTC",
        "status_code": "OPN",
        "start_at": "2025-04-01 00:00:00",
        **fields,
    }


def ask(profile: Profile, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with Store(profile).connect("loader") as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query, parameters or None)]


def account(profile: Profile, dataset: str, number: int = 0) -> dict[str, int]:
    columns = "read inserted updated unchanged duplicate superseded quarantined excluded_by_policy closed_by_absence"
    rows = ask(
        profile,
        f"""select {", ".join(columns.split())} from ledger.row_account a join ledger.file f using (file_id)
              join ledger.delivery d using (delivery_id) where dataset = %s and as_known_at = %s""",
        dataset,
        night(number),
    )
    assert len(rows) == 1, f"{dataset} has {len(rows)} accounts"
    return {name: n for name, n in zip(columns.split(), rows[0], strict=True) if n}


def failures(profile: Profile, dataset: str) -> dict[str, int]:
    return dict(
        ask(
            profile,
            """select rule, sum(failed)::int from ledger.rule_result join ledger.landed_table using (landed_id)
                where dataset = %s and failed > 0 group by 1""",
            dataset,
        )
    )


def current(profile: Profile, dataset: str) -> set[str]:
    query = f"select row_key from landing.{dataset} where known_to is null and not is_removed"
    return {key for (key,) in ask(profile, query)}


def everything(profile: Profile) -> dict[str, list[tuple[Any, ...]]]:
    """All this stage writes, without surrogate numbers and clocks."""
    return {
        "people": ask(
            profile, "select row_key, surname, known_from, known_to from landing.liquidlogic__person order by 1, 3"
        ),
        "services": ask(
            profile, "select row_key, is_removed, known_from, known_to from landing.liquidlogic__service order by 1, 3"
        ),
        "held": ask(profile, "select dataset, file_id, line, rules, state from quarantine.held_row order by 1, 2, 3"),
        "accounts": ask(profile, "select * from ledger.row_account order by 1, 2"),
        "excluded": ask(
            profile, "select file_id, dataset, reason, rows, row_digests from ledger.exclusion order by 1, 2, 3"
        ),
        "rules": ask(profile, "select * from ledger.rule_result order by 1, 2"),
        "deliveries": ask(profile, "select delivery_id, state, code from ledger.delivery order by 1"),
    }
