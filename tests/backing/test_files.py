"""Files in S3: encrypted, private, under their tenant's own keys, downloaded by links that last five minutes."""

import base64
import json
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
    """Return an error as S3 does."""
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "PutObject")


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

    def test_rejects_requests_without_credentials(self, s3: Any) -> None:
        acl = s3.get_object_acl(Bucket=BUCKET, Key=put())
        assert [grant["Grantee"]["Type"] for grant in acl["Grants"]] == ["CanonicalUser"]

    def test_may_be_repeated(self, s3: Any) -> None:
        assert put() == put()
        assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1

    def test_refuses_a_key_of_another_tenant(self) -> None:
        with pytest.raises(ValueError, match="another tenant"):
            files.put(ZENITH, put(), b"", content_type="text/csv", metadata={})

    @pytest.mark.parametrize(
        ("failure", "expected"),
        [(EndpointConnectionError(endpoint_url="x"), Busy), (failing("SlowDown", 503), Busy),
         (failing("AccessDenied", 403), ClientError)],
    )  # fmt: skip
    def test_says_that_files_cannot_be_reached_and_keeps_a_missing_permission_our_own_failure(
        self, failure: Exception, expected: type[Exception]
    ) -> None:
        with mock.patch.object(files.client(), "put_object", side_effect=failure), pytest.raises(expected):
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
        link = files.make_download_link(ACME, put(), name='Acme "Ltd"/November\r\n2026.xml', now=NOW)
        query = parse_qs(urlsplit(link.url).query)
        assert link.expires_at == datetime(2026, 11, 21, 8, 5, tzinfo=UTC)
        assert query["X-Amz-Expires"] == ["300"]
        assert query["response-content-disposition"] == ['attachment; filename="Acme-Ltd-November-2026.xml"']
        assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]

    def test_is_what_s3_answers_to(self) -> None:
        import requests

        answer = requests.get(files.make_download_link(ACME, put(), name="batch.xml", now=NOW).url, timeout=5)
        assert answer.content == b"<Document/>"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="batch.xml"'

    def test_refuses_a_key_of_another_tenant(self) -> None:
        with pytest.raises(ValueError, match="another tenant"):
            files.make_download_link(ZENITH, put(), name="batch.xml", now=NOW)


class TestSafeName:
    @pytest.mark.parametrize(
        ("name", "safe"),
        [("batch-7.xml", "batch-7.xml"), ("রহিম", "file"), ("../../etc/passwd", "etc-passwd"), ("", "file"),
         ("a" * 200, "a" * 100), ("-x; y=1", "x-y-1")],
    )  # fmt: skip
    def test_keeps_only_what_every_system_takes(self, name: str, safe: str) -> None:
        assert files.safe_name(name) == safe
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", files.safe_name(name))


class TestFormTo:
    def form(self) -> files.Upload:
        key = files.key_of(ACME, "quarantine", "42")
        return files.make_upload_form(ACME, key, content_type="application/pdf", size_bytes=1234, now=NOW)

    def test_fixes_key_size_type_and_encryption_and_ends_after_fifteen_minutes(self) -> None:
        form = self.form()
        policy = json.loads(base64.b64decode(form.fields["policy"]))
        key = "tenants/00000000-0000-7000-8000-00000000000a/quarantine/42"
        fixed: dict[str, str] = {}
        for one in policy["conditions"]:
            fixed |= one if isinstance(one, dict) else {}
        assert [one for one in policy["conditions"] if isinstance(one, list)] == [["content-length-range", 1234, 1234]]
        assert (fixed["bucket"], fixed["key"]) == (BUCKET, key)
        assert fixed["Content-Type"] == "application/pdf"
        assert fixed["x-amz-server-side-encryption"] == "aws:kms"
        assert fixed["tagging"] == files.UNCHECKED
        # every field that travels is fixed, or S3 would refuse the upload
        assert set(form.fields) - {"policy", "x-amz-signature"} == set(fixed) - {"bucket"}
        assert {name: form.fields[name] for name in fixed if name != "bucket"} == {
            name: value for name, value in fixed.items() if name != "bucket"
        }
        assert form.expires_at == datetime(2026, 11, 21, 8, 15, tzinfo=UTC)
        left = datetime.fromisoformat(policy["expiration"]) - datetime.now(UTC)
        assert 14 * 60 < left.total_seconds() <= 15 * 60

    def test_is_what_s3_takes_a_file_by(self) -> None:
        import requests

        form = self.form()
        answer = requests.post(form.url, data=form.fields, files={"file": b"%PDF-1.7"}, timeout=5)
        assert answer.status_code == 204
        assert files.get(ACME, form.fields["key"], at_most=100) == b"%PDF-1.7"

    def test_refuses_a_key_of_another_tenant(self) -> None:
        key = files.key_of(ACME, "quarantine", "42")
        with pytest.raises(ValueError, match="another tenant"):
            files.make_upload_form(ZENITH, key, content_type="application/pdf", size_bytes=1, now=NOW)


class TestDelete:
    def test_removes_files_and_does_not_mind_those_that_are_gone(self, s3: Any) -> None:
        kept = put(key=files.key_of(ACME, "kept"))
        gone = [put(key=files.key_of(ACME, f"gone-{number}")) for number in range(3)]
        files.delete(ACME, [*gone, files.key_of(ACME, "never")])
        files.delete(ACME, gone)
        files.delete(ACME, [])
        assert [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == [kept]

    def test_refuses_a_key_of_another_tenant_and_deletes_nothing(self) -> None:
        key = put()
        with pytest.raises(ValueError, match="another tenant"):
            files.delete(ZENITH, [files.key_of(ZENITH, "mine"), key])
        assert files.get(ACME, key, at_most=100)

    def test_says_that_some_were_kept(self) -> None:
        kept = {"Errors": [{"Key": "x", "Code": "InternalError"}]}
        with (
            mock.patch.object(files.client(), "delete_objects", return_value=kept),
            pytest.raises(Busy, match="1 file"),
        ):
            files.delete(ACME, [files.key_of(ACME, "x")])


class TestKeysUnder:
    def test_lists_one_folder_and_no_other_whose_name_begins_alike(self) -> None:
        mine = [put(key=files.key_of(ACME, "attachments", "4", part)) for part in ("a", "b")]
        put(key=files.key_of(ACME, "attachments", "42", "a"))
        assert files.list_keys(ACME, files.key_of(ACME, "attachments", "4")) == mine
        assert files.list_keys(ACME, files.key_of(ACME, "attachments", "5")) == []

    def test_refuses_a_folder_of_another_tenant(self) -> None:
        with pytest.raises(ValueError, match="another tenant"):
            files.list_keys(ZENITH, files.key_of(ACME, "attachments"))
