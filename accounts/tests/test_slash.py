"""Addresses with and without their last slash."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_person_is_led_to_the_page() -> None:
    answer = Client().get("/dashboard")

    assert (answer.status_code, answer["Location"]) == (301, "/dashboard/")


@pytest.mark.parametrize("method", ["get", "post", "patch"])
def test_a_program_is_told_that_there_is_nothing(method: str) -> None:
    answer = getattr(Client(), method)("/api/accounts")

    assert (answer.status_code, answer.json()["error"]) == (404, "NOT_FOUND")
