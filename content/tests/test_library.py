"""Files: what is taken in and how, what is cut out of it, and who may read it from where."""

import io
import os
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from accounts import tenancy
from accounts.models import User
from accounts.tests.team import signed_in
from bots.models import InstagramAccount
from content import library, videos
from content.models import Folder, Media
from content.tests.making import clip, kept, picture, scheduled, video
from errors import codes
from errors.exceptions import BotException
from instagrowth.testing import everywhere, read

pytestmark = pytest.mark.django_db


def refused(deed: Any, *args: Any, **kwargs: Any) -> BotException:
    with pytest.raises(BotException) as stop:
        deed(*args, **kwargs)
    return stop.value


def test_a_picture_is_drawn_anew_upright_and_without_where_it_was_taken(
    alices_account: InstagramAccount, alice: User
) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x8825] = 6, {1: "N", 2: (59.0, 54.0, 50.0)}
    file = io.BytesIO()
    Image.new("RGB", (3000, 2000), (1, 2, 3)).save(file, "JPEG", exif=exif)
    media = kept(alices_account, alice, SimpleUploadedFile("phone.jpg", file.getvalue()))

    assert (media.kind, media.width, media.height) == ("image", 1440, 2160)
    with default_storage.open(library.name_of(media)) as stored, Image.open(stored) as drawn:
        assert (drawn.format, drawn.size, dict(drawn.getexif())) == ("JPEG", (1440, 2160), {})


def test_a_video_is_known_by_its_boxes_and_loses_its_place(alices_account: InstagramAccount, alice: User) -> None:
    media = kept(alices_account, alice, clip(seconds=12.5, width=1920, height=1080, turned=True))

    assert (media.kind, media.width, media.height, media.milliseconds) == ("video", 1080, 1920, 12500)
    with default_storage.open(library.name_of(media)) as stored:
        data = stored.read()
    assert b"+59.9139" not in data
    assert len(data) == len(video())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (video(codec=b"vp09"), "neither H.264 nor HEVC"),
        (video()[:-20], "cut off"),
        (video()[:40], "cut off"),
        (b"\0\0\0\x10ftypheic\0\0\0\0", "not an MP4 or MOV"),
        (b"GIF89a", "not a PNG, JPEG or WebP"),
        (b"", "not a PNG, JPEG or WebP"),
    ],
)
def test_what_instagram_would_not_take_is_refused_with_the_reason(
    alices_account: InstagramAccount, alice: User, data: bytes, words: str
) -> None:
    stop = refused(kept, alices_account, alice, SimpleUploadedFile("it", data))

    assert words in stop.message
    with everywhere():
        assert not Media.objects.exists()


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 900), st.binary(min_size=1, max_size=12))
def test_a_damaged_video_is_understood_or_refused_and_never_a_fault(place: int, noise: bytes) -> None:
    data = video()
    place %= len(data)
    with suppress(BotException):
        found = videos.read(io.BytesIO(data[:place] + noise + data[place + len(noise) :]))
        assert all(start + length <= len(data) + len(noise) for start, length in found.private)


@pytest.mark.parametrize(
    ("shape", "size"), [("1:1", (1000, 1000)), ("4:5", (960, 1200)), ("9:16", (675, 1200)), ("1.91:1", (1000, 524))]
)
def test_a_variant_is_cut_out_of_the_middle(
    alices_account: InstagramAccount, alice: User, shape: str, size: tuple[int, int]
) -> None:
    media = kept(alices_account, alice, picture(1000, 1200))
    with tenancy.scope(media.workspace_id):
        variant = library.cut(media, shape, alice)
        assert (variant.width, variant.height, variant.original_id) == (*size, media.pk)
        assert library.cut(variant, "1:1", alice).original_id == media.pk


def test_a_signed_address_opens_its_file_and_no_other(
    client: Client, alices_account: InstagramAccount, alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    media, other = (kept(alices_account, alice) for _ in range(2))
    path = library.path_of(media)
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert read(answer)[:3] == b"\xff\xd8\xff"

    assert client.get(path.replace(str(media.pk), str(other.pk))).status_code == 404
    assert client.get(path.replace(".jpg", "-small.jpg")).status_code == 404
    with django_capture_on_commit_callbacks(execute=True), tenancy.scope(media.workspace_id):
        library.remove(media, alice)
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("age", "status"), [(timedelta(hours=25, minutes=59), 200), (timedelta(hours=26, minutes=1), 404)]
)
def test_a_signed_address_ends_after_26_hours_which_is_longer_than_a_container_lives(
    client: Client,
    alices_account: InstagramAccount,
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    age: timedelta,
    status: int,
) -> None:
    media, then = kept(alices_account, alice), time.time() - age.total_seconds()
    with monkeypatch.context() as patch:
        patch.setattr("django.core.signing.time.time", lambda: then)
        address = library.address_of(media)

    answer = client.get(address.removeprefix(settings.SITE_URL))
    assert answer.status_code == status
    assert status == 404 or len(read(answer)) == media.size
    assert timedelta(hours=24) < library.GOOD_FOR


