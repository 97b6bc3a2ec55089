"""Pictures, videos and posts that the calendar's tests share."""

import io
import re
import struct
import zlib
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now
from django.utils.timezone import now
from PIL import Image

from accounts import tenancy
from accounts.models import User
from bots.models import InstagramAccount
from content import calendar, library, publishing
from content.models import Media, Post
from instagrowth.testing import everywhere


def picture(width: int = 1080, height: int = 1080, name: str = "bowl.jpg", kind: str = "JPEG") -> SimpleUploadedFile:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (60, 140, 150)).save(file, kind)
    return SimpleUploadedFile(name, file.getvalue(), "image/jpeg")


def printed(paper: bytes) -> str:
    """The words of a PDF that fpdf2 made, as a reader that copies them gets them, in the order of the page."""
    objects = dict(re.findall(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", paper, re.DOTALL))

    def stream(number: bytes) -> bytes:
        held = objects[number].partition(b"stream\n")[2].rpartition(b"\nendstream")[0]
        return zlib.decompress(held) if b"/FlateDecode" in objects[number] else held

    fonts = dict(re.findall(rb"/(F\d+) (\d+) 0 R", paper))
    letters = {
        name: dict(re.findall(rb"<(\w{4})> <(\w+)>", stream(re.search(rb"/ToUnicode (\d+)", objects[number])[1])))  # type: ignore[index]
        for name, number in fonts.items()
    }
    said, font = "", b""
    for page in re.findall(rb"/Contents (\d+) 0 R", paper):
        for chosen, text in re.findall(rb"/(F\d+) [\d.]+ Tf|\((.*?)(?<!\\)\)", stream(page), re.DOTALL):
            font = chosen or font
            raw = re.sub(rb"\\(.)", lambda one: b"\r" if one[1] == b"r" else one[1], text, flags=re.DOTALL)
            for place in range(0, len(raw), 2):
                code = letters[font].get(raw[place : place + 2].hex().upper().encode(), b"")
                said += bytes.fromhex(code.decode()).decode("utf-16-be")
    return said


def box(name: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I4s", len(data) + 8, name) + data


def video(
    seconds: float = 8, width: int = 1080, height: int = 1920, codec: bytes = b"avc1", *, turned: bool = False
) -> bytes:
    """An MP4 that has all boxes we look at, and no pictures."""
    matrix = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30) if turned else (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    tkhd = struct.pack(">I20x16x9iII", 7, *matrix, width << 16, height << 16)
    mvhd = struct.pack(">I8xII", 0, 1000, int(seconds * 1000)) + bytes(80)
    hdlr = struct.pack(">II4s", 0, 0, b"vide") + bytes(13)
    stsd = struct.pack(">II", 0, 1) + box(codec, bytes(78))
    track = box(
        b"trak", box(b"tkhd", tkhd), box(b"mdia", box(b"hdlr", hdlr), box(b"minf", box(b"stbl", box(b"stsd", stsd))))
    )
    place = box(b"udta", box(b"\xa9xyz", b"+59.9139+010.7522/"))
    return box(b"ftyp", b"isom", bytes(8)) + box(b"moov", box(b"mvhd", mvhd), track, place) + box(b"mdat", bytes(64))


def clip(name: str = "glaze.mp4", **how: Any) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, video(**how), "video/mp4")


def kept(account: InstagramAccount, user: User, upload: SimpleUploadedFile | None = None) -> Media:
    with tenancy.scope(account.workspace_id):
        return library.add(account.workspace, user, upload or picture())


def scheduled(account: InstagramAccount, user: User, media: list[Media] | None = None, **words: Any) -> Post:
    """A post that is due now, as if its hour had just come."""
    with tenancy.scope(account.workspace_id):
        media = media or [library.add(account.workspace, user, picture())]
        soon = now() + timedelta(hours=1)
        known = {"caption": "Kiln day", "planned_for": soon, "media": media} | words
        post = calendar.draft(account.workspace, account, user, **known)
        membership = account.workspace.memberships.get(user=user)
        calendar.schedule(membership, post)
        Post.objects.filter(pk=post.pk).update(due_at=Now())
    return fresh(post)


def fresh(post: Post) -> Post:
    with everywhere():
        return Post.objects.select_related("account").get(pk=post.pk)


def work() -> int:
    """Let a worker do everything that is due; how many turns there were."""
    turns = 0
    while claims := publishing.claim():
        for claim in claims:
            publishing.turn(claim.workspace, claim.post, claim.fence)
            turns += 1
    return turns


def come_due(*posts: Post) -> None:
    """Let the next hour of posts come."""
    with everywhere():
        Post.objects.filter(pk__in=[post.pk for post in posts], due_at__isnull=False).update(due_at=Now())


def captions(account: InstagramAccount) -> list[str]:
    """What stands on Instagram of what was published by us, the newest first."""
    from bots.official import official_door

    with tenancy.scope(account.workspace_id):
        door = official_door(account)
    posts, after = door.media(limit=100)
    while after:
        more, after = door.media(after, limit=100)
        posts += more
    return [post["caption"] for post in posts if "notes, number" not in post["caption"]]
