"""What came of the nights: the ledger, the people, the links judged against the truth, the return, the cost.

The same facts go to `summary.json` and to a table a manager can read. Only here and in the tests is the truth read.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.store import Store
from onestory.home import Home
from onestory.scoring.defects import defect_table
from onestory.scoring.leaks import find_leaks

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from domain.profile import Profile

_CATEGORIES = ("inserted", "updated", "unchanged", "duplicate", "superseded", "quarantined", "excluded_by_policy")
_FILES = """select f.name, d.source, f.records, f.sha256 from ledger.file f join ledger.delivery d using (delivery_id)
             where d.state = 'conformed' order by d.source, d.as_known_at, f.name"""
_ACCOUNT: dict[str, tuple[str, ...]] = {
    "files": (),
    "read": ("read",),
    "loaded": ("inserted", "updated"),
    "unchanged": ("unchanged",),
    "repeated": ("duplicate", "superseded"),
    "held": ("quarantined",),
    "excluded": ("excluded_by_policy",),
}


def summarise(home: Home, seconds: float, airflow_tasks: dict[str, int] | None = None) -> dict[str, Any]:
    """Gather the facts, write `summary.json`, return them. Raises `ValueError` when an account does not balance."""
    store = Store(home.profile())
    with store.connect("auditor") as connection:
        facts: dict[str, Any] = {
            "seconds": round(seconds, 1),
            "airflow_tasks": airflow_tasks or {},
            "analyst_signs_in_at": home.server.url("warehouse", "onestory_analyst"),
            "ledger": (lines := ledger(connection)),
            "accounts": accounts(lines),
            **_release(connection),
            "stages": stages(connection),
            "return": _prepared_return(connection),
        }
        report = connection.exec_driver_sql(
            "select report from ledger.link_run order by link_run_id desc limit 1"
        ).scalar()
        files = [dict(row) for row in connection.exec_driver_sql(_FILES).mappings()]
    with store.connect("linker") as connection:
        facts["people"] = _people(connection)
        facts["links_by_rule"] = _links_by_rule(connection)
    facts["quality"] = quality(home, store)
    facts["return"] |= _against_truth(home, store, facts["return"])
    facts["defects"] = [line.as_dict() for line in defect_table(home.profile(), home.truth)]
    facts["leaks"] = [f"{leak.kind}: {leak.place}" for leak in find_leaks(home)]
    facts["linkage_report"] = _write_linkage_report(home, report, facts["accounts"], files)
    home.summary.write_text(json.dumps(facts, indent=2, default=str) + "\n", encoding="utf-8")
    return facts


def last_state(profile: Profile, source: str) -> str:
    """How the last stage that ran for the source ended."""
    with Store(profile).connect("auditor") as connection:
        return str(
            connection.exec_driver_sql(
                "select state from ledger.run where scope = %(source)s order by entry_id desc limit 1",
                {"source": source},
            ).scalar_one()
        )


def ledger(connection: Connection) -> list[dict[str, Any]]:
    """One line per file and table, oldest first; raises `ValueError` when a line does not add up."""
    lines = [
        dict(row)
        for row in connection.exec_driver_sql(
            f"""select d.source, f.name as file, a.dataset as "table", a.read,
                   {", ".join("a." + c for c in _CATEGORIES)}
              from ledger.row_account a join ledger.file f using (file_id) join ledger.delivery d using (delivery_id)
             order by d.source, d.as_known_at, d.delivery_id, f.name, a.dataset"""
        ).mappings()
    ]
    for line in lines:
        if line["read"] != sum(line[category] for category in _CATEGORIES):
            raise ValueError(f"the account of {line['file']}, {line['table']} does not balance")
    return lines


def accounts(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The ledger's lines added up for each source."""
    totals: dict[str, dict[str, Any]] = {}
    for line in lines:
        account = totals.setdefault(line["source"], {"source": line["source"], **dict.fromkeys(_ACCOUNT, 0)})
        account["files"] += 1
        for name, categories in _ACCOUNT.items():
            account[name] += sum(line[category] for category in categories)
    return list(totals.values())


def stages(connection: Connection) -> list[dict[str, Any]]:
    """Seconds and peak memory of every stage over all its runs."""
    return [
        dict(row)
        for row in connection.exec_driver_sql(
            """select case when scope = '' then stage else stage || ' ' || scope end as name,
                  round(sum(extract(epoch from ended_at - started_at)), 2)::float as seconds, max(peak_mib) as peak_mib
             from ledger.run where ended_at is not null group by stage, scope order by min(entry_id)"""
        ).mappings()
    ]


def quality(home: Home, store: Store) -> dict[str, Any]:
    """Precision and recall over all pairs of records of one person, judged against the truth file.

    The parts: pairs of a care record and a health record, and pairs where a record has no usable NHS number. Pairs that
    governance forbids to link are counted apart; `recall` is of the others, `recall_of_all` has them in it as missed.
    """
    from connectors.synthetic import truth
    from linkage.quality import pairwise_quality
    from onestory.scoring.forbidden import counted_apart, forbidden, read

    members = store.read_arrow(
        "linker",
        """select r.source, r.source_person_key, m.person_id from identity.membership m
             join identity.source_record r using (source_record_id) where m.known_to is null""",
    )
    appearances = truth.load_appearances(home.truth)
    apart = asdict(forbidden(read(store), appearances.to_pylist()))
    parts = pairwise_quality(members, appearances)
    judged: dict[str, Any] = {name: counted_apart(part, apart[name]) for name, part in parts.items()}
    return {**judged.pop("overall"), **judged}


def _release(connection: Connection) -> dict[str, Any]:
    row = connection.exec_driver_sql(
        "select number, digest from ledger.release order by number desc limit 1"
    ).one_or_none()
    return {"release": row[0] if row else None, "release_digest": row[1] if row else None}


def _people(connection: Connection) -> int:
    return int(
        connection.exec_driver_sql(
            "select count(distinct person_id) from identity.membership where known_to is null"
        ).scalar_one()
    )


def _links_by_rule(connection: Connection) -> dict[str, int]:
    return {
        str(rule): int(count)
        for rule, count in connection.exec_driver_sql(
            """select rule, count(*) from identity.link where known_to is null and decision = 'link'
                group by 1 order by 2 desc, 1"""
        )
    }


def _prepared_return(connection: Connection) -> dict[str, Any]:
    row = (
        connection.exec_driver_sql(
            "select rows, errors, status, facts from ledger.prepared_return order by return_id desc limit 1"
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        return {"path": None, "validation_path": None, "rows": 0, "errors": 0}
    return {"rows": row["rows"], "errors": row["errors"], "status": row["status"], **row["facts"]}


def _against_truth(home: Home, store: Store, prepared: dict[str, Any]) -> dict[str, Any]:
    from connectors.synthetic.return_comparison import compare_with_truth, errors_with_causes

    if not prepared.get("path"):
        return {}
    members = store.read_arrow(
        "linker",
        """select m.person_id, r.source || ':' || r.source_person_key as record from identity.membership m
             join identity.source_record r using (source_record_id) where m.known_to is null""",
    ).to_pandas()
    path = Path(prepared["path"])
    return {
        "against_truth": compare_with_truth(home.truth, home.profile().reporting_period, path, members),
        "errors_by_check": errors_with_causes(home.truth, path, members),
    }


def _write_linkage_report(
    home: Home, report: dict[str, Any] | None, lines: list[dict[str, Any]], files: list[dict[str, Any]]
) -> str | None:
    if report is None:
        return None
    from review.linkage_report import write

    return str(write(report, lines, files, home.profile().reports / "linkage-report.html"))
