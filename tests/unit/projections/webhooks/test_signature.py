"""Signatures hold for Standard Webhooks' own library, which shares no code with ours."""

import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from projections.webhooks.errors import BadEndpoint
from projections.webhooks.signature import headers_of, key_of, new_secret

BODY = '{"type":"run.started","data":{"name":"Zoë"}}'.encode()


def signed(*secrets: str, at: int | None = None, name: str = "evt_1") -> dict[str, str]:
    moment = int(time.time()) if at is None else at
    return headers_of(name, moment, BODY, [key_of(secret) for secret in secrets])


def test_the_library_accepts_what_is_signed_with_its_secret() -> None:
    secret = new_secret()
    assert Webhook(secret).verify(BODY, signed(secret))["type"] == "run.started"


def test_while_a_secret_is_replaced_both_verify() -> None:
    old, new = new_secret(), new_secret()
    headers = signed(new, old)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        Webhook(secret).verify(BODY, headers)


@pytest.mark.parametrize("broken", ["body", "id", "timestamp", "signature", "secret"])
def test_the_library_refuses_what_was_changed(broken: str) -> None:
    secret = new_secret()
    headers, body = signed(secret), BODY
    if broken == "body":
        body = BODY.replace(b"started", b"stopped")
    elif broken == "id":
        headers["webhook-id"] = "evt_2"
    elif broken == "timestamp":
        headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + 1)
    elif broken == "signature":
        headers["webhook-signature"] = signed(new_secret())["webhook-signature"]
    else:
        secret = new_secret()
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


def test_the_example_of_the_specification_comes_out() -> None:
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    headers = headers_of("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body, [key])
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_not base64!", "x" * 44])
def test_a_secret_out_of_form_is_refused_and_not_quoted(secret: str) -> None:
    with pytest.raises(BadEndpoint) as caught:
        key_of(secret)
    assert not secret or secret not in str(caught.value) or secret == "whsec_"
