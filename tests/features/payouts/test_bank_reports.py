"""What a bank says of its files is judged by status and reason: nothing is released on a word about an earlier one."""

from typing import Any
from uuid import uuid4

import boto3
import pytest

from tests.features.payouts.test_batches import CSV, XML, advances, answer, batch, ledger, payouts, prepared
from tests.support.cast import Cast
from tests.support.people import sql
from tests.support.stack import Stack

OTHER = "urn:iso:std:iso:20022:tech:xsd:"
RELEASED = {"advances": "12.00", "payable": "-12.00"}
ON_ITS_WAY = {"advances": "12.00", "cash": "-12.00"}


@pytest.fixture(name="s3")
def _s3(running: Stack) -> Any:
    """Stand in for S3, with the bucket."""
    return boto3.client("s3")


def why(code: str | None, text: str | None = None) -> str:
    """Return the reason of a status, as pain.002 writes it."""
    if code is None and text is None:
        return ""
    cd = f"<Rsn><Cd>{code}</Cd></Rsn>" if code else ""
    return f"<StsRsnInf>{cd}{f'<AddtlInf>{text}</AddtlInf>' if text else ''}</StsRsnInf>"


def transfer(
    reference: str, status: str | None, reason: str = "", *, at: str = "OrgnlEndToEndId", more: str = ""
) -> str:
    status_element = f"<TxSts>{status}</TxSts>" if status else ""
    return f"<TxInfAndSts><{at}>{reference}</{at}>{status_element}{reason}{more}</TxInfAndSts>"


def pain(
    new_batch: dict[str, Any],
    *transfers: str,
    group: str = "",
    block: str = "",
    created: str = "2026-11-23T10:00:00Z",
    head: str = f'<Document xmlns="{OTHER}pain.002.001.10">',
    tail: str = "</Document>",
    currency: str = "BDT",
) -> str:
    """Return a status report on a batch; `group` and `block` are the inner XML of those levels."""
    message = new_batch["id"].replace("-", "")
    about = f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{message}{currency}</OrgnlPmtInfId>{block}{''.join(transfers)}"
    blocks = f"{about}</OrgnlPmtInfAndSts>" if block or transfers else ""
    return (
        f"{head}<CstmrPmtStsRpt><GrpHdr><MsgId>B1</MsgId><CreDtTm>{created}</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group}"
        f"</OrgnlGrpInfAndSts>{blocks}</CstmrPmtStsRpt>{tail}"
    )


def entry(
    *details: str,
    amount: str = "12.00",
    currency: str = "BDT",
    side: str = "DBIT",
    status: str = "<Cd>BOOK</Cd>",
    reversal: str = "",
    batch: str = "",
    code: str = "",
) -> str:
    """Return one entry of a statement."""
    inner = f"<NtryDtls>{batch}{''.join(details)}</NtryDtls>" if batch or details else ""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{reversal}<Sts>{status}</Sts>'
        f"<BookgDt><Dt>2026-11-24</Dt></BookgDt><AcctSvcrRef>FT77</AcctSvcrRef>{code}{inner}</Ntry>"
    )


def detail(reference: str, *, more: str = "", at: str = "EndToEndId", ref: str = "FT78") -> str:
    return f"<TxDtls><Refs><AcctSvcrRef>{ref}</AcctSvcrRef><{at}>{reference}</{at}></Refs>{more}</TxDtls>"


def returned(code: str = "AC04") -> str:
    return f"<RtrInf><Rsn><Cd>{code}</Cd></Rsn><AddtlInf>konto geschlossen</AddtlInf></RtrInf>"


def statement(*entries: str, kind: str = "053", version: str = "08", created: str = "2026-11-24T18:00:00Z") -> str:
    root, part = {
        "053": ("BkToCstmrStmt", "Stmt"),
        "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
        "052": ("BkToCstmrAcctRpt", "Rpt"),
    }[kind]
    return (
        f'<Document xmlns="{OTHER}camt.{kind}.001.{version}"><{root}><GrpHdr><MsgId>S1</MsgId>'
        f"<CreDtTm>{created}</CreDtTm></GrpHdr><{part}><Id>1</Id>{''.join(entries)}</{part}></{root}></Document>"
    )


def one(cast: Cast) -> tuple[str, str, dict[str, Any]]:
    """Return a person, the reference of their payout of 12.00 and the batch that it is in."""
    (rahim,) = prepared(cast, "Rahim")
    new_batch = batch(cast)
    return rahim, payouts(cast)[rahim]["reference"], new_batch


