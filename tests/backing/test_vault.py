"""Envelope encryption: a value is decrypted in its own row, under its own tenant's key, and nowhere else."""

import base64
import threading
from collections.abc import Iterator
from typing import Any
from unittest import mock
from uuid import UUID

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from moto import mock_aws

from chalicelib.backing import vault
from chalicelib.backing.database import transaction
from chalicelib.backing.settings import settings
from chalicelib.kernel.errors import Busy
from tests.support.cast import Cast, tenant
from tests.support.people import sql

ROW = UUID("00000000-0000-7000-8000-0000000000a1")
OTHER_ROW = UUID("00000000-0000-7000-8000-0000000000a2")
NUMBER = b"DE89370400440532013000"
OTHER_KEY = base64.b64encode(b"x" * 32).decode()

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(name="acme")
def _acme() -> Cast:
    return tenant("Acme")


@pytest.fixture(name="zenith")
def _zenith() -> Cast:
    return tenant("Zenith")


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    """Keep keys, settings and clients of one test from the next."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    vault._key_cache.clear()
    vault.kms.cache_clear()
    settings.cache_clear()


@pytest.fixture(name="kms")
def _kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Replace the local key by moto's KMS."""
    with mock_aws():
        client = boto3.client("kms")
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/test", TargetKeyId=key_id)
        use(monkeypatch, KMS_KEY_ID="alias/test", LOCAL_VAULT_KEY="")
        yield client


def use(monkeypatch: pytest.MonkeyPatch, **settings_by_name: str) -> None:
    """Change settings, as a new process would read them."""
    for name, value in settings_by_name.items():
        monkeypatch.setenv(name, value)
    _forget()


def encrypt(cast: Cast, plain: bytes = NUMBER, *, table: str = "accounts", row_id: UUID = ROW) -> vault.EncryptedValue:
    with transaction(tenant_id=cast.id) as session:
        return vault.encrypt(session, plain, tenant_id=cast.id, table=table, row_id=row_id)


def decrypt(cast: Cast, encrypted: vault.EncryptedValue, *, table: str = "accounts", row_id: UUID = ROW) -> bytes:
    with transaction(tenant_id=cast.id) as session:
        return vault.decrypt(session, encrypted, tenant_id=cast.id, table=table, row_id=row_id)


def rotate(cast: Cast) -> UUID:
    with transaction(tenant_id=cast.id) as session:
        return vault.rotate(session, tenant_id=cast.id)


def keys(cast: Cast) -> list[Any]:
    return [row.id for row in sql(cast, "select id from tenant_keys order by id")]


class TestEncrypt:
    def test_hides_and_opens_in_its_row(self, acme: Cast) -> None:
        encrypted = encrypt(acme)
        assert decrypt(acme, encrypted) == NUMBER
        for part in (NUMBER, NUMBER[:4], NUMBER[-4:]):
            assert part not in encrypted.data
        assert len(encrypted.data) == 1 + 12 + 22 + 16  # form, nonce, as many bytes as came in, tag

    def test_never_makes_the_same_of_the_same(self, acme: Cast) -> None:
        assert encrypt(acme).data != encrypt(acme).data

    def test_makes_one_key_for_each_tenant(self, acme: Cast, zenith: Cast) -> None:
        assert encrypt(acme).key_id == encrypt(acme, row_id=OTHER_ROW).key_id
        assert encrypt(zenith).key_id != encrypt(acme).key_id
        assert (len(keys(acme)), len(keys(zenith))) == (1, 1)

    def test_makes_one_key_where_two_begin_at_once(self, acme: Cast) -> None:
        values: list[vault.EncryptedValue] = []
        with transaction(tenant_id=acme.id) as session:
            values.append(vault.encrypt(session, NUMBER, tenant_id=acme.id, table="accounts", row_id=ROW))
            other = threading.Thread(target=lambda: values.append(encrypt(acme)))
            other.start()
            other.join(0.2)
            assert other.is_alive()  # it waits for us
        other.join(5)
        assert values[0].key_id == values[1].key_id
        assert len(keys(acme)) == 1

    def test_keeps_the_key_wrapped(self, acme: Cast) -> None:
        key_id = encrypt(acme).key_id
        wrapped = bytes(sql(acme, "select wrapped from tenant_keys")[0].wrapped)
        plain = vault._key_cache.find(acme.id, key_id)
        assert plain is not None
        assert len(plain) == 32
        assert plain not in wrapped

    def test_is_undone_with_its_transaction(self, acme: Cast) -> None:
        with transaction(tenant_id=acme.id) as session:
            vault.encrypt(session, NUMBER, tenant_id=acme.id, table="accounts", row_id=ROW)
            session.rollback()
        assert keys(acme) == []
        assert decrypt(acme, encrypt(acme)) == NUMBER


