"""A reply address proves itself: asked by the deployed API, answered from the mail in the engine's outbox."""

import re

import pytest
import requests

from infra.local.api import ApiRefused, account_body
from infra.local.outbox import SentMail, sent_mail
from infra.local.stack import Stack
from infra.local.up import SENDER_ADDRESS
from tests.flow.conftest import LocalStack

pytestmark = pytest.mark.flow

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def mails_to(stack: LocalStack, address: str) -> list[SentMail]:
    return [mail for mail in sent_mail(stack.outputs["EndpointUrl"]) if address in mail.recipients]


def link_in(mail: SentMail) -> str:
    (link,) = set(re.findall(r"https?://\S+/reply-to/confirm\?token=[\w-]{43}", mail.text))
    return str(link)


def test_an_address_is_in_force_once_its_reader_has_clicked(local_stack: LocalStack) -> None:
    api = local_stack.api
    body = account_body(email="asks@example.com", name="My shop", host="127.0.0.1", port=9, password="x")
    one = f"/accounts/{api.post('/accounts', {**body, 'verify': False})['id']}"
    address = "shop-replies@example.com"

    for _ in range(5):
        asked = api.call("PUT", f"{one}/reply-to", {"address": address})
        assert (asked["reply_to"]["verified"], asked["reply_to"]["in_force"]) == (False, None)
    with pytest.raises(ApiRefused) as refused:
        api.call("PUT", f"{one}/reply-to", {"address": address})
    assert (refused.value.status, refused.value.code) == (429, "too_many_verification_mails")

    *replaced, mail = mails_to(local_stack, address)
    assert mail.sender == SENDER_ADDRESS
    assert [requests.post(link_in(older), timeout=30).status_code for older in replaced] == [410] * 4
    link = link_in(mail)
    assert link.startswith(local_stack.outputs["ApiUrl"])

    for _ in range(3):
        page = requests.get(link, timeout=30)
        assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert requests.head(link, timeout=30).status_code >= 400
    assert api.get(one)["reply_to"]["verified"] is False
    assert requests.post(f"{link[:-1]}!", headers=FORM, timeout=30).status_code == 410

    answered = requests.post(link, headers=FORM, timeout=30)
    assert answered.status_code == 200
    assert answered.headers["Cache-Control"] == "no-store"
    assert api.get(one)["reply_to"] == {"address": address, "verified": True, "in_force": address, "expires_at": None}
    for again in (requests.get(link, timeout=30), requests.post(link, headers=FORM, timeout=30)):
        assert again.status_code == 410

    api.delete(f"{one}/reply-to")
    assert api.get(one)["reply_to"] is None


def test_an_owner_who_prefers_vietnamese_asks_in_vietnamese(local_stack: LocalStack) -> None:
    owner = local_stack.another_owner("linh@example.com")
    local_stack.clients.cognito().admin_update_user_attributes(
        UserPoolId=local_stack.outputs["UserPoolId"],
        Username="linh@example.com",
        UserAttributes=[{"Name": "locale", "Value": "vi-VN"}],
    )
    api = local_stack.api_of(owner)
    body = account_body(email="linh@example.com", name="Linh", host="127.0.0.1", port=9, password="x")
    one = f"/accounts/{api.post('/accounts', {**body, 'verify': False})['id']}"
    api.call("PUT", f"{one}/reply-to", {"address": "linh-replies@example.com"})
    (mail,) = mails_to(local_stack, "linh-replies@example.com")
    assert "bạn" in mail.subject
    page = requests.get(link_in(mail), headers={"Accept-Language": "en"}, timeout=30)
    assert '<html lang="vi"' in page.text


def test_links_lead_to_the_engine_however_often_it_is_said(local_stack: LocalStack) -> None:
    for _ in range(2):
        Stack(local_stack.workspace).lead_links_here()
    url = local_stack.outputs["ApiUrl"]
    *_, api_id, stage = url.split("/")
    told = local_stack.clients.apigateway().get_stage(restApiId=api_id, stageName=stage)
    assert told["variables"] == {"publicUrl": url}