def upload(cast: Cast, report: str) -> dict[str, Any]:
    return dict(cast.admin.ok("POST", "/payouts/bank-reports", report, **XML))


def results(reply: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(item["result"], item["status"]) for item in reply["items"]]


class TestBroughtTwice:
    @pytest.mark.parametrize(
        ("code", "level"),
        [("AM05", "group"), ("AM05", "block"), ("AM05", "transfer"), ("DU01", "group"), ("DU02", "block"),
         ("DU03", "transfer"), ("DU04", "transfer"), ("DU05", "transfer"), ("DUPL", "transfer")],
    )  # fmt: skip
    def test_releases_nothing_and_nobody_is_paid_again(self, acme: Cast, s3: Any, code: str, level: str) -> None:
        rahim, reference, new_batch = one(acme)
        reason = why(code, "file was delivered twice")
        text = {
            "group": pain(new_batch, group=f"<GrpSts>RJCT</GrpSts>{reason}"),
            "block": pain(new_batch, group="<GrpSts>PART</GrpSts>", block=f"<PmtInfSts>RJCT</PmtInfSts>{reason}"),
            "transfer": pain(new_batch, transfer(reference, "RJCT", reason)),
        }[level]
        reply = acme.admin.ok("POST", f"/payouts/batches/{new_batch['id']}/answer", text, **XML)
        assert results(reply) == [("review", "review")]
        assert ledger(acme) == ON_ITS_WAY
        advances(acme)
        assert len(acme.admin.ok("GET", "/payouts")["items"]) == 1
        payout = payouts(acme)[rahim]
        assert code in payout["problem"]
        assert (payout["bank"]["status"], payout["bank"]["reasons"]) == ("RJCT", [code])
        # the file that was taken first is settled, and the bank says so
        assert results(upload(acme, pain(new_batch, transfer(reference, "ACSC")))) == [("ok", "paid")]

    def test_taints_transfers_that_give_no_reason_of_their_own_or_another(self, acme: Cast, s3: Any) -> None:
        rahim, mina = prepared(acme, "Rahim", "Mina")
        new_batch = batch(acme)
        of = [payouts(acme)[who]["reference"] for who in (rahim, mina)]
        text = pain(
            new_batch,
            transfer(of[0], "RJCT"),
            transfer(of[1], "RJCT", why("AC04")),
            group=f"<GrpSts>RJCT</GrpSts>{why('DU01')}",
        )
        assert results(upload(acme, text)) == [("review", "review")] * 2

    def test_says_nothing_new_of_what_was_paid_or_refused_before(self, acme: Cast, s3: Any) -> None:
        rahim, mina = prepared(acme, "Rahim", "Mina")
        new_batch = batch(acme)
        of = [payouts(acme)[who]["reference"] for who in (rahim, mina)]
        upload(acme, pain(new_batch, transfer(of[0], "ACSC"), transfer(of[1], "RJCT", why("AC04"))))
        again = upload(acme, pain(new_batch, group=f"<GrpSts>RJCT</GrpSts>{why('AM05')}"))
        assert sorted(results(again)) == [("unchanged", "failed"), ("unchanged", "paid")]

    def test_is_a_doubt_in_rows_too(self, acme: Cast, s3: Any) -> None:
        _rahim, reference, new_batch = one(acme)
        reply = answer(
            acme, new_batch, {"reference": reference, "status": "failed", "reason": "AM05 file received before"}
        )
        assert results(reply) == [("review", "review")]
        assert ledger(acme) == ON_ITS_WAY

    def test_in_words_is_a_doubt_whatever_the_code(self, acme: Cast, s3: Any) -> None:
        _, reference, new_batch = one(acme)
        text = pain(new_batch, transfer(reference, "RJCT", why("FF01", "Duplicate file, already processed")))
        assert results(upload(acme, text)) == [("review", "review")]

    def test_of_a_simulated_provider_releases_nothing_either(self, acme: Cast, running: Stack) -> None:
        user_id = acme.admin.ok("POST", "/sales/user", {"name": "Rahim"})["id"]
        to = {"kind": "simulated", "behaviour": "refuse_as_duplicate"}
        acme.admin.ok("PUT", f"/users/{user_id}/payout-destination", to)
        acme.admin.ok("POST", "/sales", {"user_id": user_id, "earning": "120.00"})
        advances(acme)
        running.drain()
        payout = payouts(acme)[user_id]
        assert payout["status"] == "review"
        assert "AM05" in payout["problem"]
        assert ledger(acme) == ON_ITS_WAY


