"""Bank files from sale to answer: what waits goes into one, the bank's word settles it, and nothing is paid twice."""

import csv
import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit
from uuid import uuid4
from xml.etree import ElementTree

import boto3
import pytest
import sepaxml
import xmlschema

from chalicelib.backing import files, queues
from chalicelib.features.payouts.batches import actions as batch_actions
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.identity.permissions import Role
from infra.local.aws import BUCKET
from tests.support.cast import Cast, key
from tests.support.people import sql
from tests.support.stack import Stack

PAIN = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"
IBANS = ["DE75512108001245126199", "GB33BUKB20201555555555", "FR1420041010050500013M02606"]
PAYER = {"name": "Acme Garments Ltd", "iban": "DE89 3704 0044 0532 0130 00", "bic": "COBADEFFXXX"}
ISO = {"format": "pain.001", "payer": PAYER}
COLUMNS = [
    {"header": "Ref", "value": "reference"},
    {"header": "Account", "value": "account_number"},
    {"header": "Name", "value": "holder"},
    {"header": "Amount", "value": "amount"},
]
OWN = {"format": "delimited", "template": {"columns": COLUMNS}}
CSV = {"headers": {"content-type": "text/csv"}}
XML = {"headers": {"content-type": "application/xml"}}


@pytest.fixture(name="s3")
def _s3(running: Stack) -> Any:
    """Stand in for S3, with the bucket."""
    return boto3.client("s3")


def person(cast: Cast, name: str, *, iban: str | None = None, number: str | None = None) -> str:
    """Make a user with a bank account and a pending sale of 120.00: an advance of 12.00."""
    user_id = str(cast.admin.ok("POST", "/sales/user", {"name": name})["id"])
    to = (
        {"kind": "iban", "holder": name, "iban": iban}
        if iban
        else {"kind": "account", "holder": name, "account_number": number, "bank_code": "175", "country": "BD"}
    )
    cast.admin.ok("PUT", f"/users/{user_id}/payout-destination", to)
    cast.admin.ok("POST", "/sales", {"user_id": user_id, "earning": "120.00"})
    return user_id


def prepared(cast: Cast, *people: str, settings: dict[str, Any] = ISO) -> list[str]:
    """Make people with an IBAN each, and queue a payout of 12.00 for each of them."""
    policy = {"payout_provider": "bank_file", "payout_limits": {"USD": "1000.00"}}
    cast.admin.ok("PATCH", "/tenant", {"policy": policy})
    cast.admin.ok("PUT", "/payouts/bank-file-settings", settings)
    user_ids = [person(cast, name, iban=IBANS[at]) for at, name in enumerate(people)]
    advances(cast)
    return user_ids


def advances(cast: Cast) -> None:
    cast.admin.ok("POST", "/payouts/advance/run", headers=once())


def once() -> dict[str, str]:
    return {"idempotency-key": str(uuid4())}


def batch(cast: Cast, **body: Any) -> dict[str, Any]:
    return dict(cast.hr.ok("POST", "/payouts/batches", body, headers=once()))


def payouts(cast: Cast) -> dict[str, dict[str, Any]]:
    """Return every payout by its person's id, the latest where there are several."""
    return {one["user_id"]: one for one in cast.admin.ok("GET", "/payouts")["items"]}


def download(cast: Cast, new_batch: dict[str, Any], s3: Any) -> bytes:
    """Get the file as a browser would, by the link."""
    link = cast.hr.ok("GET", f"/payouts/batches/{new_batch['id']}/file")
    path = urlsplit(link["url"]).path.removeprefix("/")
    content = s3.get_object(Bucket=BUCKET, Key=path.removeprefix(f"{BUCKET}/"))["Body"].read()
    assert hashlib.sha256(content).hexdigest() == link["sha256"] == new_batch["file_sha256"]
    return bytes(content)


def answer(cast: Cast, new_batch: dict[str, Any], *rows: dict[str, Any]) -> dict[str, Any]:
    return dict(cast.admin.ok("POST", f"/payouts/batches/{new_batch['id']}/answer", list(rows)))