def test_a_file_of_a_scheduled_post_stays(alices_official: InstagramAccount, alice: User) -> None:
    media = kept(alices_official, alice)
    scheduled(alices_official, alice, [media])
    with tenancy.scope(media.workspace_id):
        assert refused(library.remove, media, alice).code is codes.PUB_MEDIA_IN_USE


def test_files_that_no_row_names_are_put_aside_after_a_day_and_go_after_a_week(
    alices_official: InstagramAccount, alice: User, settings: Any, tmp_path: Path
) -> None:
    private = settings.STORAGES["default"]
    options = private["OPTIONS"] | {"location": tmp_path}
    settings.STORAGES = settings.STORAGES | {"default": private | {"OPTIONS": options}}
    stays, goes, begun = (kept(alices_official, alice) for _ in range(3))
    files = [library.name_of(media, small=small) for small in (False, True) for media in (stays, goes, begun)]
    with everywhere():
        goes.delete()  # and its worker died before it removed the files
        begun.delete()  # as one whose upload is not over

    def grows_old(days: float, *names: str) -> None:
        for name in names:
            os.utime(default_storage.path(name), (time.time() - days * 86_400,) * 2)

    def aside() -> list[str]:
        return [f"media-gone/{file}" for file in default_storage.listdir("media-gone")[1]]

    grows_old(1.1, *files[0::3], *files[1::3])
    library.sweep()
    assert [default_storage.exists(file) for file in files] == [True, False, True] * 2
    assert len(aside()) == 2

    library.sweep()
    assert len(aside()) == 2
    grows_old(7.1, *aside())
    library.sweep()
    assert aside() == []


def test_folders_hold_files_and_a_search_finds_them(alices_account: InstagramAccount, alice: User) -> None:
    page = signed_in(alice)
    page.post(reverse("calendar:new_folder"), {"name": "Spring"})
    with everywhere():
        folder = Folder.objects.get()
    files = {"files": [picture(name="bowl.jpg"), picture(name="mug.png", kind="PNG")], "folder": folder.pk}
    said = page.post(reverse("calendar:upload"), files, follow=True).content.decode()

    assert "2 files are in the library." in said
    found = page.get(f"{reverse('calendar:library')}?folder={folder.pk}&q=mug").content.decode()
    assert ("mug.png" in found, "bowl.jpg" in found) == (True, False)
    with everywhere():
        media = Media.objects.get(name="bowl.jpg")
    page.post(reverse("calendar:media", args=[media.pk]), {"name": "Bowl", "alt_text": "A blue bowl", "folder": ""})
    assert "alt=&quot;A blue bowl" in page.get(reverse("calendar:library")).content.decode().replace('"', "&quot;")


def test_any_file_of_the_library_goes_into_a_post_however_old_it_is(
    alices_account: InstagramAccount, alice: User
) -> None:
    old = kept(alices_account, alice, picture(name="first bowl.jpg"))
    with everywhere():
        Media.objects.bulk_create(
            Media(workspace=alices_account.workspace, name=f"{n}.jpg", width=9, height=9, size=9) for n in range(45)
        )
    page, tick = signed_in(alice), f'value="{old.pk}"'
    new, media = reverse("calendar:new"), reverse("calendar:library")
    assert tick not in page.get(new).content.decode()
    use = f"{new}?media={old.pk}"
    assert use in page.get(reverse("calendar:media", args=[old.pk])).content.decode()
    assert f"{tick} checked" in page.get(use).content.decode()

    newest, found = (page.get(f"{media}?pick&q={words}").content.decode() for words in ("", "bowl"))
    assert (tick in newest, "The newest 40 of 46." in newest) == (False, True)
    assert (tick in found, found.count("<label"), "<html" in found) == (True, 1, False)
    kept_ticks = page.post(new, {"kind": "image", "media": [old.pk], "planned_for": "soon", "then": "keep"})
    assert (kept_ticks.status_code, f"{tick} checked" in kept_ticks.content.decode()) == (400, True)


def test_of_several_files_all_are_taken_or_none(alices_account: InstagramAccount, alice: User) -> None:
    files = {"files": [picture(), SimpleUploadedFile("bad.gif", b"GIF89a")]}
    answer = signed_in(alice).post(reverse("calendar:upload"), files)

    assert answer.status_code == 400
    with everywhere():
        assert not Media.objects.exists()