class TestReason:
    def test_decides_with_the_status(self, acme: Cast, s3: Any) -> None:
        people = prepared(acme, "Rahim", "Mina", "Jamal")
        new_batch = batch(acme)
        of = [payouts(acme)[who]["reference"] for who in people]
        text = pain(
            new_batch,
            transfer(of[0], "RJCT", why("AC04")),
            transfer(of[1], "RJCT", why("ZZ99")),
            transfer(of[2], "ACSP"),
        )
        assert results(upload(acme, text)) == [("ok", "failed"), ("review", "review"), ("unchanged", "sending")]
        assert ledger(acme) == {"advances": "36.00", "payable": "-12.00", "cash": "-24.00"}

    def test_of_the_group_alone_settles_all_and_none_is_a_doubt(self, acme: Cast, s3: Any) -> None:
        _, _, new_batch = one(acme)
        assert results(upload(acme, pain(new_batch, group="<GrpSts>RJCT</GrpSts>"))) == [("review", "review")]
        reply = upload(acme, pain(new_batch, group=f"<GrpSts>RJCT</GrpSts>{why('AM04')}"))
        assert results(reply) == [("ok", "failed")]
        assert ledger(acme) == RELEASED

    def test_about_the_file_is_a_doubt_once_the_bank_had_accepted_it(self, acme: Cast, s3: Any) -> None:
        rahim, reference, new_batch = one(acme)
        upload(acme, pain(new_batch, transfer(reference, "ACSP")))
        # it was uploaded again, with a wrong signature
        reply = upload(
            acme, pain(new_batch, group=f"<GrpSts>RJCT</GrpSts>{why('DS0B')}", created="2026-11-23T11:00:00Z")
        )
        assert results(reply) == [("review", "review")]
        assert payouts(acme)[rahim]["status"] == "review"

    def test_that_comes_with_others_is_as_weak_as_the_weakest(self, acme: Cast, s3: Any) -> None:
        _, reference, new_batch = one(acme)
        reply = upload(acme, pain(new_batch, transfer(reference, "RJCT", why("AC04") + why("DU04"))))
        assert results(reply) == [("review", "review")]


class TestOrder:
    def test_of_reports_does_not_matter_where_they_agree(self, acme: Cast, s3: Any) -> None:
        rahim, reference, new_batch = one(acme)
        late = pain(new_batch, transfer(reference, "ACSP"), created="2026-11-23T09:00:00Z")
        settled = pain(new_batch, transfer(reference, "ACSC"), created="2026-11-23T10:00:00Z")
        assert results(upload(acme, settled)) == [("ok", "paid")]
        assert results(upload(acme, late)) == [("unchanged", "paid")]
        assert results(upload(acme, settled)) == [("unchanged", "paid")]
        assert payouts(acme)[rahim]["bank"]["status"] == "ACSC"  # the bank's last word, not the last that came

    def test_a_word_that_contradicts_is_a_conflict_and_kept(self, acme: Cast, s3: Any) -> None:
        rahim, reference, new_batch = one(acme)
        upload(acme, pain(new_batch, transfer(reference, "ACSC"), created="2026-11-23T10:00:00Z"))
        reply = upload(acme, pain(new_batch, transfer(reference, "RJCT", why("AC04")), created="2026-11-23T12:00:00Z"))
        assert results(reply) == [("conflict", "paid")]
        assert payouts(acme)[rahim]["bank"]["reasons"] == ["AC04"]
        assert ledger(acme) == ON_ITS_WAY

    def test_the_name_check_is_kept_beside_the_last_word(self, acme: Cast, s3: Any) -> None:
        rahim, reference, new_batch = one(acme)
        close = transfer(reference, "RVMC", why(None, "Name of payee: Rahim Udin"))
        upload(acme, pain(new_batch, close, group="<GrpSts>RVCM</GrpSts>"))
        assert payouts(acme)[rahim]["bank"]["name_check"] == "close_match"
        upload(acme, pain(new_batch, transfer(reference, "ACSC"), created="2026-11-23T12:00:00Z"))
        bank = payouts(acme)[rahim]["bank"]
        assert (bank["status"], bank["name_check"], bank["name_text"]) == (
            "ACSC",
            "close_match",
            "Name of payee: Rahim Udin",
        )
        assert acme.admin.ok("GET", f"/payouts/{payouts(acme)[rahim]['id']}")["bank"] == bank