def report(new_batch: dict[str, Any], *statuses: tuple[str, str], group: str = "PART", version: str = "10") -> str:
    """Write the bank's report: a status for each reference."""
    reason = "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>Account closed</AddtlInf></StsRsnInf>"
    lines = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
        f"{reason if status == 'RJCT' else ''}</TxInfAndSts>"
        for reference, status in statuses
    )
    message = new_batch["id"].replace("-", "")
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"><CstmrPmtStsRpt>'
        "<GrpHdr><MsgId>B1</MsgId><CreDtTm>2026-11-23T10:00:00Z</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
        f"<GrpSts>{group}</GrpSts></OrgnlGrpInfAndSts>"
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{message}BDT</OrgnlPmtInfId>{lines}</OrgnlPmtInfAndSts>"
        "</CstmrPmtStsRpt></Document>"
    )


def ledger(cast: Cast) -> dict[str, str]:
    """Return what each account of the tenant comes to, people's added up."""
    rows = sql(cast, "select kind, sum(balance) as balance from ledger_accounts where balance <> 0 group by kind")
    return {row.kind: str(row.balance) for row in rows}


class TestWholeFlow:
    def test_goes_from_sale_to_paid_and_the_refused_are_owed_again(self, acme: Cast, s3: Any) -> None:
        rahim, mina, jamal = prepared(acme, "Rahim Uddin", "মিনা", "Jamal & Sons")
        assert [one["status"] for one in payouts(acme).values()] == ["queued"] * 3
        new_batch = batch(acme)
        assert (new_batch["number"], new_batch["format"], new_batch["status"]) == (1, "pain.001", "open")
        assert new_batch["totals"] == [{"currency": "BDT", "payouts": 3, "amount": "36.00"}]
        assert (new_batch["by_status"], new_batch["left_out"], new_batch["waiting"]) == ({"sending": 3}, [], 0)
        assert new_batch["handed_over_at"] is None
        data = download(acme, new_batch, s3)
        xmlschema.XMLSchema(Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.09.xsd").validate(data.decode())
        root = ElementTree.fromstring(data)  # noqa: S314  # our own
        of = {who: payouts(acme)[who]["reference"] for who in (rahim, mina, jamal)}
        transfers = {one.findtext(f".//{PAIN}EndToEndId"): one for one in root.iter(f"{PAIN}CdtTrfTxInf")}
        assert set(transfers) == set(of.values())
        assert [transfers[of[who]].findtext(f".//{PAIN}Cdtr/{PAIN}Nm") for who in of] == [
            "Rahim Uddin",
            "mina",
            "Jamal + Sons",
        ]
        assert [transfers[of[who]].findtext(f".//{PAIN}IBAN") for who in of] == IBANS
        assert root.findtext(f".//{PAIN}CtrlSum") == "36.00"
        assert acme.hr.ok("GET", f"/payouts/batches/{new_batch['id']}")["handed_over_at"] is not None

        bank_report = report(new_batch, (of[rahim], "ACSC"), (of[mina], "RJCT"), (of[jamal], "ACSP"))
        first = acme.admin.ok("POST", f"/payouts/batches/{new_batch['id']}/answer", bank_report, **XML)
        assert [(item["line"], item["result"], item["status"]) for item in first["items"]] == [
            (1, "ok", "paid"),
            (2, "ok", "failed"),
            (3, "unchanged", "sending"),
        ]
        assert (first["counts"], first["open"]) == ({"ok": 2, "unchanged": 1}, 1)
        assert payouts(acme)[mina]["problem"] == "refused: RJCT: AC04: Account closed"
        # 36.00 were advanced; 24.00 have left or are on their way, and Mina is owed her 12.00 again
        assert ledger(acme) == {"advances": "36.00", "payable": "-12.00", "cash": "-24.00"}
        again = acme.admin.ok("POST", f"/payouts/batches/{new_batch['id']}/answer", bank_report, **XML)
        assert again["counts"] == {"unchanged": 3}
        assert ledger(acme) == {"advances": "36.00", "payable": "-12.00", "cash": "-24.00"}

        last = answer(
            acme, new_batch, {"reference": of[jamal], "status": "paid", "bank_reference": "FT1", "amount": "12.00"}
        )
        assert (last["counts"], last["open"]) == ({"ok": 1}, 0)
        assert payouts(acme)[jamal]["provider_reference"] == "FT1"
        closed = acme.hr.ok("GET", f"/payouts/batches/{new_batch['id']}")
        assert (closed["status"], closed["by_status"]) == ("closed", {"failed": 1, "paid": 2})
        assert closed["closed_at"] is not None
        advances(acme)
        assert (payouts(acme)[mina]["status"], payouts(acme)[mina]["amount"]) == ("queued", "12.00")
        second = batch(acme)
        assert (second["number"], second["totals"][0]["amount"]) == (2, "12.00")

    def test_shows_each_payout_its_attempt(self, acme: Cast, s3: Any) -> None:
        (rahim,) = prepared(acme, "Rahim")
        new_batch = batch(acme)
        answer(
            acme, new_batch, {"reference": payouts(acme)[rahim]["reference"], "status": "paid", "bank_reference": "FT9"}
        )
        whole = acme.admin.ok("GET", f"/payouts/{payouts(acme)[rahim]['id']}")
        assert [(one["what"], one["status"], one["detail"]) for one in whole["events"]] == [
            ("made", "queued", None),
            ("sent", "sending", "bank file 1"),
            ("answered", "paid", "FT9"),
        ]
        assert [(one["number"], one["what"], one["outcome"]) for one in whole["attempts"]] == [(1, "sent", "paid")]
        assert whole["batch_id"] == new_batch["id"]


class TestMakeBatch:
    def test_needs_an_idempotency_key_and_gives_the_same_batch_for_it(self, acme: Cast, s3: Any) -> None:
        prepared(acme, "Rahim")
        assert acme.hr.post("/payouts/batches", {}).status == 422
        headers = once()
        first = acme.hr.ok("POST", "/payouts/batches", {}, headers=headers)
        assert acme.hr.ok("POST", "/payouts/batches", {}, headers=headers) == first
        assert len(acme.hr.ok("GET", "/payouts/batches")["items"]) == 1
        assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1

    def test_takes_each_payout_once(self, acme: Cast, s3: Any) -> None:
        prepared(acme, "Rahim")
        batch(acme)
        refused = acme.hr.post("/payouts/batches", {}, headers=once())
        assert (refused.status, refused.json["detail"]) == (409, "No payout waits for a bank file.")

    def test_puts_no_payout_in_two_files_that_are_made_at_once(self, acme: Cast, s3: Any) -> None:
        prepared(acme, "Rahim", "Mina")
        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda _: acme.hr.post("/payouts/batches", {}, headers=once()).status, range(4)))
        assert sorted(replies) == [201, 409, 409, 409]
        assert sql(acme, "select number, payouts from payout_batches")[0] == (1, 2)

    def test_numbers_files_that_are_made_at_once_one_after_the_other(self, acme: Cast, s3: Any) -> None:
        rahim, _ = prepared(acme, "Rahim", "Mina")
        acme.admin.ok("POST", "/sales", {"user_id": rahim, "earning": "10.00", "currency": "USD"})
        advances(acme)
        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(lambda currency: batch(acme, currency=currency)["number"], ("BDT", "USD"))) == [1, 2]

    def test_asks_for_settings_first(self, acme: Cast, s3: Any) -> None:
        refused = acme.hr.post("/payouts/batches", {}, headers=once())
        assert refused.status == 409
        assert "PUT /payouts/bank-file-settings" in refused.json["detail"]

    def test_writes_the_tenants_own_columns_and_says_what_they_cannot_name(self, acme: Cast, s3: Any) -> None:
        greta = prepared(acme, "Greta", settings=OWN)[0]
        refused = acme.hr.post("/payouts/batches", {}, headers=once())
        assert (refused.status, refused.json["detail"]) == (
            409,
            (
                "No payout waits for a bank file. 1 cannot go into one: the account has an IBAN, and the template has"
                " no column iban."
            ),
        )
        karim = person(acme, "Karim, \n=1+1".replace("\n", ""), number="0012345678901")
        advances(acme)
        new_batch = batch(acme)
        assert new_batch["left_out"] == [
            {"payouts": 1, "reason": "the account has an IBAN, and the template has no column iban"}
        ]
        assert new_batch["waiting"] == 1
        rows = list(csv.reader(io.StringIO(download(acme, new_batch, s3).decode(), newline="")))
        assert rows == [
            ["Ref", "Account", "Name", "Amount"],
            [payouts(acme)[karim]["reference"], "0012345678901", "Karim, =1+1", "12.00"],
        ]
        assert new_batch["file_name"].endswith("-payouts-1.csv")
        assert payouts(acme)[greta]["status"] == "queued"
        acme.admin.ok("PUT", "/payouts/bank-file-settings", ISO)
        assert batch(acme)["waiting"] == 0

    def test_keeps_currencies_apart_where_the_template_cannot(self, acme: Cast, s3: Any) -> None:
        prepared(acme, settings=OWN)
        karim = person(acme, "Karim", number="0012345678901")
        acme.admin.ok("POST", "/sales", {"user_id": karim, "earning": "10.00", "currency": "USD"})
        advances(acme)
        refused = acme.hr.post("/payouts/batches", {}, headers=once())
        assert refused.status == 409
        assert "BDT, USD" in refused.json["detail"]
        new_batch = batch(acme, currency="USD")
        assert (new_batch["totals"], new_batch["waiting"]) == ([{"currency": "USD", "payouts": 1, "amount": "1.00"}], 1)
        assert acme.hr.post("/payouts/batches", {"currency": "USD"}, headers=once()).status == 409
        assert batch(acme, currency="BDT")["totals"] == [{"currency": "BDT", "payouts": 1, "amount": "12.00"}]

    def test_takes_the_oldest_where_there_are_too_many(
        self, acme: Cast, s3: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        prepared(acme, "Rahim", "Mina", "Jamal")
        monkeypatch.setattr(batch_actions, "MOST_PAYOUTS", 2)
        assert [(new_batch["payouts"], new_batch["waiting"]) for new_batch in (batch(acme), batch(acme))] == [
            (2, 1),
            (1, 0),
        ]

    def test_asks_the_bank_to_pay_today_or_on_a_day_soon(self, acme: Cast, s3: Any) -> None:
        prepared(acme, "Rahim")
        for day in ("2000-01-01", "2100-01-01"):
            refused = acme.hr.post("/payouts/batches", {"execution_on": day}, headers=once())
            assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, "/execution_on")
        today = sql(acme, "select (now() at time zone 'Asia/Dhaka')::date + 7")[0][0]
        new_batch = batch(acme, execution_on=today.isoformat())
        assert new_batch["execution_on"] == today.isoformat()
        assert f"<Dt>{today}</Dt>" in download(acme, new_batch, s3).decode()

    def test_leaves_all_as_it_was_when_the_file_cannot_be_kept(self, acme: Cast, s3: Any) -> None:
        (rahim,) = prepared(acme, "Rahim")
        with mock.patch.object(files, "put", side_effect=files.Busy("S3 is away")):
            assert acme.hr.post("/payouts/batches", {}, headers=once()).status == 503
        assert payouts(acme)[rahim]["status"] == "queued"
        assert acme.hr.ok("GET", "/payouts/batches")["items"] == []

    def test_leaves_payouts_queued_when_the_commit_is_lost_after_the_file_was_written(
        self, acme: Cast, s3: Any
    ) -> None:
        (rahim,) = prepared(acme, "Rahim")

        def dies(*_: Any, **__: Any) -> None:
            raise RuntimeError("killed")

        with mock.patch("chalicelib.entry.idempotency.keep", dies):
            assert acme.hr.post("/payouts/batches", {}, headers=once()).status == 500
        assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1
        assert payouts(acme)[rahim]["status"] == "queued"
        new_batch = batch(acme)
        assert (new_batch["number"], new_batch["payouts"]) == (1, 1)
        assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 2  # the one nobody can ask for, and this one

    def test_waits_while_payouts_are_switched_off(self, acme: Cast, s3: Any) -> None:
        prepared(acme, "Rahim")
        acme.admin.ok("PATCH", "/tenant", {"policy": {"payouts_enabled": False}})
        assert acme.hr.post("/payouts/batches", {}, headers=once()).status == 409

    def test_leaves_payouts_of_other_providers_and_held_ones_alone(self, acme: Cast, s3: Any) -> None:
        acme.admin.ok("PATCH", "/tenant", {"policy": {"payout_approval_above": "5.00"}})
        prepared(acme, "Rahim")
        acme.admin.ok("PATCH", "/tenant", {"policy": {"payout_provider": "simulated", "payout_approval_above": None}})
        person(acme, "Mina", iban=IBANS[1])
        advances(acme)  # and nobody works the queue off
        assert [(one["status"], one["provider"]) for one in payouts(acme).values()] == [
            ("held", "bank_file"),
            ("queued", "simulated"),
        ]
        assert acme.hr.post("/payouts/batches", {}, headers=once()).status == 409

    def test_is_not_a_manager_s_nor_an_employee_s(self, acme: Cast, s3: Any) -> None:
        (rahim,) = prepared(acme, "Rahim")
        for role in (Role.MANAGER, Role.EMPLOYEE):
            caller = key(acme.id, role, rahim)
            assert caller.post("/payouts/batches", {}, headers=once()).status == 403
            assert caller.get("/payouts/batches").status == 403
            assert caller.get(f"/payouts/batches/{uuid4()}/file").status == 403


