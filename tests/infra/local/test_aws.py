"""The stand-in for AWS forgets everything when it ends, but not the key under which the database's secrets are kept."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from infra.local import aws

CONTEXT = {"tenant_id": "acme"}


@contextmanager
def kms(master_key: str) -> Iterator[tuple[Any, str]]:
    """This will start the stand-in and give its KMS with the key that the application is told."""
    moto = aws.start(master_key=master_key)
    try:
        settings = moto.settings()
        yield aws.client(settings["AWS_ENDPOINT_URL"], "kms"), settings["KMS_KEY_ID"]
    finally:
        moto.stop()


class TestMasterKey:
    def test_opens_after_a_restart_what_it_wrapped_before(self) -> None:
        master_key = secrets.token_hex(32)
        with kms(master_key) as (client, key_id):
            made = client.generate_data_key(KeyId=key_id, KeySpec="AES_256", EncryptionContext=CONTEXT)
        asked = {"CiphertextBlob": made["CiphertextBlob"], "EncryptionContext": CONTEXT}
        with kms(master_key) as (client, key_id):
            assert client.decrypt(KeyId=key_id, **asked)["Plaintext"] == made["Plaintext"]
        with (
            kms(secrets.token_hex(32)) as (client, key_id),
            pytest.raises(client.exceptions.InvalidCiphertextException),
        ):
            client.decrypt(KeyId=key_id, **asked)