class TestForms:
    @pytest.mark.parametrize(
        ("head", "tail"),
        [
            (f'<Document xmlns="{OTHER}pain.002.001.14">', "</Document>"),
            (
                f'<p:conxml xmlns:p="urn:conxml"><Document xmlns="{OTHER}pain.002.001.03.ch.02">',
                "</Document></p:conxml>",
            ),
            ("", ""),
        ],
    )
    def test_are_read_by_structure(self, acme: Cast, s3: Any, head: str, tail: str) -> None:
        rahim, reference, new_batch = one(acme)
        upload(acme, pain(new_batch, transfer(reference, "ACSC"), head=head, tail=tail))
        assert payouts(acme)[rahim]["status"] == "paid"

    def test_may_name_the_instruction_where_the_end_to_end_id_is_not_provided(self, acme: Cast, s3: Any) -> None:
        rahim, reference, new_batch = one(acme)
        more = "<OrgnlEndToEndId>NOTPROVIDED</OrgnlEndToEndId>"
        upload(acme, pain(new_batch, transfer(reference.upper(), "ACSC", at="OrgnlInstrId", more=more)))
        assert payouts(acme)[rahim]["status"] == "paid"

    def test_one_line_that_names_nothing_stops_no_other(self, acme: Cast, s3: Any) -> None:
        rahim, mina = prepared(acme, "Rahim", "Mina")
        new_batch = batch(acme)
        reference = payouts(acme)[rahim]["reference"]
        text = pain(
            new_batch,
            transfer("NOTPROVIDED", "RJCT", why("AC04")),
            transfer(reference, "ACSC"),
            group="<GrpSts>ACSC</GrpSts>",
        )
        reply = upload(acme, text)
        assert [(error["line"], error["column"]) for error in reply["errors"]] == [(1, "OrgnlEndToEndId")]
        # which of the others the refused one is, nobody can say: the group's word settles none of them
        assert [payouts(acme)[who]["status"] for who in (rahim, mina)] == ["paid", "sending"]


