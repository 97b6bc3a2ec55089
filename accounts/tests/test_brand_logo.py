"""A logo: what is taken, what is refused, and that nothing but its pixels stays."""

import io
import random
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image, PngImagePlugin

from accounts import pictures
from accounts.models import Logo, User, Workspace
from billing import entitlements
from errors import codes
from errors.exceptions import BotException
from instagrowth.testing import everywhere

PAGE = "/settings/workspace/brand/"
SECRET = b"A-SECRET-THAT-RIDES-ALONG"


def drawn(kind: str = "PNG", size: tuple[int, int] = (300, 90), mode: str = "RGB", **more: Any) -> bytes:
    file = io.BytesIO()
    colour = {"RGB": (10, 127, 131), "RGBA": (10, 127, 131, 128), "CMYK": (9, 9, 9, 9), "LA": (99, 128)}.get(mode, 1)
    Image.new(mode, size, colour).save(file, kind, **more)
    return file.getvalue()


def redrawn(data: bytes, name: str = "logo.png") -> Image.Image:
    png = pictures.logo(SimpleUploadedFile(name, data))
    assert SECRET not in png
    picture = Image.open(io.BytesIO(png))
    picture.load()
    assert picture.format == "PNG"
    assert picture.info == {}, "only pixels stay"
    return picture


def refusal(data: bytes, name: str = "logo.png") -> str:
    with pytest.raises(BotException) as refused:
        pictures.logo(SimpleUploadedFile(name, data))
    assert refused.value.code is codes.UPLOAD_REFUSED
    return refused.value.message


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, *chunks: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")


def webp_of(width: int, height: int) -> bytes:
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + canvas
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("name", ["logo.png", "logo.exe", "logo", "logo.svg", "../../logo.php"])
def test_a_picture_is_taken_whatever_its_name_says(kind: str, name: str) -> None:
    assert redrawn(drawn(kind), name).size == (300, 90)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_taken(mode: str) -> None:
    assert redrawn(drawn(mode=mode)).mode == "RGBA"


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_kind_of_jpeg_is_taken(mode: str) -> None:
    redrawn(drawn("JPEG", mode=mode, progressive=True))


@pytest.mark.parametrize(
    ("size", "becomes"),
    [
        ((512, 160), (512, 160)),
        ((4000, 1000), (512, 128)),
        ((100, 1000), (16, 160)),
        ((1, 1), (1, 1)),
        ((4000, 1), (512, 1)),
    ],
)
def test_it_fits_into_its_place(size: tuple[int, int], becomes: tuple[int, int]) -> None:
    assert redrawn(drawn(size=size)).size == becomes


def test_what_a_camera_wrote_is_obeyed_and_dropped() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, SECRET.decode()  # lies on its side; a description
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", SECRET.decode(), zip=True)

    assert redrawn(drawn("JPEG", (300, 90), exif=exif)).size == (48, 160)
    assert redrawn(drawn("PNG", pnginfo=notes, exif=exif, icc_profile=SECRET)).size == (48, 160)
    assert redrawn(drawn("WEBP", exif=exif, xmp=SECRET, icc_profile=SECRET)).size


def test_a_file_that_is_two_things_is_only_a_picture_afterwards() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("index.html", SECRET)
    for kind in ("PNG", "JPEG", "WEBP"):
        for rider in (
            archive.getvalue(),
            b"<script>" + SECRET + b"</script>",
            b"<?php " + SECRET,
            b"%PDF-1.7" + SECRET,
        ):
            redrawn(drawn(kind) + rider)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 5000,
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>",
        b"<html><script>alert(1)</script></html>",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"BM" + b"\0" * 100,
        b"II*\0" + b"\0" * 100,
        b"\0\0\1\0\1\0" + b"\0" * 100,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
    ],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    refusal(data)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "ICO", "PPM", "TGA"])
def test_other_kinds_are_refused(kind: str) -> None:
    assert refusal(drawn(kind, (32, 32))) == "The file is not a PNG, JPEG or WebP picture."


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_what_moves_is_refused(kind: str) -> None:
    file = io.BytesIO()
    frames = [Image.new("RGB", (40, 20), (shade, 0, 0)) for shade in (0, 90, 180)]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=100)

    assert "moves" in refusal(file.getvalue()) or kind == "GIF"


def test_a_file_above_a_megabyte_is_refused() -> None:
    assert refusal(drawn() + b"\0" * pictures.MOST_BYTES) == "The file is larger than 1 MB."


