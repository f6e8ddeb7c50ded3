"""The checks of money: each seen to hold on the demo, and to fail on something broken by a superuser."""

import pytest
from sqlalchemy import Connection, text

from chalicelib.backing.database import transaction
from chalicelib.operators import checks
from chalicelib.operators.scopes import get_tenant_id
from tests.cli.conftest import Cli
from tests.support.cast import tenant
from tests.support.stack import running

UNKEPT = "alter table ledger_entries disable trigger all; "
UNMOVED = "alter table payouts disable trigger all; "
MINA = "(select id from users where name = 'Mina Rahman')"
NADIA = "(select id from users where name = 'Nadia Islam')"
SOLD = "(select id from sales where user_id = {} and external_id = '{}')"
FIRST, SECOND, CORRECTED = SOLD.format(MINA, "S01-0001"), SOLD.format(MINA, "S01-0002"), SOLD.format(NADIA, "S03-0001")
FINAL = "(select id from payouts where kind = 'final' and user_id = (select id from users where name = '{}'))"
MINAS, BILKIS = FINAL.format("Mina Rahman"), FINAL.format("Bilkis Banu")
LINE = UNKEPT + (
    "insert into ledger_entries (tenant_id, user_id, subject_id, event, revision, debit, credit, currency, amount,"
    " booked_at) select tenant_id, user_id, id, {}, currency, {}, now() from "
)
RAISE = f"update ledger_accounts set balance = balance + 0.01 where kind = 'payable' and user_id = {MINA}"
AGAIN = "tenant_id, reference, user_id, currency, amount, status, at"


@pytest.fixture(name="acme", scope="module", autouse=True)
def _acme(cli: Cli) -> object:
    assert cli("demo", "load").code == 0
    return get_tenant_id("acme")


