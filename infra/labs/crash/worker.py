"""A real worker process, to be killed: it consumes the queues of a local SQS until it dies.

Leases and the retry schedule are a hundredth as long as in the product, so that a kill does not cost two minutes.
"""

import os
from datetime import timedelta


def shorten_delays() -> None:
    """Shorten leases and the retry schedule to a hundredth."""
    from chalicelib.features.payouts.delivery import rules as delivery_rules

    delivery_rules.LEASE = timedelta(seconds=1.5)
    delivery_rules.RESEND_AFTER = timedelta(seconds=1)
    retry_delays = [timedelta(seconds=seconds) for seconds in (0.2, 0.5, 1, 2, 3)]
    delivery_rules.RETRY_WAITS = (retry_delays[0], retry_delays[1], retry_delays[2], retry_delays[3], retry_delays[4])


def main() -> None:
    """Consume the queues until killed."""
    import app
    from chalicelib.backing.log import logger
    from infra.local.events import EventLoop

    logger.setLevel("CRITICAL")
    shorten_delays()
    loop = EventLoop(app.app, endpoint=os.environ["AWS_ENDPOINT_URL"])
    loop.schedules = {}  # the parent process runs the schedules
    print("ready", flush=True)
    loop.run()


if __name__ == "__main__":
    main()
