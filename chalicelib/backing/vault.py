"""Envelope encryption: a value that is encrypted for one row of one tenant can be decrypted nowhere else.

A value is encrypted with AES-256-GCM under its tenant's data key and bound to its row (associated data): a ciphertext
copied to another row, table or tenant cannot be decrypted. KMS encrypts ("wraps") the data key, in an encryption
context that names the tenant; `tenant_keys` has only wrapped keys. A decrypted data key stays in memory for minutes,
so that decrypting a thousand rows asks KMS once.

Without KMS_KEY_ID a key from the environment wraps the data keys (LOCAL_VAULT_KEY): for development and tests.
"""

import base64
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, text

from chalicelib.backing.rows import first
from chalicelib.backing.settings import settings
from chalicelib.kernel.errors import Busy

FORMAT = b"\x01"  # version of the layout of an encrypted value: this byte, the nonce, the ciphertext with its tag
NONCE = 12  # bytes
KEPT_FOR = 300.0  # seconds
MOST_KEPT = 256  # keys in memory: one or two of each tenant that a process serves within KEPT_FOR
REMEDY = "make one with `openssl rand -base64 32`"


class Undecryptable(RuntimeError):
    """A value cannot be decrypted: it was altered or moved, or its key is wrong. Names the row, never the value."""


@dataclass(frozen=True, slots=True)
class EncryptedValue:
    """A ciphertext, and the tenant's data key that decrypts it."""

    key_id: UUID
    data: bytes


@dataclass(frozen=True, slots=True)
class _KeyRow:
    """A tenant's data key as it is stored, wrapped."""

    id: UUID
    wrapped: bytes


@dataclass(slots=True)
class _KeyCache:
    """Decrypted data keys by tenant and id: each for KEPT_FOR at most, and no more than MOST_KEPT."""

    kept: dict[tuple[UUID, UUID], tuple[float, bytes]] = field(default_factory=dict, repr=False)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, tenant_id: UUID, key_id: UUID) -> bytes | None:
        with self.lock:
            self._forget()
            return cached[1] if (cached := self.kept.get((tenant_id, key_id))) else None

    def keep(self, tenant_id: UUID, key_id: UUID, key: bytes) -> bytes:
        with self.lock:
            self.kept.setdefault((tenant_id, key_id), (time.monotonic() + KEPT_FOR, key))
            self._forget()
        return key

    def clear(self) -> None:
        with self.lock:
            self.kept.clear()

    def _forget(self) -> None:
        # all live equally long, so the oldest expires first
        while self.kept and (len(self.kept) > MOST_KEPT or next(iter(self.kept.values()))[0] <= time.monotonic()):
            del self.kept[next(iter(self.kept))]


_key_cache = _KeyCache()


def encrypt(session: Connection, plain: bytes, *, tenant_id: UUID, table: str, row_id: UUID) -> EncryptedValue:
    """Encrypt a value for one row, under the tenant's newest data key; the first use makes the key."""
    key_id, key = _newest_key(session, tenant_id)
    nonce = os.urandom(NONCE)
    return EncryptedValue(
        key_id, FORMAT + nonce + AESGCM(key).encrypt(nonce, plain, _associated_data(tenant_id, table, row_id))
    )


def decrypt(session: Connection, encrypted: EncryptedValue, *, tenant_id: UUID, table: str, row_id: UUID) -> bytes:
    """Decrypt a value of this row. Raises Undecryptable, or Busy while KMS cannot be reached."""
    key = _key_cache.find(tenant_id, encrypted.key_id) or _fetch_key(session, tenant_id, encrypted.key_id)
    form, nonce, rest = encrypted.data[:1], encrypted.data[1 : 1 + NONCE], encrypted.data[1 + NONCE :]
    if form == FORMAT:
        try:
            return AESGCM(key).decrypt(nonce, rest, _associated_data(tenant_id, table, row_id))
        except (InvalidTag, ValueError):
            pass
    raise Undecryptable(f"{table} {row_id} of tenant {tenant_id} does not open under its key {encrypted.key_id}.")


def rotate(session: Connection, *, tenant_id: UUID) -> UUID:
    """Make a data key that encrypts from now on, and return its id. Older values stay under their own keys."""
    _advisory_lock(session, tenant_id)
    return _create_key(session, tenant_id)[0]


@cache
def kms() -> Any:
    """Return the process's KMS client, which gives up early: callers wait with rows locked."""
    import boto3
    from botocore.config import Config

    return boto3.client("kms", config=Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 3}))


def _newest_key(session: Connection, tenant_id: UUID) -> tuple[UUID, bytes]:
    """Return the tenant's newest data key with its id; make the first one."""
    if (row := _newest_row(session, tenant_id)) is None:
        _advisory_lock(session, tenant_id)
        row = _newest_row(session, tenant_id)  # another transaction's, which we waited for
    if row is None:
        return _create_key(session, tenant_id)
    return row.id, _key_cache.find(tenant_id, row.id) or _unwrap_row(tenant_id, row)