@pytest.mark.parametrize("side", [(4001, 10), (10, 4001), (100_000, 100_000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_before_it_is_decoded(side: tuple[int, int]) -> None:
    data = chunk(b"IDAT", zlib.compress(b"\0" * 900_000))
    began = time.process_time()

    refusal(png_of(*side, data))

    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("side", [(4001, 10), (16384, 16384), (2**24, 2**24)])
def test_a_bomb_of_webp_is_refused_before_it_is_opened(side: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("opened"))

    assert "4,000 pixels" in refusal(webp_of(*side))


@pytest.mark.parametrize("kind", [{"lossless": True}, {"lossless": False}])
def test_the_size_of_a_webp_is_read_as_pillow_reads_it(kind: dict[str, Any]) -> None:
    assert pictures._webp_size(drawn("WEBP", (123, 45), **kind)) == (123, 45)


def test_a_bomb_of_words_is_refused() -> None:
    """A megabyte may hold a gigabyte of zeros, in a text beside the picture."""
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 60_000_000, 9))

    refusal(png_of(10, 10, bomb, chunk(b"IDAT", zlib.compress((b"\0" + b"\0" * 30) * 10))))


def test_a_jpeg_of_a_thousand_scans_is_refused_at_once() -> None:
    data = drawn("JPEG", (4000, 4000), progressive=True)
    start = data.rindex(b"\xff\xda")
    scan = data[start:-2]

    assert "slow" in refusal(data[:-2] + scan * 1000 + data[-2:])


def broken() -> Iterator[bytes]:
    """Hundreds of files that begin well: cut off, with flipped bytes, with lying lengths."""
    dice = random.Random(7)
    for kind in ("PNG", "JPEG", "WEBP"):
        for mode in ("RGB", "L") if kind == "JPEG" else ("RGB", "RGBA"):
            whole = drawn(kind, (120, 60), mode)
            for cut in range(1, len(whole), max(1, len(whole) // 25)):
                yield whole[:cut]
            for _ in range(60):
                data = bytearray(whole)
                for _ in range(dice.randrange(1, 6)):
                    data[dice.randrange(len(data))] = dice.randrange(256)
                yield bytes(data)


def test_hundreds_of_broken_files_are_taken_or_refused_and_never_a_failure() -> None:
    files = list(broken())
    taken = 0
    for data in files:
        try:
            redrawn(data)
            taken += 1
        except BotException as refused:
            assert refused.code is codes.UPLOAD_REFUSED  # noqa: PT017
    print(f"files={len(files)} taken={taken} failures=0")
    assert len(files) > 400


@pytest.mark.parametrize(
    ("ink", "ground"),
    [((20, 20, 20), pictures.WHITE), ((250, 250, 250), pictures.BLACK), ((10, 150, 140), None)],
)
def test_ink_that_a_page_would_swallow_gets_a_ground(ink: tuple[int, ...], ground: tuple[int, ...] | None) -> None:
    picture = Image.new("RGBA", (100, 50), (0, 0, 0, 0))
    picture.paste((*ink, 255), (10, 10, 90, 40))
    file = io.BytesIO()
    picture.save(file, "PNG")

    corner = redrawn(file.getvalue()).getpixel((0, 0))

    assert corner == (ground or (0, 0, 0, 0))


@pytest.fixture
def owner(client: Client, alice: User, alices_workspace: Workspace) -> Client:
    with everywhere():
        entitlements.subscribe(alices_workspace, "enterprise")
    client.force_login(alice)
    return client


@pytest.fixture
def logo(alices_workspace: Workspace) -> Callable[[], str]:
    def address() -> str:
        with everywhere():
            return f"/brand/{alices_workspace.pk}/logo.png"

    return address


def test_an_owner_uploads_replaces_and_removes_it(owner: Client, logo: Callable[[], str]) -> None:
    owner.post(PAGE, {"logo": SimpleUploadedFile("a.png", drawn())})
    first = Client().get(logo()).content
    owner.post(PAGE, {"logo": SimpleUploadedFile("b.png", drawn(size=(90, 90)))})
    second = Client().get(logo()).content
    owner.post(f"{PAGE}remove-logo/")

    assert [Image.open(io.BytesIO(png)).size for png in (first, second)] == [(300, 90), (90, 90)]
    assert Client().get(logo()).status_code == 404
    with everywhere():
        assert Logo.objects.count() == 0


def test_what_is_refused_is_said_with_its_code_and_the_old_one_stays(owner: Client, logo: Callable[[], str]) -> None:
    owner.post(PAGE, {"logo": SimpleUploadedFile("a.png", drawn())})

    answer = owner.post(PAGE, {"logo": SimpleUploadedFile("a.png", b"<svg/>", content_type="image/png")})

    assert answer.status_code == 400
    assert "E-SEC-E-0006" in answer.content.decode()
    assert Client().get(logo()).status_code == 200


def test_two_hundred_names_reach_no_file(owner: Client, tmp_path: Path, settings: Any) -> None:
    settings.STORAGES = settings.STORAGES | {
        "default": settings.STORAGES["default"] | {"OPTIONS": {"location": tmp_path / "files"}}
    }
    tricks = [
        "../{}",
        "/etc/{}",
        "..\\{}",
        "C:\\{}",
        "{}\0.php",
        "{}\n.png",
        "%2e%2e%2f{}",
        "‮gnp.{}",
        "con.{}",
        "." * 9 + "{}",
    ]
    statuses = []
    for number in range(200):
        name = tricks[number % len(tricks)].format(f"logo{number}.png") + "x" * (number // 2)
        file = SimpleUploadedFile("x", drawn(size=(9, 9)))
        file.name = name  # as it came: Django's own setter would clean it
        statuses.append(owner.post(PAGE, {"logo": file}).status_code)

    assert set(statuses) <= {302, 400}
    assert not list(tmp_path.iterdir())


def test_a_body_above_the_limit_is_413_and_nobody_looks_into_it(owner: Client) -> None:
    sizes = {2_000_000: (400, "The file is larger than 1 MB."), 9_000_000: (413, "E-API-E-0019")}

    for size, (status, said) in sizes.items():
        answer = owner.post(PAGE, {"logo": SimpleUploadedFile("a.png", drawn() + b"\0" * size)})
        assert (answer.status_code, said in answer.content.decode()) == (status, True)
