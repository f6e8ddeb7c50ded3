"""The crash points and faults by name, and the draw of which of them strike in a run."""

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


class Crash(StrEnum):
    """Everything that a run may inject; the value is its line in the table."""

    # kills and lost commits, drawn for a run, and struck when the point is reached
    READ = "kill after a read, before the lock"
    WRITE = "kill after a write, before the commit"
    COMMIT_UNSEEN = "commit reported failed but durable"
    COMMIT_LOST = "commit lost"
    BEFORE_RELAY = "kill between commit and relay"
    BEFORE_MARK = "kill after the SQS send, before marking"
    BEFORE_CALL = "kill after the claim, before the call"
    BEFORE_SETTLE = "kill after the call, before settling"
    SETTLE_UNSEEN = "settling commit reported failed but durable"
    SETTLE_LOST = "settling commit lost"
    BEFORE_ACK = "kill after settling, before the ack"
    BEFORE_FILE = "kill before a bank file is written"
    BEFORE_FILED = "kill after a bank file is written, before the commit"
    AFTER_HAND_IN = "kill after a file was handed in, before anybody knows"
    TIME_LIMIT = "Lambda killed at its time limit in mid-batch"
    DATABASE_KILLED = "database killed in mid-transaction"
    PAUSED = "worker paused between two transactions"
    # what the provider does
    TIMEOUT_BEFORE = "provider times out before success"
    TIMEOUT_AFTER = "provider times out after success"
    ERROR_AFTER = "provider says 5xx after success"
    TOO_MANY = "provider says 429"
    UNREADABLE = "provider's answer cannot be read, after success"
    LANDS_LATE = "request lands up to 30 minutes late"
    REFUSED = "provider refuses"
    REFUSED_UNSEEN = "provider refuses, and its answer is lost"
    SAYS_OTHER_AMOUNT = "provider reports another amount"
    PAYS_OTHER_AMOUNT = "provider pays another amount"
    COMES_BACK = "money comes back late"
    NO_LOOK_UP = "look-up times out"
    # what a bank and its customers do
    HANDED_IN_TWICE = "bank file handed in twice"
    REPORT_TWICE = "bank's report uploaded twice"
    REPORT_LOST = "bank's report lost"
    REPORT_REORDERED = "bank's reports out of order"
    LESS_A_FEE = "money comes back less a fee"
    # what the queues do
    SENT_TWICE = "message duplicated under another id"
    DELIVERED_TWICE = "message delivered again while it is processed"
    REORDERED = "messages out of order"
    THROTTLED = "message received but not processed (throttled)"
    DEAD = "message moved to the dead-letter queue"
    NOT_TAKEN = "SQS does not accept a message"
    NO_REST = "SQS does not delay a failed message (ChangeMessageVisibility)"
    POISON = "poison message in a batch"
    # what users and clocks do
    CLOCK_OFF = "worker with a clock up to 10 minutes off"
    SAME_SLOT = "two schedulers in the same slot"
    CONTRADICTING = "two bulk reconciles that contradict each other"
    WHILE_SENDING = "decline while the advance is being sent"
    SLOW_PAST_KEY = "time moved to the end of a key's life"
    RESTORED = "database restored to ten minutes ago"
    LEFT_RUNNING = "everything still running killed at the end"


STRIKES = (
    Crash.READ, Crash.WRITE, Crash.COMMIT_UNSEEN, Crash.COMMIT_LOST, Crash.BEFORE_RELAY, Crash.BEFORE_MARK,
    Crash.BEFORE_CALL, Crash.BEFORE_SETTLE, Crash.SETTLE_UNSEEN, Crash.SETTLE_LOST, Crash.BEFORE_ACK,
    Crash.TIME_LIMIT, Crash.DATABASE_KILLED, Crash.PAUSED,
)  # fmt: skip
FILE_STRIKES = (Crash.BEFORE_FILE, Crash.BEFORE_FILED, Crash.AFTER_HAND_IN, Crash.READ, Crash.WRITE)
AMBIGUOUS = (Crash.COMMIT_UNSEEN, Crash.COMMIT_LOST, Crash.SETTLE_UNSEEN, Crash.SETTLE_LOST)
KILLS = (
    *(one for one in STRIKES if one not in (*AMBIGUOUS, Crash.DATABASE_KILLED, Crash.PAUSED)),
    *FILE_STRIKES[:3],
    Crash.LEFT_RUNNING,
)

PROVIDER = (
    Crash.TIMEOUT_BEFORE, Crash.TIMEOUT_AFTER, Crash.ERROR_AFTER, Crash.TOO_MANY, Crash.UNREADABLE, Crash.LANDS_LATE,
    Crash.LANDS_LATE, Crash.REFUSED, Crash.REFUSED_UNSEEN, Crash.SAYS_OTHER_AMOUNT, Crash.PAYS_OTHER_AMOUNT,
    Crash.COMES_BACK,
)  # fmt: skip


@dataclass
class Faults:
    """The faults of one run. A strike waits for its point and skips it so many times; the others are probabilities."""

    strikes: list[tuple[Crash, int]]
    provider: float  # the fraction of calls that fail
    doubled: float
    throttled: float
    not_taken: float
    no_rest: float
    poison: bool
    short_visibility: bool
    slow_transactions: bool  # time may make long steps during a transaction
    crowds: bool  # several actors may wait for one lock; who gets it first is then not determined by the seed
    switching: float  # the probability of a switch at a point
    skews: list[int] = field(default_factory=list)  # clock error of each worker, in seconds

    @classmethod
    def draw(cls, rng: Random, *, has_files: bool = False) -> "Faults":
        """Draw the faults of a run: sometimes none, mostly several at once."""
        drawn = [(rng.choice(STRIKES), rng.choice((0, 0, 1, 2, 4))) for _ in range(rng.choice((0, 1, 2, 3, 4, 6)))]
        if has_files:
            drawn += [(rng.choice(FILE_STRIKES), rng.choice((0, 0, 1))) for _ in range(rng.choice((0, 1, 2)))]
        # a killed database restarts with cold connections, which takes as long as three runs
        strikes = [one for one in drawn if one[0] is not Crash.DATABASE_KILLED or rng.random() < 0.4]
        return cls(
            strikes=strikes,
            provider=rng.choice((0.0, 0.3, 0.6, 0.9)),
            doubled=rng.choice((0.0, 0.0, 0.3, 0.6)),
            throttled=rng.choice((0.0, 0.0, 0.1, 0.5)),
            not_taken=rng.choice((0.0, 0.0, 0.2)),
            no_rest=rng.choice((0.0, 0.0, 0.5)),
            poison=rng.random() < 0.15,
            short_visibility=rng.random() < 0.3,
            slow_transactions=rng.random() < 0.4,
            crowds=rng.random() < 0.1,
            switching=rng.choice((0.03, 0.1, 0.1, 0.3)),
            skews=[rng.choice((0, 0, 0, -600, 600, -120, 240)) for _ in range(4)],
        )

    def strikes_now(self, crash: Crash) -> bool:
        """Return whether a drawn strike falls here, and use it up."""
        for place, (drawn, skip) in enumerate(self.strikes):
            if drawn is crash:
                if skip:
                    self.strikes[place] = (drawn, skip - 1)
                    continue
                del self.strikes[place]
                return True
        return False