def _newest_row(session: Connection, tenant_id: UUID) -> _KeyRow | None:
    """Return the data key that encrypts now, still wrapped, or None for a tenant without one."""
    return first(
        _KeyRow,
        session.execute(
            text("select id, wrapped from tenant_keys where tenant_id = :tenant_id order by id desc limit 1"),
            {"tenant_id": tenant_id},
        ),
    )


def _fetch_key(session: Connection, tenant_id: UUID, key_id: UUID) -> bytes:
    """Read a data key of the tenant by its id and decrypt it. Raises Undecryptable."""
    row = first(
        _KeyRow,
        session.execute(
            text("select id, wrapped from tenant_keys where tenant_id = :tenant_id and id = :key_id"),
            {"tenant_id": tenant_id, "key_id": key_id},
        ),
    )
    if row is None:
        raise Undecryptable(f"Tenant {tenant_id} has no data key {key_id}.")
    return _unwrap_row(tenant_id, row)


def _unwrap_row(tenant_id: UUID, row: _KeyRow) -> bytes:
    """Decrypt a stored data key and keep it in memory. Raises Undecryptable."""
    try:
        key = _unwrap(tenant_id, bytes(row.wrapped))
    except InvalidTag:
        raise Undecryptable(
            f"The data key {row.id} of tenant {tenant_id} cannot be unwrapped: it was altered, or wrapped by another"
            " key. Set KMS_KEY_ID (or LOCAL_VAULT_KEY) to the key that wrapped it."
        ) from None
    return _key_cache.keep(tenant_id, row.id, key)


def _create_key(session: Connection, tenant_id: UUID) -> tuple[UUID, bytes]:
    """Make and store a data key of the tenant; return its id and the key."""
    key, wrapped = _generate_key(tenant_id)
    key_id: UUID = session.execute(
        text("insert into tenant_keys (tenant_id, wrapped) values (:tenant_id, :wrapped) returning id"),
        {"tenant_id": tenant_id, "wrapped": wrapped},
    ).scalar_one()
    return key_id, _key_cache.keep(tenant_id, key_id, key)


def _advisory_lock(session: Connection, tenant_id: UUID) -> None:
    # one transaction at a time makes a tenant's keys, or two first uses would each make one
    session.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"{tenant_id}/tenant_keys"}
    )


def _associated_data(tenant_id: UUID, table: str, row_id: UUID) -> bytes:
    return f"{tenant_id}/{table}/{row_id}".encode()


def _encryption_context(tenant_id: UUID) -> dict[str, str]:
    return {"tenant_id": str(tenant_id)}


def _generate_key(tenant_id: UUID) -> tuple[bytes, bytes]:
    """Make a data key; return it in the clear, and wrapped."""
    if key_id := settings().kms_key_id:
        with _translate_errors():
            generated = kms().generate_data_key(
                KeyId=key_id, KeySpec="AES_256", EncryptionContext=_encryption_context(tenant_id)
            )
        return generated["Plaintext"], generated["CiphertextBlob"]
    key, nonce = AESGCM.generate_key(256), os.urandom(NONCE)
    return key, nonce + AESGCM(_local_key()).encrypt(nonce, key, str(tenant_id).encode())


def _unwrap(tenant_id: UUID, wrapped: bytes) -> bytes:
    """Decrypt a wrapped data key. Raises InvalidTag where it was not wrapped by our key for this tenant."""
    if key_id := settings().kms_key_id:
        with _translate_errors():
            # the key is named, so that what another account's key wrapped is refused
            answer = kms().decrypt(
                KeyId=key_id, CiphertextBlob=wrapped, EncryptionContext=_encryption_context(tenant_id)
            )
        return bytes(answer["Plaintext"])
    return AESGCM(_local_key()).decrypt(wrapped[:NONCE], wrapped[NONCE:], str(tenant_id).encode())


def _local_key() -> bytes:
    """Return the wrapping key of development and tests. Raises RuntimeError, with the remedy, if there is none."""
    encoded = settings().local_vault_key
    if not encoded:
        raise RuntimeError(
            "Nothing is there to encrypt bank details with: set KMS_KEY_ID to a KMS key, as in AWS; or for development"
            f" and tests LOCAL_VAULT_KEY to 32 random bytes in base64 ({REMEDY})."
        )
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise RuntimeError(f"LOCAL_VAULT_KEY is not 32 bytes in base64; {REMEDY}.")
    return key


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Raise KMS's errors as Busy, or as InvalidTag for what our key did not wrap; others are our own (500)."""
    from botocore.exceptions import ClientError, HTTPClientError
    from botocore.exceptions import ConnectionError as NotConnected

    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("InvalidCiphertextException", "IncorrectKeyException"):
            raise InvalidTag from None
        if code == "ThrottlingException" or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise Busy("The keys of bank details cannot be reached right now; try again in a few seconds.") from error
        raise
    except (HTTPClientError, NotConnected) as error:
        raise Busy("The keys of bank details cannot be reached right now; try again in a few seconds.") from error