class TestUnseal:
    def test_refuses_another_row_table_and_tenant(self, acme: Cast, zenith: Cast) -> None:
        encrypted = encrypt(acme)
        for moved in ({"row_id": OTHER_ROW}, {"table": "others"}):
            with pytest.raises(vault.Undecryptable, match="does not open"):
                decrypt(acme, encrypted, **moved)
        with pytest.raises(vault.Undecryptable, match="has no data key"):
            decrypt(zenith, encrypted)
        with pytest.raises(vault.Undecryptable, match="does not open"):
            decrypt(zenith, vault.EncryptedValue(encrypt(zenith).key_id, encrypted.data))

    def test_refuses_a_key_that_was_carried_over_from_another_tenant(self, acme: Cast, zenith: Cast) -> None:
        encrypted = encrypt(acme)
        wrapped = sql(acme, "select wrapped from tenant_keys")[0].wrapped
        sql(
            zenith,
            "insert into tenant_keys (tenant_id, id, wrapped) values (:tenant_id, :id, :wrapped)",
            tenant_id=zenith.id,
            id=encrypted.key_id,
            wrapped=wrapped,
        )
        with pytest.raises(vault.Undecryptable, match="cannot be unwrapped"):
            decrypt(zenith, encrypted)

    @pytest.mark.parametrize("place", [0, 1, 12, 13, 30, -1])
    def test_refuses_what_was_altered_anywhere(self, acme: Cast, place: int) -> None:
        encrypted = encrypt(acme)
        data = bytearray(encrypted.data)
        data[place] ^= 1
        with pytest.raises(vault.Undecryptable):
            decrypt(acme, vault.EncryptedValue(encrypted.key_id, bytes(data)))

    @pytest.mark.parametrize("data", [b"", b"\x01", b"\x01" + b"x" * 12, b"\x01" + b"x" * 20])
    def test_refuses_what_is_too_short(self, acme: Cast, data: bytes) -> None:
        with pytest.raises(vault.Undecryptable):
            decrypt(acme, vault.EncryptedValue(encrypt(acme).key_id, data))

    def test_says_where_and_never_what(self, acme: Cast) -> None:
        encrypted = encrypt(acme)
        with pytest.raises(vault.Undecryptable) as raised:
            decrypt(acme, encrypted, row_id=OTHER_ROW)
        assert str(OTHER_ROW) in str(raised.value)
        assert NUMBER.decode() not in str(raised.value)

    def test_unwraps_a_key_once_in_five_minutes(self, acme: Cast) -> None:
        encrypted = encrypt(acme)
        vault._key_cache.clear()
        with mock.patch.object(vault, "_unwrap", wraps=vault._unwrap) as unwrapped:
            with mock.patch.object(vault.time, "monotonic", return_value=1000.0):
                for _ in range(3):
                    decrypt(acme, encrypted)
            with mock.patch.object(vault.time, "monotonic", return_value=1299.9):
                decrypt(acme, encrypted)
            assert unwrapped.call_count == 1
            with mock.patch.object(vault.time, "monotonic", return_value=1300.0):
                assert vault._key_cache.find(acme.id, encrypted.key_id) is None
                decrypt(acme, encrypted)
            assert unwrapped.call_count == 2

    def test_keeps_no_more_keys_than_it_says(self, acme: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(vault, "MOST_KEPT", 2)
        key_ids = [rotate(acme) for _ in range(3)]
        assert [vault._key_cache.find(acme.id, key_id) is not None for key_id in key_ids] == [False, True, True]


class TestRotate:
    def test_seals_anew_and_still_opens_the_old(self, acme: Cast, zenith: Cast) -> None:
        others, before = encrypt(zenith), encrypt(acme)
        key_id = rotate(acme)
        after = encrypt(acme, row_id=OTHER_ROW)
        assert (after.key_id, keys(acme)) == (key_id, [before.key_id, key_id])
        vault._key_cache.clear()
        assert decrypt(acme, before) == decrypt(acme, after, row_id=OTHER_ROW) == NUMBER
        assert encrypt(zenith).key_id == others.key_id

    def test_opens_nothing_under_the_wrong_one_of_two_keys(self, acme: Cast) -> None:
        before = encrypt(acme)
        with pytest.raises(vault.Undecryptable):
            decrypt(acme, vault.EncryptedValue(rotate(acme), before.data))


class TestLocalKey:
    def test_that_is_another_opens_nothing_and_says_the_remedy(
        self, acme: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        encrypted = encrypt(acme)
        use(monkeypatch, LOCAL_VAULT_KEY=OTHER_KEY)
        with pytest.raises(vault.Undecryptable, match="Set KMS_KEY_ID"):
            decrypt(acme, encrypted)

    @pytest.mark.parametrize(("local_key", "remedy"), [
        ("", "set KMS_KEY_ID to a KMS key"), ("short", "openssl rand -base64 32"), ("é", "openssl rand -base64 32"),
        (base64.b64encode(b"x" * 31).decode(), "openssl rand -base64 32"),
    ])  # fmt: skip
    def test_that_is_missing_or_none_is_said_with_its_remedy(
        self, acme: Cast, monkeypatch: pytest.MonkeyPatch, local_key: str, remedy: str
    ) -> None:
        use(monkeypatch, LOCAL_VAULT_KEY=local_key)
        with pytest.raises(RuntimeError, match=remedy):
            encrypt(acme)


class TestKms:
    def test_wraps_the_key_for_its_tenant_only(self, acme: Cast, zenith: Cast, kms: Any) -> None:
        encrypted = encrypt(acme)
        vault._key_cache.clear()
        assert decrypt(acme, encrypted) == NUMBER
        wrapped = bytes(sql(acme, "select wrapped from tenant_keys")[0].wrapped)
        plain = kms.decrypt(CiphertextBlob=wrapped, EncryptionContext={"tenant_id": str(acme.id)})["Plaintext"]
        bound = f"{acme.id}/accounts/{ROW}".encode()
        assert AESGCM(plain).decrypt(encrypted.data[1:13], encrypted.data[13:], bound) == NUMBER
        for context in ({}, {"tenant_id": str(zenith.id)}):
            with pytest.raises(kms.exceptions.InvalidCiphertextException):
                kms.decrypt(CiphertextBlob=wrapped, EncryptionContext=context)

    def test_refuses_a_key_that_was_carried_over_from_another_tenant(self, acme: Cast, zenith: Cast, kms: Any) -> None:
        encrypted = encrypt(acme)
        wrapped = sql(acme, "select wrapped from tenant_keys")[0].wrapped
        sql(
            zenith,
            "insert into tenant_keys (tenant_id, id, wrapped) values (:tenant_id, :id, :wrapped)",
            tenant_id=zenith.id,
            id=encrypted.key_id,
            wrapped=wrapped,
        )
        with pytest.raises(vault.Undecryptable, match="cannot be unwrapped"):
            decrypt(zenith, encrypted)

    def test_goes_before_a_local_key(self, acme: Cast, kms: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        use(monkeypatch, LOCAL_VAULT_KEY=OTHER_KEY)
        encrypted = encrypt(acme)
        use(monkeypatch, KMS_KEY_ID="")
        with pytest.raises(vault.Undecryptable):
            decrypt(acme, encrypted)

    def test_is_asked_once_for_many_rows(self, acme: Cast, kms: Any) -> None:
        encrypted = [encrypt(acme, row_id=row_id) for row_id in (ROW, OTHER_ROW)]
        vault._key_cache.clear()
        with mock.patch.object(vault.kms(), "decrypt", wraps=vault.kms().decrypt) as asked:
            for one, row_id in zip(encrypted, (ROW, OTHER_ROW), strict=True):
                assert decrypt(acme, one, row_id=row_id) == NUMBER
        assert asked.call_count == 1

    @pytest.mark.parametrize("error", [
        ClientError({"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "x"),
        ClientError({"Error": {"Code": "KMSInternalException"}, "ResponseMetadata": {"HTTPStatusCode": 500}}, "x"),
        EndpointConnectionError(endpoint_url="https://kms"),
    ], ids=["throttled", "broken", "away"])  # fmt: skip
    def test_that_is_away_is_something_to_wait_for(self, acme: Cast, kms: Any, error: Exception) -> None:
        with mock.patch.object(vault.kms(), "generate_data_key", side_effect=error), pytest.raises(Busy):
            encrypt(acme)

    def test_that_forbids_us_is_our_own_failure(self, acme: Cast, kms: Any) -> None:
        error = ClientError(
            {"Error": {"Code": "AccessDeniedException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "x"
        )
        with mock.patch.object(vault.kms(), "generate_data_key", side_effect=error), pytest.raises(ClientError):
            encrypt(acme)
