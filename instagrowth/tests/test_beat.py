"""What beat sends out."""

from celery.beat import Scheduler

from instagrowth.celery import app


class Planned(Scheduler):
    """Beat as it sets out, without a file of when it sent what."""

    def setup_schedule(self) -> None:
        self.install_default_entries(self.data)
        self.update_from_dict(self.app.conf.beat_schedule)


def test_beat_sends_what_is_on_our_screen_and_nothing_of_its_own() -> None:
    planned = Planned(app, lazy=True)
    planned.setup_schedule()

    assert set(planned.schedule) == set(app.conf.beat_schedule)


def test_each_of_it_is_a_task_that_there_is() -> None:
    app.loader.import_default_modules()

    assert {entry["task"] for entry in app.conf.beat_schedule.values()} - set(app.tasks) == set()


def test_a_worker_whose_clock_is_half_a_minute_ahead_still_works() -> None:
    """Celery asks the worker's clock whether a message has expired; each of ours lives longer than clocks differ."""
    assert min(entry["options"]["expires"] for entry in app.conf.beat_schedule.values()) >= 60