class TestFile:
    def test_is_kept_under_its_tenant_and_who_asked_is_known(self, acme: Cast, s3: Any) -> None:
        prepared(acme, "Rahim")
        new_batch = batch(acme)
        download(acme, new_batch, s3)
        download(acme, new_batch, s3)
        (kept,) = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
        assert kept["Key"] == f"tenants/{acme.id}/payout-batches/{new_batch['id']}/{acme.slug}-payouts-1.xml"
        asked = sql(acme, "select actor, entity_id from audit_logs where action = 'payout_batch.handed_over'")
        assert [tuple(row) for row in asked] == [("hr:hr key", new_batch["id"])] * 2

    def test_says_no_account_number_anywhere_but_in_itself(self, acme: Cast, s3: Any) -> None:
        prepared(acme, "Rahim")
        new_batch = batch(acme)
        replies = json.dumps(
            [new_batch, acme.hr.ok("GET", "/payouts/batches"), acme.hr.ok("GET", "/payouts/bank-file-settings")]
        )
        kept = str(
            sql(acme, "select b.*, s.*, a.before, a.after from payout_batches b, bank_file_settings s, audit_logs a")
        )
        for number in ("DE89370400440532013000", IBANS[0]):
            assert number not in replies + kept
            assert number in download(acme, new_batch, s3).decode()