class TestStatement:
    @pytest.mark.parametrize(("kind", "version"), [("053", "02"), ("054", "08")])
    def test_confirms_what_was_debited(self, acme: Cast, s3: Any, kind: str, version: str) -> None:
        rahim, reference, new_batch = one(acme)
        booked = "BOOK" if version == "02" else "<Cd>BOOK</Cd>"
        pending = "PDNG" if version == "02" else "<Cd>PDNG</Cd>"
        early = statement(entry(detail(reference), status=pending), kind=kind, version=version)
        assert results(upload(acme, early)) == [("unchanged", "sending")]
        text = statement(entry(detail(reference), status=booked), kind=kind, version=version)
        reply = upload(acme, text)
        assert results(reply) == [("ok", "paid")]
        assert reply["batches"] == [{"id": new_batch["id"], "number": 1, "open": 0}]
        assert payouts(acme)[rahim]["provider_reference"] == "FT78"
        assert results(upload(acme, text)) == [("unchanged", "paid")]

    @pytest.mark.parametrize("paid_first", [True, False])
    def test_returns_what_came_back(self, acme: Cast, s3: Any, paid_first: bool) -> None:
        rahim, reference, _new_batch = one(acme)
        if paid_first:
            upload(acme, statement(entry(detail(reference))))
        text = statement(entry(detail(reference, more=returned()), side="CRDT"), created="2026-11-26T18:00:00Z")
        assert results(upload(acme, text)) == [("ok", "returned")]
        assert ledger(acme) == RELEASED
        assert payouts(acme)[rahim]["problem"] == "came back: AC04: konto geschlossen"
        assert results(upload(acme, text)) == [("unchanged", "returned")]
        assert results(upload(acme, statement(entry(detail(reference))))) == [("unchanged", "returned")]

    def test_returns_less_a_fee_and_owes_the_person_all(self, acme: Cast, s3: Any) -> None:
        rahim, reference, _ = one(acme)
        more = '<Chrgs><Rcrd><Amt Ccy="BDT">0.50</Amt></Rcrd></Chrgs>'
        upload(acme, statement(entry(detail(reference))))
        text = statement(entry(detail(reference, more=more + returned()), side="CRDT", amount="11.50"))
        assert results(upload(acme, text)) == [("ok", "returned")]
        assert ledger(acme) == RELEASED
        assert payouts(acme)[rahim]["bank"]["fee"] == "0.50"

    def test_confirms_a_debit_with_a_fee_on_top(self, acme: Cast, s3: Any) -> None:
        _, reference, _ = one(acme)
        more = '<Chrgs><Amt Ccy="BDT">0.50</Amt></Chrgs>'
        reply = upload(acme, statement(entry(detail(reference, more=more), amount="12.50")))
        assert results(reply) == [("ok", "paid")]

    @pytest.mark.parametrize(
        ("amount", "currency", "side", "more"),
        [("12.50", "BDT", "DBIT", ""), ("12.00", "EUR", "DBIT", ""), ("12.00", "BDT", "CRDT", "")],
    )
    def test_leaves_other_amounts_and_unexplained_credits_to_a_person(
        self, acme: Cast, s3: Any, amount: str, currency: str, side: str, more: str
    ) -> None:
        rahim, reference, _ = one(acme)
        text = statement(entry(detail(reference, more=more), amount=amount, currency=currency, side=side))
        assert results(upload(acme, text)) == [("review", "review")]
        assert ledger(acme) == ON_ITS_WAY
        assert amount in payouts(acme)[rahim]["problem"]

    def test_reads_a_reversal_by_its_indicator(self, acme: Cast, s3: Any) -> None:
        _rahim, reference, _new_batch = one(acme)
        reversal = "<RvslInd>true</RvslInd>"
        upload(acme, statement(entry(detail(reference))))
        # a debit that reverses a credit pays nobody
        odd = upload(acme, statement(entry(detail(reference), reversal=reversal)))
        assert results(odd) == [("conflict", "paid")]
        back = upload(acme, statement(entry(detail(reference), side="CRDT", reversal=reversal)))
        assert results(back) == [("ok", "returned")]
        assert ledger(acme) == RELEASED

    def test_confirms_a_file_that_is_booked_as_one(self, acme: Cast, s3: Any) -> None:
        prepared(acme, "Rahim", "Mina")
        new_batch = batch(acme)
        block = new_batch["id"].replace("-", "") + "BDT"
        one_sum = f"<Btch><PmtInfId>{block}</PmtInfId><NbOfTxs>2</NbOfTxs></Btch>"
        wrong = upload(acme, statement(entry(amount="23.00", batch=one_sum)))
        assert [item["result"] for item in wrong["items"]] == ["conflict"]
        reply = upload(acme, statement(entry(amount="24.00", batch=one_sum)))
        assert results(reply) == [("ok", "paid")] * 2
        back = upload(
            acme, statement(entry(amount="24.00", batch=one_sum, side="CRDT", reversal="<RvslInd>true</RvslInd>"))
        )
        assert results(back) == [("ok", "returned")] * 2

    def test_reports_what_was_booked_twice(self, acme: Cast, s3: Any) -> None:
        _rahim, reference, _new_batch = one(acme)
        twice = [entry(detail(reference, ref=ref)) for ref in ("FT1", "FT2")]
        back = entry(detail(reference, more=returned()), side="CRDT")
        reply = upload(acme, statement(*twice, back))
        # one of the two came back: the person has been paid once, and is not owed the money again
        assert results(reply) == [("ok", "paid"), ("conflict", "paid"), ("conflict", "paid")]
        assert "twice" in reply["items"][1]["detail"]
        assert ledger(acme) == ON_ITS_WAY

    def test_counts_what_is_not_ours(self, acme: Cast, s3: Any) -> None:
        _, reference, _ = one(acme)
        rent = entry(amount="900.00")
        reply = upload(acme, statement(rent, entry(detail("somebody-elses")), entry(detail(reference))))
        assert (len(reply["items"]), reply["unmatched"]) == (1, 2)

    def test_may_be_sent_to_one_batch_too(self, acme: Cast, s3: Any) -> None:
        _, reference, new_batch = one(acme)
        reply = acme.admin.ok(
            "POST", f"/payouts/batches/{new_batch['id']}/answer", statement(entry(detail(reference))), **XML
        )
        assert (results(reply), reply["open"]) == ([("ok", "paid")], 0)


