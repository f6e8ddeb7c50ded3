"""The process that stands in for AWS: moto with everything Wagebook expects in it."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from infra.local import aws, mailbox
from infra.local.children import report_ready

KEY_ID = "0199c0de-0000-4000-8000-000000000001"  # its ciphertexts name it


def main(answer_to: str) -> None:
    """Serve until SIGTERM, on a free port, and report the application's settings to the owner."""
    # Same name, same id: the OIDC issuer and audience stay what they were when the stack is started again.
    os.environ.setdefault("MOTO_COGNITO_IDP_USER_POOL_ID_STRATEGY", "HASH")
    os.environ.setdefault("MOTO_COGNITO_IDP_USER_POOL_CLIENT_ID_STRATEGY", "HASH")
    from moto.moto_api._internal import urls
    from moto.server import ThreadedMotoServer

    urls.url_paths[f"{{0}}{mailbox.SENT}"] = mailbox.sent_mail

    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # else a line for every poll of every queue
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with _same_master_key(os.environ.get(aws.MASTER_KEY, "")):
        settings = aws.bootstrap("http://127.0.0.1:{1}".format(*server.get_host_and_port()))
    report_ready(answer_to, json.dumps(settings))
    signal.sigwait({signal.SIGTERM})
    os._exit(0)  # threads in a long poll would keep the process for up to 20 seconds


@contextmanager
def _same_master_key(stored: str) -> Iterator[None]:
    """Give the KMS key that is created inside the id and secret of the last start."""
    if not stored:
        yield
        return
    # moto cannot import key material
    with (
        patch("moto.kms.models.generate_key_id", return_value=KEY_ID),
        patch("moto.kms.models.generate_master_key", return_value=bytes.fromhex(stored)),
    ):
        yield


if __name__ == "__main__":
    main(sys.argv[1])
