"""The stand-in for AWS forgets everything when it ends, but not the key under which the database's secrets are kept."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from infra.local import aws

CONTEXT = {"tenant_id": "acme"}


@contextmanager
def kms(master_key: str) -> Iterator[tuple[Any, str]]:
    """Start moto and return its KMS client with the key that the application uses."""
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
            data_key = client.generate_data_key(KeyId=key_id, KeySpec="AES_256", EncryptionContext=CONTEXT)
        asked = {"CiphertextBlob": data_key["CiphertextBlob"], "EncryptionContext": CONTEXT}
        with kms(master_key) as (client, key_id):
            assert client.decrypt(KeyId=key_id, **asked)["Plaintext"] == data_key["Plaintext"]
        with (
            kms(secrets.token_hex(32)) as (client, key_id),
            pytest.raises(client.exceptions.InvalidCiphertextException),
        ):
            client.decrypt(KeyId=key_id, **asked)


class TestTellOfUploads:
    def test_says_on_the_queue_what_a_form_uploaded_and_nothing_of_what_was_put(self) -> None:
        with aws.running() as settings:
            endpoint = settings["AWS_ENDPOINT_URL"]
            s3, sqs = aws.client(endpoint, "s3"), aws.client(endpoint, "sqs")
            url = sqs.get_queue_url(QueueName=f"{settings['QUEUE_PREFIX']}uploads")["QueueUrl"]
            assert "s3:TestEvent" in sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"]
            form = s3.generate_presigned_post(settings["FILES_BUCKET"], "tenants/acme/quarantine/1")
            s3.put_object(Bucket=settings["FILES_BUCKET"], Key="tenants/acme/attachments/1", Body=b"put")
            assert requests.post(form["url"], data=form["fields"], files={"file": b"%PDF"}, timeout=5).ok
            messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        [record] = json.loads(messages[0]["Body"])["Records"]
        assert len(messages) == 1
        assert record["eventName"] == "ObjectCreated:Post"
        assert record["s3"]["bucket"]["name"] == settings["FILES_BUCKET"]
        assert record["s3"]["object"]["key"] == "tenants%2Facme%2Fquarantine%2F1"
