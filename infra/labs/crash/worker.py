"""A worker process of the true kind, to be killed: it empties the queues of a stand-in for SQS until it dies.

Leases and the ladder are as in the product, but a hundredth as long: nobody waits two minutes for each kill.
"""

import os
from datetime import timedelta


def hasten() -> None:
    """Make everything that waits wait a hundredth of its time."""
    from chalicelib.features.payouts.delivery import rules as delivery_rules

    delivery_rules.LEASE = timedelta(seconds=1.5)
    delivery_rules.NUDGE = timedelta(seconds=1)
    retry_delays = [timedelta(seconds=seconds) for seconds in (0.2, 0.5, 1, 2, 3)]
    delivery_rules.LADDER = (retry_delays[0], retry_delays[1], retry_delays[2], retry_delays[3], retry_delays[4])


def main() -> None:
    """Work until it is killed."""
    import app
    from chalicelib.backing.log import logger
    from infra.local.events import EventLoop

    logger.setLevel("CRITICAL")
    hasten()
    loop = EventLoop(app.app, endpoint=os.environ["AWS_ENDPOINT_URL"])
    loop.schedules = {}  # time is somebody else's
    print("ready", flush=True)
    loop.run()


if __name__ == "__main__":
    main()
