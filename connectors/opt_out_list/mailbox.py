"""Our mailbox at the national message exchange (MESH), through the exchange's own client library.

Messages are acknowledged only after what they hold is safely stored (sources hand-book 13): until then they stay in the
mailbox, and a killed run finds them again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from connectors.base import DeliveryProblem, held
from domain.profile import Profile, ProfileError

if TYPE_CHECKING:
    from mesh_client import MeshClient

SERVICE: Final = "opt_out_list"
_TIMEOUT: Final = 60


@dataclass(frozen=True, slots=True)
class MailboxSettings:
    """Where the exchange is and who we are there; secrets come from the environment only."""

    url: str
    mailbox: str
    recipient: str
    request_workflow: str
    answer_workflow: str
    password: str
    shared_key: bytes
    certificate: tuple[str, str] | None  # client certificate and its key
    authority: str | None  # whose certificates we trust

    def __repr__(self) -> str:
        return f"MailboxSettings({self.mailbox})"


@dataclass(frozen=True, slots=True)
class Letter:
    """One message that waits in our mailbox."""

    message_id: str
    local_id: str
    file_name: str
    content: bytes


def settings_of(profile: Profile) -> MailboxSettings:
    """The mailbox of a profile. Raises `ProfileError` naming the setting or the variable that is missing."""
    options = profile.exchange(SERVICE).options
    missing = [name for name in ("url", "mailbox", "recipient") if not options.get(name)]
    if missing:
        raise ProfileError(f"{profile.path}: exchanges.{SERVICE} needs {', '.join(missing)}")
    if not options["url"].startswith("https://") and not profile.synthetic:
        raise ProfileError(f"{profile.path}: exchanges.{SERVICE}.url must begin with https://")
    certificate = options.get("certificate"), options.get("certificate_key")
    return MailboxSettings(
        url=options["url"],
        mailbox=options["mailbox"],
        recipient=options["recipient"],
        request_workflow=options.get("request_workflow", "SPINE_NTT_UPHOLDING"),
        answer_workflow=options.get("answer_workflow", "SPINE_NTT_UPHOLDING_RESPONSE"),
        password=_secret("ONESTORY_MESH_PASSWORD"),
        shared_key=_secret("ONESTORY_MESH_SHARED_KEY").encode(),
        certificate=(certificate[0], certificate[1]) if certificate[0] and certificate[1] else None,
        authority=options.get("authority"),
    )


class Mailbox:
    """Sends requests and reads answers; use `open_mailbox`."""

    def __init__(self, client: MeshClient, settings: MailboxSettings) -> None:
        self._client, self._settings = client, settings

    def send(self, file_name: str, local_id: str, content: bytes) -> str:
        """Send one request; returns the exchange's message id."""
        return str(
            self._client.send_message(
                self._settings.recipient, content, workflow_id=self._settings.request_workflow, filename=file_name,
                local_id=local_id, subject=f"OneStory {local_id}", content_type="application/octet-stream",
            )
        )  # fmt: skip

    def letters(self) -> Iterator[Letter]:
        """The answers that wait, oldest first; they stay until acknowledged."""
        for message_id in self._client.list_messages(workflow_filter=self._settings.answer_workflow):
            message = self._client.retrieve_message(message_id)
            yield Letter(
                message_id,
                str(message.mex_header("localid", "") or ""),
                str(message.mex_header("filename", "") or ""),
                message.read(),
            )

    def acknowledge(self, letter: Letter) -> None:
        """Take a letter out of the mailbox, once what it says is stored."""
        self._client.acknowledge_message(letter.message_id)


@contextmanager
def open_mailbox(settings: MailboxSettings) -> Iterator[Mailbox]:
    """The open mailbox.

    Raises:
        DeliveryProblem: held, when the exchange cannot be reached or does not let us in (F57); retried by the next run.
    """
    import requests
    from mesh_client import MeshClient, MeshError

    try:
        with MeshClient(
            settings.url, settings.mailbox, settings.password, shared_key=settings.shared_key,
            cert=settings.certificate, verify=settings.authority, timeout=_TIMEOUT, max_retries=2,
            application_name="OneStory",
        ) as client:  # fmt: skip
            client.handshake()
            yield Mailbox(client, settings)
    except (requests.RequestException, MeshError) as problem:
        raise _unreachable(problem) from None


def _unreachable(problem: Exception) -> DeliveryProblem:
    status = getattr(getattr(problem, "response", None), "status_code", None)
    if status in (400, 401, 403):
        return held(
            "MESH_REFUSED", "the message exchange does not accept our sign-in", "renew password, key or certificate"
        )
    return held("MESH_SILENT", "the message exchange does not answer", "nothing is lost; the next run tries again")


def _secret(name: str) -> str:
    value = os.environ.get(name)
    if value is None and (file := os.environ.get(f"{name}_FILE")):
        value = Path(file).read_text(encoding="utf-8").strip()
    if not value:
        raise ProfileError(f"the environment variable {name} (or {name}_FILE) is not set")
    return value
