"""Mail that was sent is shown beside the product, and what comes back finds the queue."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from threading import Thread
from types import SimpleNamespace
from unittest import mock

import chalice.local
import pytest
from chalice import Chalice, Response
from chalice.config import Config

from chalicelib.backing import mail
from chalicelib.backing.settings import settings
from infra.local import aws, mailbox, serve


@pytest.fixture(scope="module", name="endpoint")
def _endpoint() -> Iterator[str]:
    """Start the stand-in and let the product mail by it."""
    with aws.running(["wagebook-mail-events"]) as configuration:
        more = {
            "APPLICATION_DATABASE_URL": "postgresql://nobody",
            "MAIL_FROM": configuration["MAIL_FROM"],
            "MAIL_CONFIGURATION_SET": configuration["MAIL_CONFIGURATION_SET"],
        }
        with mock.patch.dict(os.environ, {**aws.environment(configuration["AWS_ENDPOINT_URL"]), **more}):
            mail.client.cache_clear()
            settings.cache_clear()
            yield configuration["AWS_ENDPOINT_URL"]
        mail.client.cache_clear()
        settings.cache_clear()


def send(subject: str, page: str = "<p>Hello</p>") -> str:
    created = mail.Mail(
        to="rahim@acme.example",
        to_name="Rahim",
        from_name="Acme",
        subject=subject,
        text="Hello <you>",
        html=page,
        language="en",
    )
    return mail.send(created, tags={"tenant_id": "1"})


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  # our own http address
        return str(answer.read().decode())


class TestMailbox:
    def test_lists_what_was_sent_newest_first_and_shows_one(self, endpoint: str) -> None:
        send("First <script>alert(1)</script>")
        send("ছুটি", '<p onclick="x">Hello</p>')
        status, headers, page = mailbox.page("/_mail", endpoint=endpoint)
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert page.index("ছুটি") < page.index("First &lt;script&gt;")
        assert "<script" not in page
        assert "Rahim &lt;rahim@acme.example&gt;" in page
        _, _, one = mailbox.page("/_mail/2?x=1", endpoint=endpoint)
        assert "<h1>ছুটি</h1>" in one
        assert "Hello &lt;you&gt;" in one
        assert '<iframe sandbox srcdoc="&lt;p onclick=&quot;x&quot;&gt;Hello&lt;/p&gt;' in one

    @pytest.mark.parametrize("path", ["/_mail/0", "/_mail/999", "/_mail/x", "/_mail/../docs", "/_mail/" + "9" * 5000])
    def test_has_no_other_page(self, endpoint: str, path: str) -> None:
        assert mailbox.page(path, endpoint=endpoint)[0] == 404

    def test_stands_beside_the_product(self, endpoint: str) -> None:
        class Handler(chalice.local.ChaliceRequestHandler):
            def log_message(self, *_: object) -> None:
                """Keep tests silent."""

        product = Chalice(app_name="product")
        product.route("/docs")(lambda: Response("the product"))
        serve.show_mail(SimpleNamespace(ChaliceRequestHandler=Handler))
        created = chalice.local.LocalDevServer(product, Config.create(), "127.0.0.1", 0, handler_cls=Handler)
        server = created.server
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        assert "<h1>Mail</h1>" in get(f"{url}/_mail")
        assert get(f"{url}/docs") == "the product"
        for path in ("/_mail/x", "/_mailing"):
            with pytest.raises(urllib.error.HTTPError):
                get(f"{url}{path}")
        server.shutdown()
        server.server_close()


class TestMailEvents:
    def test_published_to_the_topic_arrive_at_the_queue(self, endpoint: str) -> None:
        sns, sqs = aws.client(endpoint, "sns"), aws.client(endpoint, "sqs")
        [topic] = [one["TopicArn"] for one in sns.list_topics()["Topics"]]
        sns.publish(TopicArn=topic, Message=json.dumps({"eventType": "Bounce"}))
        url = sqs.get_queue_url(QueueName="wagebook-mail-events")["QueueUrl"]
        [message] = sqs.receive_message(QueueUrl=url)["Messages"]
        assert json.loads(message["Body"]) == {"eventType": "Bounce"}

    def test_are_set_up_again_without_harm(self, endpoint: str) -> None:
        aws.route_mail_events(*(aws.client(endpoint, name) for name in ("ses", "sns", "sqs")))
        assert len(aws.client(endpoint, "sns").list_subscriptions()["Subscriptions"]) == 1