class TestSeveralBatches:
    def test_are_settled_by_one_report(self, acme: Cast, s3: Any) -> None:
        (rahim,) = prepared(acme, "Rahim")
        first = batch(acme)
        mina = prepared(acme, "Rahim2", "Mina")[1]
        second = batch(acme)
        of = [payouts(acme)[who]["reference"] for who in (rahim, mina)]
        reply = upload(acme, statement(entry(detail(of[0])), entry(detail(of[1]))))
        assert results(reply) == [("ok", "paid")] * 2
        assert [(one["number"], one["open"]) for one in reply["batches"]] == [(1, 0), (2, 1)]
        assert [item["batch_id"] for item in reply["items"]] == [first["id"], second["id"]]

    def test_are_settled_by_rows(self, acme: Cast, s3: Any) -> None:
        _, reference, _ = one(acme)
        text = f"reference,status\n{reference},paid\nnothing-of-ours,paid\n{reference},sent\n"
        reply = acme.admin.ok("POST", "/payouts/bank-reports", text, **CSV)
        assert (reply["counts"], reply["unmatched"]) == ({"ok": 1, "not_found": 1}, 1)
        assert [(error["line"], error["column"]) for error in reply["errors"]] == [(4, "status")]

    def test_of_another_tenant_are_not_found(self, acme: Cast, zenith: Cast, s3: Any) -> None:
        rahim, reference, new_batch = one(acme)
        prepared(zenith, "Zara")
        batch(zenith)
        message = new_batch["id"].replace("-", "")
        booked = f"<Btch><MsgId>{message}</MsgId></Btch>"
        for text in (
            pain(new_batch, transfer(reference, "RJCT", why("AC04"))),
            pain(new_batch, group=f"<GrpSts>RJCT</GrpSts>{why('AC04')}"),
            statement(entry(detail(reference))),
            statement(entry(amount="12.00", batch=booked)),
        ):
            reply = upload(zenith, text)
            assert (reply["unmatched"], reply["batches"]) == (1, [])
            assert not any(item["result"] in ("ok", "review") for item in reply["items"])
        assert payouts(acme)[rahim]["status"] == "sending"
        assert sql(acme, "select count(*) from audit_logs where action = 'payouts.reported'")[0][0] == 0

    def test_are_audited_with_what_was_done(self, acme: Cast, s3: Any) -> None:
        _, reference, _ = one(acme)
        upload(acme, statement(entry(detail(reference))))
        (row,) = sql(acme, "select actor, after from audit_logs where action = 'payouts.reported'")
        assert row.after["results"] == {"ok": 1}


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "status", "detail"),
        [
            ("<d", 400, "not XML"),
            ("<html/>", 422, "html"),
            ("<Document>" + " " * 6_300_000 + "</Document>", 413, "bytes"),
        ],
        ids=["cut", "html", "large"],
    )
    def test_say_what_is_wrong(self, acme: Cast, s3: Any, text: str, status: int, detail: str) -> None:
        refused = acme.admin.post("/payouts/bank-reports", text, **XML)
        assert (refused.status, detail in refused.text) == (status, True)

    def test_name_the_line_whose_amount_is_none(self, acme: Cast, s3: Any) -> None:
        rahim, reference, new_batch = one(acme)
        more = '<OrgnlTxRef><Amt><InstdAmt Ccy="BDT">1e3</InstdAmt></Amt></OrgnlTxRef>'
        for text, element in (
            (pain(new_batch, transfer(reference, "ACSC", more=more)), "InstdAmt"),
            (statement(entry(detail(reference), amount="1,5")), "Amt"),
        ):
            reply = upload(acme, text)
            assert [(error["line"], error["column"]) for error in reply["errors"]] == [(1, element)]
        assert payouts(acme)[rahim]["status"] == "sending"

    def test_are_for_who_may_not_settle(self, acme: Cast) -> None:
        assert acme.hr.post("/payouts/bank-reports", "<a/>", **XML).status == 403

    def test_a_message_that_is_not_ours_is_unmatched(self, acme: Cast, s3: Any) -> None:
        reply = upload(acme, pain({"id": str(uuid4())}, group=f"<GrpSts>RJCT</GrpSts>{why('AC04')}"))
        assert (reply["items"], reply["unmatched"]) == ([], 1)
        assert reply["open"] == 0
