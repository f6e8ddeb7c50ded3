"""This will be the process that stands in for AWS: moto with everything Wagebook expects in it."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys

from infra.local import aws
from infra.local.children import answer


def main(answer_to: str) -> None:
    """This will serve until SIGTERM, on a free port, and tell the owner the settings of the application."""
    # Same name, same id: the OIDC issuer and audience stay what they were when the stack is started again.
    os.environ.setdefault("MOTO_COGNITO_IDP_USER_POOL_ID_STRATEGY", "HASH")
    os.environ.setdefault("MOTO_COGNITO_IDP_USER_POOL_CLIENT_ID_STRATEGY", "HASH")
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # else a line for every poll of every queue
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    settings = aws.bootstrap("http://127.0.0.1:{1}".format(*server.get_host_and_port()))
    answer(answer_to, json.dumps(settings))
    signal.sigwait({signal.SIGTERM})
    os._exit(0)  # threads that hold somebody's long poll would keep us for up to 20 seconds


if __name__ == "__main__":
    main(sys.argv[1])
