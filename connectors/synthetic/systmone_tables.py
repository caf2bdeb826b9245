"""The current-release layouts of the simulated SystmOne extract, and its dialect: dates, booleans, quoting, cp1252.

Written down a second time here, apart from the connector's specifications, so that a slip in either shows when the
extract is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final

_MONTHS: Final = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_LAYOUTS: Final = {
    "SRManifest": ("FileName IsDelta IsReference DateExtractFrom DateExtractTo"),
    "SRMapping": ("RowIdentifier IdMappingGroup Mapping"),
    "SRMappingGroup": ("RowIdentifier MappingGroup"),
    "SROrganisation": (
        "RowIdentifier Name ID HouseName HouseNumber NameOfRoad NameOfLocality NameOfTown NameOfCounty FullPostCode "
        "Telephone SecondaryTelephone Fax MadeObsolete IDTrust IDCcg RemovedData"
    ),
    "SRStaffMember": (
        "RowIdentifier StaffName StaffUserName NationalIdType IDNational IDSmartCard Obsolete RemovedData"
    ),
    "SRPatient": (
        "RowIdentifier IDOrganisationVisibleTo Title FirstName MiddleNames Surname PreviousSurname NHSNumber "
        "DateBirth DateDeath BirthPlace Gender SpeaksEnglish EmailAddress TestPatient SSRef SpineMatched RemovedData"
    ),
    "SRPatientRegistration": (
        "RowIdentifier IDOrganisationVisibleTo DateEventRecorded IDProfileEnteredBy DateRegistration "
        "DateDeRegistration RegistrationStatus PreferredPharmacy IDPatient IDOrganisation IDOrganisationRegisteredAt "
        "RemovedData"
    ),
    "SRPatientAddressHistory": (
        "RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDProfileEnteredBy IDDoneBy "
        "TextualEventDoneBy IDOrganisationDoneAt NameOfBuilding NumberOfBuilding NameOfRoad NameOfLocality NameOfTown "
        "NameOfCounty FullPostCode DateTo AddressType IDEvent IDPatient IDOrganisation CcgOfResidence RemovedData"
    ),
    "SRPatientContactDetails": (
        "RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDProfileEnteredBy IDDoneBy "
        "TextualEventDoneBy IDOrganisationDoneAt ContactType ContactNumber IDEvent IDPatient IDOrganisation "
        "IDOrganisationRegisteredAt RemovedData"
    ),
    "SRReferralIn": (
        "RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDProfileEnteredBy IDDoneBy "
        "TextualEventDoneBy IDOrganisationDoneAt Category PrimaryReason DateReferral DateOnReferralLetter Source "
        "ServiceOffered ServiceType ReReferral Urgency IDCodePrimaryDiagnosis ReferralCode IDReferralLocal "
        "ReasonForServiceDelay Outcome DefaultContactLocation DateDischargeScheduled DateDischarge DischargeReason "
        "DischargeLocation IDReferrer SourceTableReferrer PatientAware DateOfAction ActiveStatus ReferredToSpeciality "
        "ReferredToTreatmentCode IDReferredTo SourceTableReferrerTo ReferralPriority ReferralMedium DateOfDecision "
        "DayCareReferral MaternityReferral Commissioner ClientCategory PrimarySupportReason IDCaseload IDEvent "
        "IDPatient IDOrganisation ReferralEndReason HospitalReferralSourceCdsCode RemovedData"
    ),
    "SRVisit": (
        "RowIdentifier IDOrganisationVisibleTo DateEventRecorded IDProfileEnteredBy DateBooked DateRequested "
        "CurrentStatus IDProfileRequested IDProfileAssigned FollowUpDetails IDReferralIn IDPatient IDOrganisation "
        "Duration IDOrganisationRegisteredAt RemovedData"
    ),
    "SRAppointment": (
        "RowIdentifier IDOrganisationVisibleTo DateStart DateEnd AppointmentStatus DateAppointmentBooked "
        "DatePatientArrival DatePatientSeen FollowUpAppointment TelephoneAppointment IDClinician IDProfileClinician "
        "RotaName RotaType RotaLocation RotaCode IDRotaOwner IDProfileRotaOwner AllowsOverbooking "
        "BookingContactNumber DateAppointmentCancelled IDRota IDReferralIn IDPatient IDOrganisation "
        "IDOrganisationRegisteredAt RemovedData"
    ),
    "SRCode": (
        "RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDProfileEnteredBy IDDoneBy "
        "TextualEventDoneBy IDOrganisationDoneAt CTV3Code CTV3Text SNOMEDCode SNOMEDText NumericComparator IsNumeric "
        "NumericValue NumericUnit EpisodeType IDTemplate IDQuestionnaire IDEvent IDPatient IDReferralIn IDAppointment "
        "IDVisit IDOrganisation IDOrganisationRegisteredAt RemovedData"
    ),
}
#: Table -> its columns in order.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {table: tuple(names.split()) for table, names in _LAYOUTS.items()}
#: In every batch, in front of the tables that the manifest lists.
CONTROL_TABLES: Final = ("SRManifest", "SRMapping", "SRMappingGroup")
#: Lists that are sent whole every night.
REFERENCE_TABLES: Final = ("SROrganisation", "SRStaffMember")


def day(value: date) -> str:
    """`dd MMM yyyy`, English month names whatever the machine speaks."""
    return f"{value.day:02d} {_MONTHS[value.month]} {value.year:04d}"


def moment(value: datetime | None) -> str:
    """`dd MMM yyyy HH:mm:ss`; empty for None."""
    if value is None:
        return ""
    return f"{day(value)} {value.hour:02d}:{value.minute:02d}:{value.second:02d}"


def day_of_text(value: str, clock: str = "00:00") -> str:
    """An ISO date as `dd MMM yyyy HH:mm`, the form of SRPatient; text that is no ISO date is written as typed."""
    try:
        return f"{day(date.fromisoformat(value))} {clock}"
    except ValueError:
        return value


def boolean(value: bool) -> str:
    """`TRUE` or `FALSE`."""
    return "TRUE" if value else "FALSE"


def line(values: Sequence[str]) -> str:
    """One record: every field quoted, embedded quotes doubled, CRLF at the end."""
    joined = '","'.join(values)
    if joined.count('"') != 2 * (len(values) - 1):
        joined = '","'.join(value.replace('"', '""') for value in values)
    return f'"{joined}"\r\n'


def encoded(lines: Iterable[str]) -> bytes:
    """The bytes of some records; characters that cp1252 lacks are lost on the way out and show as `?` (sources 2.3)."""
    return "".join(lines).encode("cp1252", errors="replace")


def tombstone(table: str, row_id: int, visible_to: str) -> tuple[str, ...]:
    """A deleted row: key, view and flag survive; everything else, the patient too, is blank."""
    blanks = ("",) * (len(COLUMNS[table]) - 3)
    return (str(row_id), visible_to, *blanks, "1")
