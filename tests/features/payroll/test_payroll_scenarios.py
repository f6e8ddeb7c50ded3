"""The stories of tests/scenarios/payroll, lived through over the API, beside the slow model as a second opinion."""

from collections.abc import Iterator

import pytest

from migrations.setup import Urls
from tests.scenarios.payroll_loader import Story, load
from tests.support import stack
from tests.support.payroll_office import Office
from tests.support.stack import Stack

STORIES = load()


@pytest.fixture(scope="module", name="running")
def _running(database: Urls) -> Iterator[Stack]:
    """Run the queues for all stories: each has a company of its own, and leaves the queues empty."""
    with stack.running() as started:
        yield started


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_it_comes_out_as_written(story: Story, running: Stack) -> None:
    office = Office(story, running)
    for step in story.steps:
        office.do(step)


def test_there_are_enough_and_each_has_a_sentence() -> None:
    assert len(STORIES) >= 60
    for story in STORIES:
        assert story.sentence.endswith("."), story.name
        assert any(step.word == "payslips" for step in story.steps), story.name