class TestOfMoney:
    """Mina Rahman sold three times for 40.00: 12.00 in advance, then 68.00."""

    @pytest.mark.parametrize(
        ("name", "breaking", "expected"),
        [
            ("ledger", RAISE,
             "its balance is 0.01 BDT, its lines come to 0.00"),
            ("ledger", RAISE,
             "all accounts together: 0.01 BDT and not 0"),
            ("ledger", UNKEPT + f"update ledger_entries set amount = 69 where subject_id = {MINAS}",
             "its balance is 0.00 BDT, its lines come to 1.00"),
            ("ledger", f"delete from ledger_accounts where kind = 'advances' and user_id = {MINA}",
             "its lines come to 0.00 BDT, and it was never opened"),
            ("advances", UNKEPT + f"update ledger_entries set amount = 4.01 where subject_id = {SECOND}",
             "advance 4.01 of 40.00 BDT, at most 10 % was ever agreed"),
            ("advances", LINE.format("'advance', 2, 'advances', 'payable'", "0.01") + f"sales where id = {FIRST}",
             "advanced 2 times, here 0.01 BDT"),
            ("advances", UNKEPT + f"update ledger_entries set user_id = {NADIA}"
             f" where event = 'advance' and subject_id = {FIRST}", "the sale is in BDT of"),
            ("advances", UNKEPT + f"update ledger_entries set subject_id = {MINA} where subject_id = {FIRST}",
             "advance of 4.00 BDT to"),
            ("sales", "insert into pending_sales (tenant_id, sale_id, user_id)"
             f" select tenant_id, id, user_id from sales where id = {FIRST}",
             "it was declined and is still on the list of those to decide"),
            ("sales", "delete from pending_sales", "nobody decided it, and it is not on the list"),
            ("sales", f"delete from sale_decisions where sale_id = {FIRST}",
             "of 40.00 BDT: nobody decided it, and it is not on the list"),
            ("sales", f"update sale_decisions set revision = 3 where revision = 2 and sale_id = {CORRECTED}",
             "2 decisions, the last is number 3"),
            ("sales", f"update sale_decisions set status = 'declined' where sale_id = {CORRECTED}",
             "it was declined twice in a row"),
            ("sales", UNKEPT + f"delete from ledger_entries where line = 2 and subject_id = {SECOND}",
             "40.00 BDT, approved: booked payable 4.00, advances 0.00, cost 4.00 instead of 40.00, 0, 40.00"),
            ("sales", UNKEPT + f"delete from ledger_entries where subject_id = {CORRECTED} and event = 'reverse'",
             "declined: booked payable"),
            ("sales", UNKEPT + f"update ledger_entries set subject_id = {MINA} where subject_id = {FIRST}",
             "it is not there, but lines or decisions of it are"),
            ("owed", f"update payouts set amount = 69 where id = {MINAS}",
             "payable 0.00, in flight 0 and paid 81.00 make 81.00 BDT, their sales and payslips come to 80.00"),
            ("owed", f"update sales set earning = 41 where id = {SECOND}",
             "make 80.00 BDT, their sales and payslips come to 81.00"),
            ("owed", f"update ledger_accounts set balance = -0.01 where kind = 'payable' and user_id = {MINA}",
             "payable 0.01, in flight 0 and paid 80.00"),
            ("owed", UNMOVED + f"update payouts set status = 'returned' where id = {MINAS}",
             "and paid 12.00 make 12.00 BDT"),
            ("payouts", UNKEPT + f"delete from ledger_entries where subject_id = {MINAS}",
             "its money was taken out of payable 0 times"),
            ("payouts", LINE.format("'payout', 2, 'payable', 'cash'", "amount") + f"payouts where id = {MINAS}",
             "its money was taken out of payable 2 times"),
            ("payouts", LINE.format("'release', 1, 'cash', 'payable'", "amount") + f"payouts where id = {MINAS}",
             "it is paid, and its money was given back 1 times"),
            ("payouts", UNKEPT + "delete from ledger_entries where event = 'release' and subject_id = "
             + BILKIS, "it is failed, and its money was given back 0 times"),
            ("payouts", UNMOVED + f"update payouts set status = 'returned' where id = {MINAS}",
             "it is returned, and its money was given back 0 times"),
            ("payouts", f"update payouts set amount = 69 where id = {MINAS}", "1 of its lines are of another amount"),
            ("payouts", f"update payouts set through_number = through_number - 1 where id = {MINAS}",
             "what it pays comes to "),  # 32.00 or 72.00, by which sale's line was booked last
            ("payouts", UNKEPT + f"update ledger_entries set subject_id = {MINA} where subject_id = {MINAS}",
             "which is not there: 68.00 BDT"),
            ("cash", "update ledger_accounts set balance = balance + 0.01 where kind = 'cash' and currency = 'USD'",
             " USD have left, and payouts say "),
            ("cash", "update payouts set amount = amount + 1 where status = 'held'", "by the ledger, "),
            ("movements", f"delete from simulated_movements where user_id = {MINA}",
             "it is paid, and the provider moved nothing"),
            ("movements", f"update simulated_movements set amount = 69 where amount = 68 and user_id = {MINA}",
             ": the provider paid 69 BDT to"),
            ("movements", f"update simulated_movements set currency = 'USD' where user_id = {MINA}",
             "the provider paid 68.00 USD to"),
            ("movements", f"update simulated_movements set reference = 'x' where amount = 68 and user_id = {MINA}",
             "under x, which is no payout"),
            ("movements", f"insert into simulated_movements ({AGAIN}) select {AGAIN} from simulated_movements"
             f" where amount = 68 and user_id = {MINA}", "the provider paid it 2 times, 136.00 BDT altogether"),
            ("movements", "update simulated_movements set status = 'accepted' where status = 'refused'",
             "it is failed, and the provider paid it"),
            ("histories", f"delete from payout_events where payout_id = {MINAS}", "it has no history"),
            ("histories", f"delete from payout_events where what = 'made' and payout_id = {MINAS}",
             "it cannot have become sending after nothing"),
            ("histories", f"delete from payout_events where what = 'sent' and payout_id = {MINAS}",
             "it cannot have become paid after queued"),
            ("histories", UNMOVED + f"update payouts set status = 'review' where id = {MINAS}",
             "it is review after 1 claims, its history ends with paid after 1"),
            ("histories", f"update payouts set fence = 2 where id = {MINAS}", "it is paid after 2 claims"),
            ("histories", f"update payout_events set fence = 7 where what = 'sent' and payout_id = {MINAS}",
             "it cannot have become paid after sending"),
        ],
    )  # fmt: skip
    def test_fails_when_broken(
        self, session: Connection, acme: object, name: str, breaking: str, expected: str
    ) -> None:
        whole = checks.check_tenant(session, name, acme)  # type: ignore[arg-type]
        assert (whole.wrong, whole.problems) == (0, [])
        session.execute(text(breaking))
        broken = checks.check_tenant(session, name, acme)  # type: ignore[arg-type]
        assert broken.wrong >= 1
        assert expected in " / ".join(broken.problems)

    def test_lets_advances_of_an_earlier_rate_stand(self, session: Connection, acme: object) -> None:
        session.exec_driver_sql("""update tenants set policy = policy || '{"advance_rate": "0.05"}'""")
        assert checks.check_tenant(session, "advances", acme).wrong == 0  # type: ignore[arg-type]

    def test_shows_what_a_provider_paid_twice(self) -> None:
        with running() as stack:
            theirs = tenant("Acme")
            behaviour = {"kind": "simulated", "behaviour": "duplicate"}
            seller = theirs.admin.ok("POST", "/sales/user", {"name": "Mina", "payout_destination": behaviour})
            sale = theirs.admin.ok("POST", "/sales", {"user_id": seller["id"], "earning": "40.00"})
            theirs.admin.ok("POST", "/reconcile", {"items": [{"sale_id": sale["id"], "status": "approved"}]})
            theirs.admin.ok("POST", "/payouts/final/run", headers={"idempotency-key": "once"})
            stack.drain()
        with transaction(tenant_id=theirs.id) as session:
            found = checks.check_tenant(session, "movements", theirs.id)
        assert found.seen == 1
        assert found.problems[0].endswith(f"to {seller['id']}: the provider paid it 2 times, 80.00 BDT altogether")


