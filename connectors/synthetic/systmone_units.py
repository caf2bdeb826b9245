"""Teams, caseloads, profiles, questionnaires and local pick lists of the simulated SystmOne: told once, then changes.

One option of a local list has its label edited in the middle of a run, as sites do about twice a year (D84).
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final

from connectors.synthetic.keys import SECOND_ORGANISATION_CODE, SECOND_ORGANISATION_NAME
from connectors.synthetic.systmone_extract import Extract
from connectors.synthetic.systmone_lists import STAFF_COUNT, profile_id, staff_id
from connectors.synthetic.systmone_sheets import sheet
from connectors.synthetic.systmone_tables import moment

TEAMS: Final = 12
_OPTIONS: Final = {
    "Contact method": ("Face to face", "Telephone", "Video", "Letter"),
    "Contact location": ("Patient's home", "Health centre", "Care home", "Community hospital"),
    "Referral out reason": ("Further assessment", "Equipment", "Podiatry", "Specialist opinion"),
    "Referral out urgency": ("Routine", "Urgent", "Two weeks"),
    "Status of referral out": ("Sent", "Accepted", "Rejected"),
}
_CODES: Final = {"Contact method": ("01", "02", "11", "04")}
_QUESTIONNAIRES: Final = ("Waterlow score", "MUST", "Falls risk", "Carer questionnaire")
_ROLES: Final = ("Community Nurse", "Physiotherapist", "Health Care Assistant", "Clinical Administrator")


def team_id(organisation: str, number: int) -> str:
    """The id of a unit's team."""
    return str(88_100_000 + 100 * (organisation == SECOND_ORGANISATION_CODE) + number)


def caseload_id(organisation: str, number: int) -> str:
    """The id of a unit's caseload."""
    return str(88_700_000 + 100 * (organisation == SECOND_ORGANISATION_CODE) + number)


def questionnaire_id(number: int) -> str:
    """The id of a published questionnaire."""
    return str(90_500_000 + number)


def option_id(group: str, number: int) -> str:
    """The id of an option of a local list."""
    return str(73_000_000 + 1_000 * list(_OPTIONS).index(group) + number)


def write_units(extract: Extract) -> None:
    """Send the slow lists on the first night, and what changes of them later."""
    units = [(extract.world.organisation_code, extract.world.organisation_name, 0)]
    joins = extract.calendar.joins
    if joins is not None:
        units.append((SECOND_ORGANISATION_CODE, SECOND_ORGANISATION_NAME, joins))
    since = moment(datetime.combine(extract.world.first_night, time(9)) - timedelta(days=900))
    for code, name, night in units:
        _unit(extract, code, name, night, since)
    for number in range(STAFF_COUNT):
        own = {"RowIdentifier": profile_id(number), "IDStaffMember": staff_id(number), "DateProfileCreated": since}
        own |= {"IDStaffMemberProfileRole": str(55_000 + number % 4), "StaffRole": _ROLES[number % 4]}
        _send(extract, 0, "SRStaffMemberProfile", {**own, "IDOrganisation": extract.world.organisation_code})
    for number, role in enumerate(_ROLES):
        own = {"RowIdentifier": str(55_000 + number), "RoleDescription": role, "DateLastAmended": since}
        _send(extract, 0, "SRStaffMemberProfileRole", own)
    for number, name in enumerate(_QUESTIONNAIRES):
        own = {"RowIdentifier": questionnaire_id(number), "QuestionnaireName": name, "QuestionnaireVersion": "1"}
        _send(extract, 0, "SRQuestionnaire", {**own, "DtPublished": since})
    _send(extract, 0, "SRTrust", {"RowIdentifier": "61001", "Name": "Ardenvale Community NHS Trust", "OdsCode": "NLF"})
    for number, (code, text) in enumerate((("9S10.", "White British"), ("2469.", "O/E - Systolic BP reading"))):
        _send(extract, 0, "SRCtv3", {"RowIdentifier": str(71_000 + number), "Ctv3Code": code, "Ctv3Text": text})
    _options(extract)


def _unit(extract: Extract, code: str, name: str, night: int, since: str) -> None:
    branch = {"RowIdentifier": str(64_000 + (night > 0)), "ID": f"{code}01", "BranchName": f"{name}, main site"}
    _send(extract, night, "SROrganisationBranch", {**branch, "IDOrganisation": code, "IDOrganisationVisibleTo": code})
    for number in range(TEAMS):
        both = {"IDOrganisationVisibleTo": code}
        team = {"RowIdentifier": team_id(code, number), "TeamName": f"Team {number + 1}", "TeamCreated": since}
        _send(extract, night, "SRTeam", {**both, **team, "TeamType": "Community", "IDOrganisation": code})
        member = {"RowIdentifier": str(int(team_id(code, number)) + 50_000), "TeamStaff": staff_id(number)}
        _send(
            extract,
            night,
            "SRTeamMember",
            {**both, **member, "IDTeam": team_id(code, number), "MemberCreated": since},
        )
        load = {"RowIdentifier": caseload_id(code, number), "CaseloadName": f"Caseload {number + 1}"}
        load |= {"CaseloadTeam": f"Team {number + 1}", "IDProfileCaseloadOwner": profile_id(number)}
        _send(extract, night, "SRCaseload", {**both, **load, "DateCreated": since})


def _options(extract: Extract) -> None:
    for group, labels in _OPTIONS.items():
        for number, label in enumerate(labels):
            codes = _CODES.get(group, ())
            own = {"RowIdentifier": option_id(group, number), "ConfiguredList": group, "ConfiguredListOption": label}
            _send(extract, 0, "SRConfiguredListOption", {**own, "CDSCode": codes[number] if codes else ""})
    edited = extract.world.nights // 3
    if edited and extract.world.quality > 0:
        own = {"RowIdentifier": option_id("Contact location", 1), "ConfiguredList": "Contact location"}
        _send(extract, edited, "SRConfiguredListOption", {**own, "ConfiguredListOption": "Health centre or clinic"})
        extract.log.add("D84", "SRConfiguredListOption", own["RowIdentifier"], "ConfiguredListOption", edited)


def _send(extract: Extract, night: int, table: str, own: dict[str, str]) -> None:
    extract.add(night, table, sheet(table).row({}, own))
