"""What becomes of a file that arrived: it is looked at, and what was looked at is kept where nobody can replace it.

The content is read once, in full, and the bytes that passed are the bytes that are written to their place, under a key
that ends with their hash. Whatever happens in quarantine after it was read, and whoever else looks at the same upload
at the same time, the row names one content, and that one passed. A worker that dies between the write and the commit
leaves a file that no row names; the next look writes the same again, or removal takes it away.
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
from chalicelib.backing.database import Record
from chalicelib.backing.log import count
from chalicelib.backing.scanner import scanner
from chalicelib.backing.settings import settings
from chalicelib.entry.messages import SideEffect
from chalicelib.features.forms.attachments import queries, rules
from chalicelib.features.forms.attachments import type_rules as types
from chalicelib.features.forms.attachments.models import form_attachments
from chalicelib.features.forms.attachments.rules import AttachmentStatus
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import NotFound, TooLarge

QUEUE = "uploads"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at an upload found: what is wrong with it, or the hash of the content that was kept."""

    problem: str | None
    sha256: str | None = None
    scanned_by: str | None = None


def arrived(scope: Scope, attachment_id: UUID) -> SideEffect | None:
    """Look at an upload, unless that was done; whatever is left of it in quarantine goes."""
    row = queries.find_attachment(scope, attachment_id)
    if row is None or row["status"] != AttachmentStatus.PENDING:
        return _clear(scope, row, attachment_id)
    return SideEffect(partial(look, dict(row)), lambda after, finding: _settle_and_clear(after, attachment_id, finding))


def confirm(scope: Scope, row: Record) -> Record:
    """Look at an upload now, where nobody told us of it yet, and give the attachment as it is then."""
    if row["status"] != AttachmentStatus.PENDING:
        return row
    finding = look(row)
    if finding is None:
        return row
    settle(scope, row["id"], finding)
    scope.send(QUEUE, [{"attachment_id": str(row["id"])}])  # clears the quarantine, after the commit
    return {**row, **(queries.find_attachment(scope, row["id"]) or {})}


def look(row: Record) -> Finding | None:
    """Read an upload and keep it where nothing is wrong with it; None where nothing has arrived."""
    tenant_id, attachment_id = row["tenant_id"], row["id"]
    try:
        data = files.get(tenant_id, rules.quarantine_key(tenant_id, attachment_id), at_most=row["size_bytes"])
    except NotFound:
        return None
    except TooLarge:
        return Finding(f"it has more than the {row['size_bytes']:,} bytes that were announced")
    problem = types.problem_of_content(data, content_type=row["content_type"], size_bytes=row["size_bytes"])
    if problem is None and (malware := scanner().scan(data)):
        problem = f"the virus scanner found {malware}"
    if problem:
        return Finding(problem)
    sha256 = hashlib.sha256(data).hexdigest()
    files.put(
        tenant_id,
        rules.clean_key(tenant_id, attachment_id, sha256),
        data,
        content_type=row["content_type"],
        metadata={"sha256": sha256},
    )
    return Finding(None, sha256, settings().scanner)


def settle(scope: Scope, attachment_id: UUID, finding: Finding) -> bool:
    """Note what was found, if this look is the first that says so."""
    to = AttachmentStatus.REFUSED if finding.problem else AttachmentStatus.CLEAN
    values: Mapping[str, Any] = {
        "status": to,
        "problem": finding.problem,
        "sha256": finding.sha256,
        "scanned_by": finding.scanned_by,
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


def _settle_and_clear(scope: Scope, attachment_id: UUID, finding: Finding | None) -> SideEffect | None:
    if finding is None:
        return None
    settle(scope, attachment_id, finding)
    return _clear(scope, queries.find_attachment(scope, attachment_id), attachment_id)


def _clear(scope: Scope, row: Record | None, attachment_id: UUID) -> SideEffect:
    # removed while we looked at it: then what we kept goes too, because nobody else will come for it
    everything = row is None or row["status"] == AttachmentStatus.REMOVED
    return SideEffect(partial(clear, scope.tenant_id, [attachment_id], everything=everything), lambda *_: None)


def clear(tenant_id: UUID, attachment_ids: Sequence[UUID], *, everything: bool) -> None:
    """Delete what lies in quarantine, or all that there is of some attachments."""
    keys = [rules.quarantine_key(tenant_id, attachment_id) for attachment_id in attachment_ids]
    if everything:
        for attachment_id in attachment_ids:
            keys += files.list_keys(tenant_id, rules.clean_folder(tenant_id, attachment_id))
    files.delete(tenant_id, keys)
