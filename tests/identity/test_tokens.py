"""OIDC tokens: signature, claims, and the member that each stands for."""

import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import text

from chalicelib.backing.database import transaction
from infra.local import aws
from tests.identity.conftest import Issuer, bearing, encoded, trust
from tests.support.api import Api
from tests.support.cast import Cast, platform_admin
from tests.support.people import employee, sql

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _member(issuer: Issuer, acme: Cast) -> None:
    """Make Rahim a member of Acme's HR."""
    acme.admin.ok("POST", "/members", {"email": "rahim@acme.example", "role": "hr"})


class TestToken:
    def test_of_a_member_enters_their_tenant(self, issuer: Issuer, acme: Cast) -> None:
        me = issuer.caller().ok("GET", "/me")
        assert (me["name"], me["role"], me["tenant"]) == ("rahim@acme.example", "hr", acme.slug)

    def test_names_the_scheme_in_any_case(self, issuer: Issuer) -> None:
        assert Api(headers={"authorization": f"bearer  {issuer.token()}"}).get("/me").status == 200

    def test_acts_for_the_person_its_member_is(self, issuer: Issuer, acme: Cast) -> None:
        person = employee(acme)
        acme.admin.ok("POST", "/members", {"email": "e@acme.example", "role": "employee", "user_id": str(person)})
        me = issuer.caller(sub="s-2", email="e@acme.example").ok("GET", "/me")
        assert (me["user_id"], me["permissions"]["people.read"]) == (str(person), "self")

    @pytest.mark.parametrize("claims", [
        {"iss": "https://login.example/other"}, {"iss": None}, {"aud": "another-client"}, {"aud": None},
        {"aud": ["another-client"]}, {"exp": None}, {"exp": NOW - timedelta(minutes=1)}, {"sub": None}, {"iat": None},
        {"nbf": NOW + timedelta(hours=1)}, {"iat": NOW + timedelta(hours=1)}, {"sub": 7}, {"exp": "soon"},
        {"headers": {"kid": "another"}}, {"headers": {"kid": "k1", "crit": ["b64"], "b64": False}},
    ])  # fmt: skip
    def test_with_wrong_claims_is_refused(self, issuer: Issuer, claims: dict) -> None:
        token = sign(issuer, **claims)
        assert bearing(token).get("/me").status == 401

    def test_may_be_late_by_half_a_minute(self, issuer: Issuer) -> None:
        now = datetime.now(UTC)
        assert issuer.caller(exp=now - timedelta(seconds=15)).get("/me").status == 200
        late = issuer.caller(exp=now - timedelta(seconds=45)).get("/me")
        assert (late.status, late.json["detail"]) == (401, "The token has expired; sign in again.")

    def test_signed_by_another_key_is_refused(self, issuer: Issuer) -> None:
        assert issuer.caller(key=rsa.generate_private_key(65537, 2048)).get("/me").status == 401

    def test_signed_by_nobody_is_refused(self, issuer: Issuer) -> None:
        assert bearing(issuer.unsigned()).get("/me").status == 401
        assert bearing(issuer.token().rpartition(".")[0] + ".").get("/me").status == 401

    def test_signed_with_the_public_key_as_a_secret_is_refused(self, issuer: Issuer) -> None:
        assert bearing(issuer.confused()).get("/me").status == 401

    def test_with_changed_claims_is_refused(self, issuer: Issuer) -> None:
        head, _, signature = issuer.token().split(".")
        forged = {**issuer._plain(), "email": "boss@acme.example"}
        assert bearing(f"{head}.{encoded(forged)}.{signature}").get("/me").status == 401

    @pytest.mark.parametrize("token", [
        "", ".", "..", "a.b.c", "\x00", "é.é.é", "\ud800.a.b", "x" * 20000, "[" * 9000,
        jwt.utils.base64url_encode(b"[" * 9000).decode() + ".e30.e30",
        jwt.utils.base64url_encode(b'{"alg":"RS256","kid":' + b"9" * 5000 + b"}").decode() + ".e30.e30",
        jwt.utils.base64url_encode(b'{"alg":"RS256","kid":["k1"]}').decode() + ".e30.e30",
        jwt.utils.base64url_encode(b'{"alg":"RS256"}').decode() + ".e30.e30",
        jwt.utils.base64url_encode(b'"RS256"').decode() + ".e30.e30",
    ], ids=lambda token: repr(token[:12]))  # fmt: skip
    def test_that_is_none_is_refused(self, token: str) -> None:
        assert bearing(token).get("/me").status == 401

    @pytest.mark.parametrize("header", [
        {"alg": "ES256"}, {"alg": "HS256"}, {"alg": "none"}, {"alg": "None"}, {"alg": ""}, {"alg": None},
        {"alg": ["RS256"]}, {"alg": {"RS256": 1}}, {"alg": 256}, {"alg": "PS256"}, {"alg": "EdDSA"},
        {"kid": None}, {"kid": 1}, {"kid": ["k1"]}, {"kid": {"k": 1}}, {"kid": "\ud800"}, {"kid": "k1\x00"},
        {"kid": ""}, {"crit": ["exp"]}, {"b64": False, "crit": ["b64"]}, {"typ": ["JWT"]}, {"jku": "https://evil.example/jwks"},
    ], ids=str)  # fmt: skip
    @pytest.mark.parametrize("is_signed", [True, False])
    def test_whose_header_lies_is_refused(self, issuer: Issuer, header: dict[str, object], is_signed: bool) -> None:
        whole = {"alg": "RS256", "kid": "k1", **header}
        head = f"{encoded(whole)}.{encoded(issuer._plain())}"
        token = f"{head}.{signed(issuer, head) if is_signed else encoded('forged')}"
        reply = bearing(token).get("/me")
        if is_signed and set(header) <= {"typ", "jku"}:  # what we do not read changes nothing
            assert reply.status == 200
        else:
            assert (reply.status, reply.json["type"]) == (401, "urn:wagebook:problem:unauthenticated")

    @pytest.mark.parametrize("claims", [
        {"exp": 10**400}, {"exp": -1}, {"exp": "9" * 400}, {"exp": []}, {"exp": True}, {"exp": 1.5e300},
        {"iat": 10**30}, {"iat": {}}, {"nbf": 10**400}, {"nbf": [1]}, {"iss": ["https://login.example/pool"]},
        {"iss": 1}, {"aud": 7}, {"aud": {"wagebook-client": 1}}, {"aud": [["wagebook-client"]]},
        {"sub": ""}, {"sub": "s\x00"}, {"sub": "\ud800"}, {"sub": "s" * 300}, {"sub": ["s-1"]}, {"jti": 5},
        {"email": "\ud800@acme.example"}, {"email": "rahim@acme.example\x00"},
    ], ids=lambda claims: str(claims)[:40])  # fmt: skip
    def test_with_claims_of_another_type_or_that_nobody_can_have_is_refused(
        self, issuer: Issuer, claims: dict[str, object]
    ) -> None:
        head = f"{encoded({'alg': 'RS256', 'kid': 'k1'})}.{encoded(issuer._plain() | claims)}"
        assert bearing(f"{head}.{signed(issuer, head)}").get("/me").status == 401

    @pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999"])
    @pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
    def test_with_times_that_are_no_numbers_is_refused(self, issuer: Issuer, claim: str, literal: str) -> None:
        plain = json.dumps(issuer._plain() | {claim: "HERE"}).replace('"HERE"', literal)
        payload = jwt.utils.base64url_encode(plain.encode()).decode()
        head = f"{encoded({'alg': 'RS256', 'kid': 'k1'})}.{payload}"
        assert bearing(f"{head}.{signed(issuer, head)}").get("/me").status == 401

    def test_that_is_refused_says_so_in_the_challenge(self, issuer: Issuer) -> None:
        refused = [bearing("nonsense"), bearing(issuer.unsigned()), bearing("x" * 20_000), issuer.caller(exp=1, iat=1)]
        challenges = {caller.get("/me").headers["WWW-Authenticate"] for caller in refused}
        assert challenges == {'Bearer realm="wagebook", error="invalid_token"'}

    def test_that_is_huge_is_refused_before_it_is_read(self, issuer: Issuer) -> None:
        assert bearing(issuer.token(note="x" * 20_000)).get("/me").status == 401
        assert bearing(issuer.token(note="x" * 2_000)).get("/me").status == 200

    def test_is_a_503_while_the_issuer_cannot_be_reached(self, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
        trust(monkeypatch, "http://127.0.0.1:9/jwks.json")
        reply = issuer.caller().get("/me")
        assert (reply.status, reply.headers["Retry-After"]) == (503, "1")

    def test_is_refused_where_no_issuer_is_configured(self, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
        trust(monkeypatch, "", issuer="")
        assert issuer.caller().get("/me").status == 401


class TestMember:
    @pytest.mark.parametrize("claims", [
        {"email_verified": False}, {"email_verified": None}, {"email_verified": "false"}, {"email": None},
        {"email": "stranger@acme.example"}, {"email": ["rahim@acme.example"]},
    ], ids=str)  # fmt: skip
    def test_is_rejected_without_a_verified_address_of_a_member(self, issuer: Issuer, claims: dict) -> None:
        reply = issuer.caller(**claims).get("/me")
        assert (reply.status, reply.json["detail"]) == (403, "You are signed in, but no tenant has you as a member.")

    def test_with_an_address_that_nobody_can_have_is_refused(self, issuer: Issuer) -> None:
        assert issuer.caller(email="rahim@acme.example\x00").get("/me").status == 401

    @pytest.mark.parametrize("email", ["Rahim@ACME.example", "rahim@acme.example"])
    def test_is_known_in_any_case_of_their_address(self, issuer: Issuer, email: str) -> None:
        assert issuer.caller(email=email, email_verified="true").get("/me").status == 200

    def test_is_bound_to_the_subject_at_the_first_sign_in(self, issuer: Issuer, acme: Cast) -> None:
        issuer.caller().ok("GET", "/me")
        assert sql(acme, "select issuer, subject from members") == [("https://login.example/pool", "s-1")]
        later = issuer.caller(sub="s-9").get("/me")
        assert later.status == 403
        moved = issuer.caller(email="new@acme.example", email_verified=False)
        assert moved.ok("GET", "/me")["name"] == "rahim@acme.example"

    def test_is_not_bound_by_a_request_that_is_refused(self, issuer: Issuer, acme: Cast) -> None:
        assert issuer.caller().get("/members").status == 403
        assert sql(acme, "select subject from members") == [(None,)]

    def test_of_several_tenants_chooses_one(self, issuer: Issuer, acme: Cast, zenith: Cast) -> None:
        zenith.admin.ok("POST", "/members", {"email": "rahim@acme.example", "role": "employee"})
        reply = issuer.caller().get("/me")
        assert reply.status == 403
        assert f"{acme.slug}, {zenith.slug}" in reply.json["detail"]
        for cast, role in ((acme, "hr"), (zenith, "employee")):
            me = issuer.caller().ok("GET", "/me", headers={"x-tenant": cast.slug})
            assert (me["tenant"], me["role"]) == (cast.slug, role)

    def test_of_one_tenant_chooses_no_other(self, issuer: Issuer, acme: Cast, zenith: Cast) -> None:
        assert issuer.caller().get("/me", headers={"x-tenant": acme.slug}).status == 200
        foreign = issuer.caller().get("/me", headers={"x-tenant": zenith.slug})
        unknown = issuer.caller().get("/me", headers={"x-tenant": "nobody"})
        assert foreign.status == unknown.status == 404
        assert foreign.json["detail"].replace(zenith.slug, "nobody") == unknown.json["detail"]

    def test_that_is_disabled_is_shut_out_at_once(self, issuer: Issuer, acme: Cast) -> None:
        issuer.caller().ok("GET", "/me")
        [member] = acme.admin.ok("GET", "/members")["items"]
        acme.admin.ok("PATCH", f"/members/{member['id']}", {"status": "disabled"})
        assert issuer.caller().get("/me").status == 403
        acme.admin.ok("PATCH", f"/members/{member['id']}", {"status": "active"})
        assert issuer.caller().get("/me").status == 200

    def test_of_a_suspended_tenant_is_refused(self, issuer: Issuer, acme: Cast) -> None:
        platform_admin().ok("PATCH", f"/tenants/{acme.id}", {"status": "suspended"})
        reply = issuer.caller().get("/me")
        assert (reply.status, reply.json["detail"]) == (403, "This tenant is suspended.")


class TestPlatformAdmin:
    @pytest.fixture(name="root", autouse=True)
    def _root(self) -> None:
        with transaction(role="wagebook_platform") as session:
            session.execute(
                text(
                    "insert into platform_admins (name, email) values ('Ops', 'ops@wagebook.example')"
                    " on conflict do nothing"
                )
            )

    def test_signs_in_by_a_verified_address(self, issuer: Issuer) -> None:
        ops = issuer.caller(sub="ops", email="Ops@wagebook.example")
        assert ops.ok("GET", "/me")["role"] == "platform_admin"
        assert ops.get("/tenants").status == 200
        assert ops.get("/users").status == 403

    def test_does_not_sign_in_by_one_that_is_not_verified(self, issuer: Issuer) -> None:
        assert issuer.caller(sub="ops", email="ops@wagebook.example", email_verified=False).get("/me").status == 403


class TestCognito:
    def test_of_the_local_stack_signs_members_in(
        self, issuer: Issuer, acme: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        acme.admin.ok("POST", "/members", {"email": "karim@acme.example", "role": "hr"})
        with aws.running() as stack:
            trust(monkeypatch, stack["OIDC_JWKS_URL"], issuer=stack["OIDC_ISSUER"], audience=stack["OIDC_AUDIENCE"])
            token = aws.make_login(stack["AWS_ENDPOINT_URL"], "karim@acme.example", "Long-enough-1!")
            assert bearing(token).ok("GET", "/me")["tenant"] == acme.slug
            assert issuer.caller().get("/me").status == 401


def sign(issuer: Issuer, **claims: object) -> str:
    """Sign claims as they are, also those that a signing library would refuse."""
    if claims.get("exp") != "soon" and claims.get("sub") != 7 and claims.get("iss", "") is not None:
        return issuer.token(**claims)
    present = {name: value for name, value in (issuer._plain() | claims).items() if value is not None}
    head = f"{encoded({'alg': 'RS256', 'kid': 'k1'})}.{encoded(present)}"
    return f"{head}.{signed(issuer, head)}"


def signed(issuer: Issuer, head: str) -> str:
    """Return the issuer's RS256 signature over a token's first two parts, whatever they say."""
    algorithm = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
    return jwt.utils.base64url_encode(algorithm.sign(head.encode(), issuer.key)).decode()
