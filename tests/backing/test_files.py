"""Files in S3: encrypted, private, under their tenant's own keys, read by links that live five minutes."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from chalicelib.backing import files
from chalicelib.backing.settings import settings
from chalicelib.kernel.errors import Busy, NotFound, TooLarge

ACME = UUID("00000000-0000-7000-8000-00000000000a")
ZENITH = UUID("00000000-0000-7000-8000-00000000000b")
BUCKET = "files-of-a-test"
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@pytest.fixture(name="s3", autouse=True)
def _s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("APPLICATION_DATABASE_URL", "postgresql://nowhere")
    monkeypatch.setenv("FILES_BUCKET", BUCKET)
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        settings.cache_clear()
        files.client.cache_clear()
        yield client
    settings.cache_clear()
    files.client.cache_clear()


def put(data: bytes = b"<Document/>", *, key: str | None = None) -> str:
    key = key or files.key_of(ACME, "payout-batches", "42", "batch.xml")
    files.put(ACME, key, data, content_type="application/xml", metadata={"sha256": "abc"})
    return key


def failing(code: str, status: int) -> ClientError:
    """This will be S3's refusal."""
    said: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "PutObject")


class TestKeyOf:
    def test_begins_with_the_tenant(self) -> None:
        assert files.key_of(ACME, "payout-batches", "42", "batch.xml") == (
            "tenants/00000000-0000-7000-8000-00000000000a/payout-batches/42/batch.xml"
        )

    @pytest.mark.parametrize("part", ["", ".", "..", "../x", "a/b", "a b", ".hidden", "é", "x" * 101, "a\n", "-x"])
    def test_takes_no_part_that_could_lead_elsewhere(self, part: str) -> None:
        with pytest.raises(ValueError, match="not a part"):
            files.key_of(ACME, "payout-batches", part)


class TestPut:
    def test_writes_what_get_reads_with_its_type_and_encryption(self, s3: Any) -> None:
        key = put()
        assert files.get(ACME, key, at_most=11) == b"<Document/>"
        head = s3.head_object(Bucket=BUCKET, Key=key)
        assert (head["ContentType"], head["ServerSideEncryption"]) == ("application/xml", "aws:kms")
        assert head["Metadata"] == {"sha256": "abc"}

    def test_lets_nobody_in_without_credentials(self, s3: Any) -> None:
        acl = s3.get_object_acl(Bucket=BUCKET, Key=put())
        assert [grant["Grantee"]["Type"] for grant in acl["Grants"]] == ["CanonicalUser"]

    def test_may_be_repeated(self, s3: Any) -> None:
        assert put() == put()
        assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1

    def test_refuses_a_key_of_another_tenant(self) -> None:
        with pytest.raises(ValueError, match="another tenant"):
            files.put(ZENITH, put(), b"", content_type="text/csv", metadata={})

    @pytest.mark.parametrize(
        ("failure", "told"),
        [(EndpointConnectionError(endpoint_url="x"), Busy), (failing("SlowDown", 503), Busy),
         (failing("AccessDenied", 403), ClientError)],
    )  # fmt: skip
    def test_says_that_files_cannot_be_reached_and_keeps_a_missing_permission_our_own_failure(
        self, failure: Exception, told: type[Exception]
    ) -> None:
        with mock.patch.object(files.client(), "put_object", side_effect=failure), pytest.raises(told):
            put()


class TestGet:
    def test_says_that_a_file_is_gone(self) -> None:
        with pytest.raises(NotFound):
            files.get(ACME, files.key_of(ACME, "never"), at_most=1)

    def test_refuses_more_than_was_asked_for(self) -> None:
        with pytest.raises(TooLarge):
            files.get(ACME, put(), at_most=10)

    def test_refuses_a_key_of_another_tenant(self) -> None:
        with pytest.raises(ValueError, match="another tenant"):
            files.get(ZENITH, put(), at_most=100)


class TestLinkTo:
    def test_opens_the_file_for_five_minutes_under_a_safe_name(self) -> None:
        link = files.link_to(ACME, put(), name='Acme "Ltd"/November\r\n2026.xml', now=NOW)
        query = parse_qs(urlsplit(link.url).query)
        assert link.expires_at == datetime(2026, 11, 21, 8, 5, tzinfo=UTC)
        assert query["X-Amz-Expires"] == ["300"]
        assert query["response-content-disposition"] == ['attachment; filename="Acme-Ltd-November-2026.xml"']
        assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]

    def test_is_what_s3_answers_to(self) -> None:
        import requests

        answer = requests.get(files.link_to(ACME, put(), name="batch.xml", now=NOW).url, timeout=5)
        assert answer.content == b"<Document/>"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="batch.xml"'

    def test_refuses_a_key_of_another_tenant(self) -> None:
        with pytest.raises(ValueError, match="another tenant"):
            files.link_to(ZENITH, put(), name="batch.xml", now=NOW)


class TestSafeName:
    @pytest.mark.parametrize(
        ("said", "made"),
        [("batch-7.xml", "batch-7.xml"), ("রহিম", "file"), ("../../etc/passwd", "etc-passwd"), ("", "file"),
         ("a" * 200, "a" * 100), ("-x; y=1", "x-y-1")],
    )  # fmt: skip
    def test_keeps_only_what_every_system_takes(self, said: str, made: str) -> None:
        assert files.safe_name(said) == made
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", files.safe_name(said))
