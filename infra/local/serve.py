"""Run `chalice local` for the project, fit for measuring: no Nagle delay, and admission control."""

from __future__ import annotations

import gc
import os
import sys
from typing import Any

from infra.local import admission, gateway_replies, mailbox
from infra.local.children import PROJECT


def quicken(local: Any) -> None:
    """Change the server classes of `chalice.local`.

    As shipped, every answer leaves in two packets and waits 40 ms for the first one's acknowledgement (Nagle and
    delayed ACK), and more than 5 waiting connections are turned away for a second.
    """
    local.ChaliceRequestHandler.wbufsize = 65536
    local.ChaliceRequestHandler.disable_nagle_algorithm = True
    local.ThreadedHTTPServer.request_queue_size = 512


def show_mail(local: Any) -> None:
    """Serve the mailbox as well, which is no part of the product."""
    product = local.ChaliceRequestHandler.do_GET

    def get(self: Any) -> None:
        if mailbox.is_mail(self.path):
            self._send_http_response(*mailbox.page(self.path, endpoint=os.environ["AWS_ENDPOINT_URL"]))
        else:
            product(self)

    local.ChaliceRequestHandler.do_GET = get


def settle(local: Any) -> None:
    """Keep what the product is made of out of every look for garbage, once it is loaded.

    A full one takes a sixth of a second otherwise, and stops all threads; in Lambda it stops one request.
    """
    serve = local.LocalDevServer.serve_forever

    def serve_forever(self: Any) -> None:
        gc.collect()
        gc.freeze()
        serve(self)

    local.LocalDevServer.serve_forever = serve_forever


def main(port: str) -> None:
    """Serve on 127.0.0.1 until it is killed."""
    import chalice.cli
    import chalice.local

    quicken(chalice.local)
    show_mail(chalice.local)
    admission.bound(chalice.local, admission.Admission())
    gateway_replies.answer_as_deployed(chalice.local)
    settle(chalice.local)
    arguments = ["--project-dir", str(PROJECT), "local", "--stage", "api", "--no-autoreload", "--port", port]
    chalice.cli.cli(arguments, obj={})


if __name__ == "__main__":
    main(sys.argv[1])
