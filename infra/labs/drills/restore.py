"""`python -m infra.labs.drills.restore`: lose the database, restore it to before some payouts, pay nobody twice."""

from __future__ import annotations

import signal
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from infra.labs.drills import backup, surroundings
from infra.labs.drills.books import Books
from infra.labs.drills.steps import DrillFailure, Steps, expect
from infra.labs.drills.story import Story
from infra.local.events import EventLoop
from infra.local.postgres import Server
from migrations import setup

TITLE = "Restore drill: the database is lost after payouts were sent, and comes back from before them"

MARGIN = timedelta(minutes=10)  # matching begins that long before the moment restored


def drill(steps: Steps, home: Path, loop: EventLoop) -> None:
    """Run the drill in a folder, on servers of its own."""
    with steps.step("start a server that archives its log, migrate") as step:
        server = backup.start(home)
        urls = setup.prepare(server.admin_url, surroundings.passwords())
        setup.upgrade(urls.migrator)
        step.seen = f"the log goes to the archive within {backup.ARCHIVES_WITHIN} s"
    try:
        with steps.step("base backup") as step:
            step.seen = f"{backup.base_backup(server, home) / 1e6:.0f} MB, verified"
        surroundings.use(urls.application, PAYOUTS_ENABLED="true")
        moment, story, books = _live(steps, server, home, loop)
    finally:
        backup.kill(server)
    with steps.step("the server is killed; restore to the moment") as step:
        server = backup.restore(home, moment)
        step.seen = "base backup, and the log from the archive up to the moment"
    try:
        surroundings.use(backup.with_port_of(urls.application, server), PAYOUTS_ENABLED="false")
        _come_back(steps, story, Books(server), books, since=moment - MARGIN)
    finally:
        surroundings.leave()
        server.stop()


def _live(steps: Steps, server: Server, home: Path, loop: EventLoop) -> tuple[datetime, Story, Books]:
    """Play a day at the company, up to the moment, and on to the disaster."""
    books = Books(server)
    with steps.step("business: sales, advances, a payroll run") as step:
        story = Story.begin(loop)
        step.seen = f"{books.summary()}; payroll of {len(story.earned)} employees approved, one payout held"
    with steps.step("the moment to come back to") as step:
        moment = books.now()
        before = len(books.movements())
        step.seen = f"{moment:%H:%M:%S.%f} UTC, with {before} movements at the provider"
    with steps.step("business goes on: payroll paid, new sales, finals") as step:
        story.go_on()
        books.remember()
        after = len(books.movements())
        step.seen = f"{books.summary()}; {after - before} movements are younger than the moment"
        if after - before < 5:
            raise DrillFailure(f"only {after - before} payouts were sent after the moment: nothing is proven")
    with steps.step("the archive follows") as step:
        step.seen = f"complete up to here after {backup.wait_for_archive(server, home):.1f} s"
    with steps.step("disaster: a table is dropped") as step:
        books.destroy()
        status, _ = story.company.admin.ask("GET", "/payouts")
        expect(status, 500, "GET /payouts without its table")
        step.seen = f"GET /payouts answers {status}"
    return moment, story, books


def _come_back(steps: Steps, story: Story, books: Books, lost: Books, *, since: datetime) -> None:
    """Do what the operators do."""
    with steps.step("look at what came back") as step:
        step.seen = f"{books.summary()}; {books.summary_of_loss(lost)}"
        books.take_over(lost)  # the provider's own list, which no restore of ours can change
    sent = books.movements()
    with steps.step("PAYOUTS_ENABLED=false: try everything that sends") as step:
        step.seen = story.try_to_send(lost.payout_ids)
        expect(books.movements(), sent, "the provider's list after an hour with payouts off")
        step.seen += "; the provider saw nothing"
    with steps.step("payouts match, before: --dry-run") as step:
        planned = story.match(since, "--dry-run")
        step.seen = _format_counts(planned)
        expect(story.match(since, "--dry-run"), planned, "a second --dry-run")
    with steps.step("payouts match") as step:
        matched = story.match(since)
        step.seen = _format_counts(matched)
        expect(matched, planned, "what was matched, against what was said before")
        if not (matched["adopted"] and matched["settled"]):
            raise DrillFailure("nothing was adopted, or nothing settled: nothing is proven")
        again = story.match(since)
        expect((again["adopted"], again["settled"], again["contradicted"]), (0, 0, 0), "a second match")
        step.seen += "; again: nothing"
    expect(books.movements(), sent, "the provider's list after matching")
    with steps.step("PAYOUTS_ENABLED=true: clients send again what was lost") as step:
        surroundings.use(books.application_url, PAYOUTS_ENABLED="true")
        story.do_again()
        new_movements = [one for one in books.movements() if one not in sent]
        expect({one.user_id: one.amount for one in new_movements}, story.new_only(), "what was paid after switching on")
        step.seen = f"{len(new_movements)} new movement, of the one sale that nobody had paid yet"
    with steps.step("everybody is paid once") as step:
        books.expect_paid_once(story.owed())
        step.seen = (
            f"{len(story.owed())} people, each what they are owed, {len(books.movements())} references once each"
        )
    with steps.step("cli check") as step:
        step.seen = story.check()


def _format_counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())


def main() -> int:
    """Run the drill and print its table; return 0 if every step passed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers and their folder are removed
    steps = Steps(TITLE)
    try:
        with tempfile.TemporaryDirectory(prefix="wagebook-drill-") as folder, surroundings.product() as loop:
            drill(steps, Path(folder), loop)
    except Exception as error:
        if not any(step.problem for step in steps.done):
            raise
        steps.console.print(f"{type(error).__name__}: {error}", style="red", markup=False)
    finally:
        steps.show()
    if steps.passed:
        steps.console.print("Proven: nothing was sent while payouts were off, and everybody was paid once.")
    return 0 if steps.passed else 1


if __name__ == "__main__":
    sys.exit(main())
