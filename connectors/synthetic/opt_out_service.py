"""A local stand-in for the national opt-out check: it answers the requests in its mailbox at a message exchange.

It behaves as the national service does: numbers that may be used come back in the same form, and a request with one
invalid number is refused whole with a line of text (governance OPT-3).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from domain.identifiers import parse_nhs_number

if TYPE_CHECKING:
    from mesh_client import MeshClient

_REFUSAL = b"ERROR: the file contains an invalid NHS number and was not processed"


def answer_requests(
    client: MeshClient, opted_out: Collection[str], recipient: str, workflow: str, invalid: Collection[str] = ()
) -> int:
    """Answer every request that waits in the service's mailbox; returns how many.

    `opted_out` are the numbers of people who opted out; `invalid` are those the national record no longer knows.
    """
    answered = 0
    for message_id in client.list_messages():
        message = client.retrieve_message(message_id)
        numbers = [line.rstrip(",") for line in message.read().decode("ascii").splitlines()]
        bad = [n for n in numbers if n in invalid or parse_nhs_number(n, allow_test_range=True).number is None]
        allowed = "".join(f"{number},\n" for number in numbers if number not in opted_out).encode("ascii")
        client.send_message(
            recipient, _REFUSAL if bad else allowed, workflow_id=workflow, filename=message.mex_header("filename"),
            local_id=message.mex_header("localid"), subject="opt-out check",
        )  # fmt: skip
        client.acknowledge_message(message_id)
        answered += 1
    return answered
