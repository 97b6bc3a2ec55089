"""Asking the language model: good days and bad ones, with the real SDK over HTTP."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from content import ai, prompts
from content.ai import NoAnswer
from content.prompts import captions
from errors import codes
from errors.steps import Step
from sandbox.testing import Control

PATH = "v1/responses"
FACTS = {"about": "Kiln opening on Thursday, forty pieces, two cracked", "tone": "ours"}


def ask(heard: Any = None) -> ai.Answered:
    return ai.ask(captions.prompt(FACTS), heard)


def refused(heard: Any = None) -> NoAnswer:
    with pytest.raises(NoAnswer) as met:
        ask(heard)
    return met.value


def test_an_answer_fits_its_shape_and_says_what_it_used(openai: Control, steps_here: list[Step]) -> None:
    answered = ask()

    assert isinstance(answered.answer, captions.Answer)
    assert len({variant.text for variant in answered.answer.variants}) == 3
    assert (answered.used.requests, answered.model) == (1, "gpt-4o")
    assert [(step.name, step.outcome) for step in steps_here] == [("POST 127.0.0.1/v1/responses", "answered")]
    assert answered.used.input_tokens > 0 < answered.used.output_tokens


def test_every_prompt_gets_an_answer_of_its_shape(openai: Control) -> None:
    for feature in ("ideas", "hashtags", "script", "carousel", "alt_text", "voice", "audit", "bio", "plan",
                    "dm_template", "competitors"):  # fmt: skip
        module = prompts.of(feature)

        assert isinstance(
            ai.ask(module.prompt(FACTS | {"posts": 12, "days": 30, "minutes": 20})).answer, module.Answer
        ), feature


def test_a_stream_tells_how_long_the_answer_is(openai: Control) -> None:
    lengths: list[int] = []

    answered = ask(lengths.append)

    assert lengths == sorted(lengths)
    assert lengths[-1] == len(answered.answer.model_dump_json()) or lengths[-1] > 500
    assert openai.openai_requests()[-1]["stream"] is True


@pytest.mark.parametrize("bad", ["malformed", "truncated", "off_schema", "not_json", "bad_json"])
@pytest.mark.parametrize("heard", [None, lambda _: None])
def test_what_does_not_fit_is_asked_for_once_more(openai: Control, bad: str, heard: Any) -> None:
    openai.fault(bad, path=PATH)

    answered = ask(heard)

    assert answered.used.requests == 2
    assert "cannot be used" in str(openai.openai_requests()[-1]["input"])


def test_what_never_fits_is_given_up(openai: Control) -> None:
    openai.fault("truncated", path=PATH, times=None)

    failed = refused()

    assert (failed.code, failed.used.requests) == (codes.AI_ANSWER_UNUSABLE, 2)
    assert failed.used.output_tokens > 0  # the provider bills us for them; the workspace does not pay


def test_a_refusal_is_final(openai: Control) -> None:
    openai.fault("refusal", path=PATH)

    assert refused().code is codes.AI_REFUSED
    openai.fault("refusal", path=PATH)
    assert refused(lambda _: None).code is codes.AI_REFUSED


@pytest.mark.parametrize("bad", ["503", "500", "429", "reset", "cut"])
def test_a_passing_fault_is_outlived(openai: Control, bad: str) -> None:
    openai.fault(bad, path=PATH, seconds=1)

    assert ask().used.requests == 2


def test_a_provider_that_is_down_is_asked_three_times_and_then_left_alone(openai: Control) -> None:
    order = openai.fault("503", path=PATH, times=None)

    for _ in range(ai.OPENS_AFTER):
        assert refused().code is codes.AI_UNAVAILABLE
    before = openai.faults()[0]["hits"]
    resting = refused()

    assert before == ai.OPENS_AFTER * ai.TRIES
    assert (resting.code, openai.faults()[0]["hits"]) == (codes.AI_UNAVAILABLE, before)
    assert 0 < int(str(resting.meta["retry_after"])) <= ai.RESTS
    assert order["fault"] == "503"


def test_a_long_retry_after_is_not_waited_for(openai: Control) -> None:
    openai.fault("429", path=PATH, seconds=600)

    failed = refused()

    assert (failed.code, failed.used.requests, failed.meta["retry_after"]) == (codes.AI_UNAVAILABLE, 1, 600)


@pytest.mark.parametrize("bad", ["hang", "drip"])
def test_no_call_outlives_its_deadline(openai: Control, monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    assert ai.DEADLINE + 0.5 < 31  # RELIABILITY 96
    monkeypatch.setattr(ai, "DEADLINE", 1.0)
    openai.fault(bad, path=PATH, times=None)

    failed = refused()

    assert (failed.code, failed.used.requests) == (codes.AI_TIMED_OUT, 1)
    assert failed.used.milliseconds < 10_000  # the dripping answer alone would take an hour


def test_a_wrong_key_is_told_to_operators_and_not_tried_again(openai: Control) -> None:
    openai.fault("bad_key", path=PATH)

    failed = refused()

    assert (failed.code, failed.used.requests) == (codes.AI_NOT_SET_UP, 1)


def test_without_a_provider_nothing_is_asked(settings: Settings) -> None:
    settings.OPENAI_API_KEY = settings.OPENAI_BASE_URL = ""

    assert refused().code is codes.AI_NOT_SET_UP


def test_only_named_facts_leave_us(openai: Control) -> None:
    ai.ask(captions.prompt(FACTS | {"session": "canary-7f3a", "sealed": "canary-7f3a", "user": "canary-7f3a"}))

    assert "canary-7f3a" not in str(openai.openai_requests())
    assert openai.openai_requests()[-1]["store"] is False