class TestAnswer:
    def test_gives_the_money_of_a_refusal_back_once(self, acme: Cast, s3: Any) -> None:
        (rahim,) = prepared(acme, "Rahim")
        new_batch = batch(acme)
        row = {"reference": payouts(acme)[rahim]["reference"], "status": "failed", "reason": "account closed"}
        assert [answer(acme, new_batch, row)["counts"] for _ in range(3)] == [
            {"ok": 1},
            {"unchanged": 1},
            {"unchanged": 1},
        ]
        assert ledger(acme) == {"advances": "12.00", "payable": "-12.00"}
        assert payouts(acme)[rahim]["problem"] == "refused: account closed"

    def test_takes_back_what_came_back_also_when_paid_was_never_said(self, acme: Cast, s3: Any) -> None:
        rahim, mina = prepared(acme, "Rahim", "Mina")
        new_batch = batch(acme)
        of = {who: payouts(acme)[who]["reference"] for who in (rahim, mina)}
        reply = answer(
            acme,
            new_batch,
            {"reference": of[rahim], "status": "returned"},
            {"reference": of[mina], "status": "returned", "reason": "closed"},
            {"reference": of[mina], "status": "paid", "bank_reference": "FT2"},
        )
        assert [(item["result"], item["status"]) for item in reply["items"]] == [
            ("ok", "returned"),
            ("ok", "returned"),
            ("ok", "paid"),
        ]
        assert [one["status"] for one in payouts(acme).values()] == ["returned"] * 2
        assert payouts(acme)[mina]["problem"] == "came back: closed"
        assert payouts(acme)[mina]["provider_reference"] == "FT2"
        assert ledger(acme) == {"advances": "24.00", "payable": "-24.00"}
        assert answer(acme, new_batch, {"reference": of[mina], "status": "paid"})["counts"] == {"unchanged": 1}

    def test_that_comes_several_times_at_once_gives_money_back_once(self, acme: Cast, s3: Any) -> None:
        people = prepared(acme, "Rahim", "Mina", "Jamal")
        new_batch = batch(acme)
        rows = [{"reference": payouts(acme)[who]["reference"], "status": "failed"} for who in people]
        with ThreadPoolExecutor(4) as pool:
            counts = list(pool.map(lambda n: answer(acme, new_batch, *rows[:: 1 if n % 2 else -1])["counts"], range(4)))
        assert sorted(counts, key=str) == [{"ok": 3}, {"unchanged": 3}, {"unchanged": 3}, {"unchanged": 3}]
        assert ledger(acme) == {"advances": "36.00", "payable": "-36.00"}

    def test_judges_each_row_by_itself(self, acme: Cast, s3: Any) -> None:
        rahim, mina, jamal = prepared(acme, "Rahim", "Mina", "Jamal")
        new_batch = batch(acme)
        of = {who: payouts(acme)[who]["reference"] for who in (rahim, mina, jamal)}
        answer(acme, new_batch, {"reference": of[rahim], "status": "paid"})
        text = (
            "reference,status,amount,currency\n"
            f"{of[rahim]},failed,,\n"  # it was paid
            f"{of[mina]},paid,12.50,BDT\n"  # another amount
            f"{of[mina]},paid,12.00,EUR\n"  # another currency
            f"nothing-of-ours,paid,,\n"
            f"{of[jamal].upper()},PAID,12,BDT\n"  # banks change the case
            f"{of[mina]},sent,,\n"
        )
        reply = acme.admin.ok("POST", f"/payouts/batches/{new_batch['id']}/answer", text, **CSV)
        assert [(item["line"], item["result"], item["status"]) for item in reply["items"]] == [
            (2, "conflict", "paid"),
            (3, "conflict", "sending"),
            (4, "conflict", "sending"),
            (5, "not_found", None),
            (6, "ok", "paid"),
        ]
        assert "12.50" in reply["items"][1]["detail"]
        assert [(error["line"], error["column"]) for error in reply["errors"]] == [(7, "status")]
        assert (reply["counts"], reply["open"]) == ({"conflict": 3, "not_found": 1, "ok": 1}, 1)
        assert ledger(acme) == {"advances": "36.00", "cash": "-36.00"}

    def test_believes_neither_of_two_rows_that_contradict_each_other(self, acme: Cast, s3: Any) -> None:
        (rahim,) = prepared(acme, "Rahim")
        new_batch = batch(acme)
        reference = payouts(acme)[rahim]["reference"]
        reply = answer(
            acme, new_batch, {"reference": reference, "status": "failed"}, {"reference": reference, "status": "paid"}
        )
        assert reply["counts"] == {"conflict": 2}
        assert payouts(acme)[rahim]["status"] == "sending"

    def test_gives_a_failed_payout_no_second_fate(self, acme: Cast, s3: Any) -> None:
        (rahim,) = prepared(acme, "Rahim")
        new_batch = batch(acme)
        reference = payouts(acme)[rahim]["reference"]
        answer(acme, new_batch, {"reference": reference, "status": "failed"})
        for status in ("paid", "returned"):
            assert answer(acme, new_batch, {"reference": reference, "status": status})["counts"] == {"conflict": 1}
        assert ledger(acme) == {"advances": "12.00", "payable": "-12.00"}

    def test_may_speak_of_the_whole_file(self, acme: Cast, s3: Any) -> None:
        prepared(acme, "Rahim", "Mina")
        new_batch = batch(acme)
        reason = "<StsRsnInf><Rsn><Cd>AM04</Cd></Rsn></StsRsnInf>"  # without one, whether it was paid is not known
        text = report(new_batch, group="RJCT", version="03").replace("</GrpSts>", f"</GrpSts>{reason}")
        reply = acme.admin.ok("POST", f"/payouts/batches/{new_batch['id']}/answer", text, **XML)
        assert [(item["line"], item["result"], item["status"]) for item in reply["items"]] == [
            (None, "ok", "failed"),
            (None, "ok", "failed"),
        ]
        assert reply["open"] == 0

    def test_of_another_message_is_refused(self, acme: Cast, s3: Any) -> None:
        prepared(acme, "Rahim")
        new_batch = batch(acme)
        other = report({"id": str(uuid4())}, group="RJCT")
        refused = acme.admin.post(f"/payouts/batches/{new_batch['id']}/answer", other, **XML)
        assert refused.status == 422
        assert new_batch["id"].replace("-", "") in refused.json["detail"]

    def test_that_is_no_answer_is_refused(self, acme: Cast, s3: Any) -> None:
        prepared(acme, "Rahim")
        path = f"/payouts/batches/{batch(acme)['id']}/answer"
        laughs = '<!DOCTYPE d [<!ENTITY a "a"><!ENTITY b "&a;&a;">]><d>&b;</d>'
        assert acme.admin.post(path, laughs, **XML).status == 422
        assert acme.admin.post(path, "<d", **XML).status == 400
        assert acme.admin.post(path, "[", headers={"content-type": "application/json"}).status == 400
        assert acme.admin.post(path, "ref\n1\n", **CSV).status == 422
        assert acme.admin.post(path, "x", headers={"content-type": "application/pdf"}).status == 415
        assert acme.hr.post(path, []).status == 403  # what settles money is the admin's to say

    def test_that_does_not_come_makes_a_person_look(self, acme: Cast, s3: Any, running: Stack) -> None:
        rahim, mina = prepared(acme, "Rahim", "Mina")
        new_batch = batch(acme)
        waits = sql(acme, "select date_trunc('minute', look_at - first_sent_at + interval '1 second') from payouts")
        assert [row[0] for row in waits] == [timedelta(days=5)] * 2
        running.tick("payouts-to-look-at")
        early = {"tenant_id": str(acme.id), "payout_id": payouts(acme)[rahim]["id"]}
        queues.send_many(delivery_actions.QUEUE, [early])  # a message that is late or early moves nothing
        assert running.drain() == 1
        assert [one["status"] for one in payouts(acme).values()] == ["sending"] * 2
        sql(
            acme,
            "update payouts set look_at = look_at - interval '5 days', lease_until = lease_until - interval '5 days'",
        )
        running.tick("payouts-to-look-at")
        running.drain()
        assert [one["status"] for one in payouts(acme).values()] == ["review"] * 2
        # the answer may still come
        of = {who: payouts(acme)[who]["reference"] for who in (rahim, mina)}
        reply = answer(
            acme, new_batch, {"reference": of[rahim], "status": "paid"}, {"reference": of[mina], "status": "failed"}
        )
        assert [(item["result"], item["status"]) for item in reply["items"]] == [("ok", "paid"), ("ok", "failed")]
        assert ledger(acme) == {"advances": "24.00", "payable": "-12.00", "cash": "-12.00"}