class TestWaiting:
    @pytest.mark.parametrize(
        ("waiting", "expected"),
        [
            (UNMOVED + f"update payouts set status = 'unknown', unknown_since = now() - interval '98 hours'"
             f" where id = {MINAS}", "and was not given to a person"),
            (UNMOVED + f"update payouts set status = 'queued' where id = {MINAS};"
             f"update payout_events set at = at - interval '61 minutes' where payout_id = {MINAS}", "nobody sends it"),
            (UNMOVED + f"update payouts set status = 'queued', provider = 'bank_file' where id = {MINAS};"
             f"update payout_events set at = at - interval '8 days' where payout_id = {MINAS}", "and in no bank file"),
            (UNMOVED + f"update payouts set status = 'sending' where id = {MINAS};"
             f"update payout_events set at = at - interval '25 hours' where payout_id = {MINAS}",
             "nobody knows what became of it"),
            ("update payout_events set at = at - interval '8 days' where payout_id ="
             " (select id from payouts where status = 'held' order by amount limit 1)", "waits for approval since"),
            (f"update payouts set look_at = null where id = {MINAS};"
             f"update simulated_movements set status = 'returned' where user_id = {MINA}",
             "paid, and the provider says that it came back"),
            (f"update payout_events set what = 'resolved' where status = 'paid' and payout_id = {MINAS};"
             f"update simulated_movements set amount = 69.00 where amount = 68 and user_id = {MINA}",
             "somebody said that it was paid, the provider says 69.00 BDT"),
        ],
    )  # fmt: skip
    def test_names_what_waits_too_long(self, session: Connection, acme: object, waiting: str, expected: str) -> None:
        before = checks.check_tenant(session, "waiting", acme)  # type: ignore[arg-type]
        assert before.wrong == 1
        assert "9226.25 BDT" in before.problems[0]
        assert "in review since" in before.problems[0]
        session.exec_driver_sql(waiting)
        after = checks.check_tenant(session, "waiting", acme)  # type: ignore[arg-type]
        assert after.wrong == 2
        assert expected in " / ".join(after.problems)

    def test_lets_payouts_rest_while_they_are_switched_off(self, session: Connection, acme: object) -> None:
        session.exec_driver_sql(UNMOVED + f"update payouts set status = 'queued' where id = {MINAS}")
        session.exec_driver_sql(f"update payout_events set at = at - interval '1 day' where payout_id = {MINAS}")
        assert checks.check_tenant(session, "waiting", acme).wrong == 2  # type: ignore[arg-type]
        session.exec_driver_sql("""update tenants set policy = policy || '{"payouts_enabled": false}'""")
        assert checks.check_tenant(session, "waiting", acme).wrong == 1  # type: ignore[arg-type]

    def test_is_told_and_fails_nothing(self, cli: Cli) -> None:
        printed, machine = cli("check", "--tenant", "acme"), cli("check", "--tenant", "acme", "--json")
        assert printed.code == machine.code == 0
        assert "waiting: acme: payout " in printed.out
        assert machine.json["ok"]
        assert machine.json["checks"]["waiting"]["is_warning"]
