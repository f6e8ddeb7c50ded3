"""The check of an upload: its content is read once, and what passed is kept where nobody can replace it.

The content is read in full, and the bytes that passed are the bytes that are written to their place, under a key that
ends with their hash. Whatever happens in quarantine after the read, and whichever other worker checks the same upload
at the same time, the row names one content, and that one passed. A worker that dies between the write and the commit
leaves a file that no row names; the next check writes the same again, or removal deletes it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import update

from chalicelib import audit
from chalicelib.backing import files
from chalicelib.backing.log import count
from chalicelib.backing.scanner import scanner
from chalicelib.backing.settings import settings
from chalicelib.delivery.attempts import OutboundDelivery
from chalicelib.entry.messages import SideEffect
from chalicelib.features.forms.attachments import queries, rules
from chalicelib.features.forms.attachments import type_rules as types
from chalicelib.features.forms.attachments.models import form_attachments
from chalicelib.features.forms.attachments.queries import AttachmentRow
from chalicelib.features.forms.attachments.rules import AttachmentStatus
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound, TooLarge

QUEUE = "uploads"


@dataclass(frozen=True, slots=True)
class UploadVerdict:
    """What is wrong with an upload, or the hash of the content that was kept."""

    problem: str | None
    sha256: str | None = None
    scanned_by: str | None = None


class AttachmentCheck(OutboundDelivery[AttachmentRow, AttachmentRow, UploadVerdict | None]):
    """Checks of uploads: reading S3 and the virus scanner, with no transaction open."""

    def load_due(self, scope: Scope, row_id: UUID) -> AttachmentRow | None:
        """Return an attachment that is not checked yet, or None."""
        row = queries.find_attachment(scope, row_id)
        return row if row is not None and row.status == AttachmentStatus.PENDING else None

    def prepare(self, scope: Scope, row: AttachmentRow) -> AttachmentRow:
        """Return the row: every pending upload is checked."""
        return row

    def claim(self, scope: Scope, row: AttachmentRow, call: AttachmentRow) -> None:
        """Claim nothing: two workers may check an upload at once, and the first to settle counts.

        So there is no lease to expire, either: a worker that dies leaves its message to the queue, which repeats it.
        """

    def call(self, call: AttachmentRow) -> UploadVerdict | None:
        """Check the upload's content."""
        return check_content(call)

    def settle(self, scope: Scope, call: AttachmentRow, answer: UploadVerdict | None) -> SideEffect | None:
        """Write the outcome, and empty the quarantine; nothing where nothing has arrived."""
        if answer is None:
            return None
        settle(scope, call.id, answer)
        return empty_quarantine(scope, call.id)


CHECKS = AttachmentCheck()


def check_now(scope: Scope, row: AttachmentRow) -> AttachmentRow:
    """Check an upload whose event has not come yet, and return the attachment as it is then."""
    if row.status != AttachmentStatus.PENDING:
        return row
    result = check_content(row)
    if result is None:
        return row
    settle(scope, row.id, result)
    scope.send(QUEUE, [{"attachment_id": str(row.id)}])  # empties the quarantine, after the commit
    return queries.find_attachment(scope, row.id) or row


def check_content(row: AttachmentRow) -> UploadVerdict | None:
    """Read an upload and keep it where nothing is wrong with it; None where nothing has arrived."""
    try:
        data = files.get(row.tenant_id, rules.quarantine_key(row.tenant_id, row.id), at_most=row.size_bytes)
    except NotFound:
        return None
    except TooLarge:
        return UploadVerdict(f"it has more than the {row.size_bytes:,} bytes that were announced")
    problem = types.check_content(data, content_type=row.content_type, size_bytes=row.size_bytes)
    if problem is None and (malware := scanner().scan(data)):
        problem = f"the virus scanner found {malware}"
    if problem:
        return UploadVerdict(problem)
    sha256 = hashlib.sha256(data).hexdigest()
    files.put(
        row.tenant_id,
        rules.clean_key(row.tenant_id, row.id, sha256),
        data,
        content_type=row.content_type,
        metadata={"sha256": sha256},
    )
    return UploadVerdict(None, sha256, settings().scanner)


def settle(scope: Scope, attachment_id: UUID, result: UploadVerdict) -> bool:
    """Write a check's result; False where another check was first, or the attachment is removed."""
    to = AttachmentStatus.REFUSED if result.problem else AttachmentStatus.CLEAN
    values: Mapping[str, Any] = {
        "status": to,
        "problem": result.problem,
        "sha256": result.sha256,
        "scanned_by": result.scanned_by,
    }
    settled = scope.session.execute(
        update(form_attachments)
        .where(
            form_attachments.c.tenant_id == scope.tenant_id,
            form_attachments.c.id == attachment_id,
            form_attachments.c.status.in_([now for now, moves in rules.ATTACHMENT_MOVES.items() if to in moves]),
        )
        .values(**values, checked_at=scope.now)
    )
    if not settled.rowcount:
        return False
    count("Attachments", outcome=to.value)
    audit.record(
        scope,
        action=f"form_attachment.{to}",
        entity_type="form_attachment",
        entity_id=attachment_id,
        before={"status": AttachmentStatus.PENDING},
        after=values,
    )
    return True


def empty_quarantine(scope: Scope, attachment_id: UUID) -> SideEffect:
    """Return the side effect that deletes an upload that was checked.

    Of an attachment that was removed during its check, what the check kept is deleted, too: nobody else would.
    """
    row = queries.find_attachment(scope, attachment_id)
    everything = row is None or row.status == AttachmentStatus.REMOVED
    return SideEffect(partial(delete_files, scope.tenant_id, [attachment_id], everything=everything), lambda *_: None)


def delete_files(tenant_id: UUID, attachment_ids: Sequence[UUID], *, everything: bool) -> None:
    """Delete attachments' uploads in quarantine, or all of their files."""
    keys = [rules.quarantine_key(tenant_id, attachment_id) for attachment_id in attachment_ids]
    if everything:
        for attachment_id in attachment_ids:
            keys += files.list_keys(tenant_id, rules.clean_folder(tenant_id, attachment_id))
    files.delete(tenant_id, keys)