class TestStranger:
    def test_learns_that_there_is_nothing(self, acme: Cast, zenith: Cast, s3: Any) -> None:
        (rahim,) = prepared(acme, "Rahim")
        new_batch = batch(acme)
        prepared(zenith, "Zara")
        zenith_batch = batch(zenith)
        for path in (f"/payouts/batches/{new_batch['id']}", f"/payouts/batches/{new_batch['id']}/file"):
            assert zenith.hr.get(path).status == 404
        row = {"reference": payouts(acme)[rahim]["reference"], "status": "failed"}
        assert zenith.admin.post(f"/payouts/batches/{new_batch['id']}/answer", [row]).status == 404
        # nor does their own batch reach our payout
        assert answer(zenith, zenith_batch, row)["counts"] == {"not_found": 1}
        assert [one["id"] for one in zenith.hr.ok("GET", "/payouts/batches")["items"]] == [zenith_batch["id"]]
        assert payouts(acme)[rahim]["status"] == "sending"
        assert zenith_batch["number"] == 1


class TestSettings:
    def test_are_shown_with_the_account_masked(self, acme: Cast) -> None:
        assert acme.hr.get("/payouts/bank-file-settings").status == 404
        put = acme.admin.put("/payouts/bank-file-settings", ISO)
        assert (put.status, put.headers["ETag"]) == (200, '"1"')
        assert acme.hr.ok("GET", "/payouts/bank-file-settings") == {
            "format": "pain.001",
            "template": None,
            "version": 1,
            "payer": {"name": "Acme Garments Ltd", "masked": "DE89 **** **** **** **30 00"},
        }
        local = {"format": "pain.001", "payer": {"name": "Acme", "account_number": "0011223344", "bank_code": "175"}}
        assert acme.admin.ok("PUT", "/payouts/bank-file-settings", local)["payer"]["masked"] == "175 **** 3344"

    def test_keep_the_template_as_it_was_said(self, acme: Cast) -> None:
        template = acme.admin.ok("PUT", "/payouts/bank-file-settings", OWN)["template"]
        assert [(column["header"], column["value"]) for column in template["columns"]] == [
            ("Ref", "reference"),
            ("Account", "account_number"),
            ("Name", "holder"),
            ("Amount", "amount"),
        ]
        assert (template["delimiter"], template["encoding"], template["header"]) == (",", "utf-8", True)
        assert acme.admin.ok("GET", "/payouts/bank-file-settings")["template"] == template

    def test_refuse_a_change_of_a_stale_version(self, acme: Cast) -> None:
        acme.admin.ok("PUT", "/payouts/bank-file-settings", ISO)
        acme.admin.ok("PUT", "/payouts/bank-file-settings", OWN, headers={"if-match": '"1"'})
        assert acme.admin.put("/payouts/bank-file-settings", ISO, headers={"if-match": '"1"'}).status == 412
        changes = sql(
            acme, "select before, after from audit_logs where action = 'bank_file_settings.changed' order by seq"
        )
        assert [(row.before and row.before["format"], row.after["format"]) for row in changes] == [
            (None, "pain.001"),
            ("pain.001", "delimited"),
        ]

    @pytest.mark.parametrize(
        ("settings", "pointer"),
        [
            ({"format": "pain.001"}, "/"),
            ({"format": "pain.001", "payer": {"name": "Acme", "iban": "DE89370400440532013001"}}, "/payer/iban"),
            ({"format": "pain.001", "payer": {"name": "Acme"}}, "/payer"),
            ({**ISO, "template": OWN["template"]}, "/"),
            ({"format": "delimited"}, "/"),
            ({"format": "delimited", "template": {"columns": COLUMNS[1:]}}, "/template"),
            ({"format": "camt.054"}, "/format"),
        ],
    )
    def test_that_make_no_file_are_refused_with_their_place(self, acme: Cast, settings: Any, pointer: str) -> None:
        refused = acme.admin.put("/payouts/bank-file-settings", settings)
        assert refused.status == 422
        assert refused.json["errors"][0]["pointer"] == pointer
        assert "DE89370400440532013001" not in refused.text

    def test_are_the_admins_to_say(self, acme: Cast, zenith: Cast) -> None:
        assert acme.hr.put("/payouts/bank-file-settings", ISO).status == 403
        acme.admin.ok("PUT", "/payouts/bank-file-settings", ISO)
        assert zenith.admin.get("/payouts/bank-file-settings").status == 404
