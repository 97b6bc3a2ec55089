"""Pictures from people: looked at before they are decoded, then drawn anew, so that nothing else of the file stays."""

import io
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TypeVar

from django.core.files.uploadedfile import UploadedFile
from PIL import Image, ImageOps

from errors import codes
from errors.exceptions import BotException

MOST_BYTES = 1024 * 1024
MOST_PIXELS = 4000  # a side
MOST_OF_A_PHOTO = 7000  # pixels a side: a phone's largest; decoded it takes 200 MB for a moment
WIDEST = 1440  # pixels: Instagram shrinks what is wider
MOST_SCANS = 64  # of a progressive JPEG: each costs a pass over all of the picture, and an honest one has about ten
KINDS = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"RIFF": "WEBP"}  # by their first bytes
BOX = (512, 160)  # pixels: twice the largest place where a logo stands
Drawn = TypeVar("Drawn")
WHITE, BLACK = (255, 255, 255, 255), (16, 20, 21, 255)
LOST = 0.08  # the share of a logo that may be too near to the page's own ground
_one_at_a_time = threading.Lock()  # decoded, the largest takes 64 MB


def logo(upload: UploadedFile) -> bytes:
    """A PNG of at most 512 × 160 pixels, drawn from an uploaded PNG, JPEG or WebP. Raises UPLOAD_REFUSED."""
    if (upload.size or 0) > MOST_BYTES:
        raise _refused("The file is larger than 1 MB.")
    return _drawn(upload, MOST_PIXELS, lambda picture: _png(_on_a_ground(_small(picture))))


@dataclass(frozen=True)
class Photo:
    """A picture for Instagram, drawn anew, with a small one for our pages; both JPEG."""

    jpeg: bytes
    small: bytes
    width: int  # pixels, as all of them
    height: int


def photo(upload: UploadedFile | IO[bytes]) -> Photo:
    """A photo of at most 1,440 pixels in width, upright, on white. Raises UPLOAD_REFUSED."""
    return _drawn(upload, MOST_OF_A_PHOTO, _photo)


def cut(jpeg: IO[bytes], ratio: float) -> Photo:
    """The middle of a photo of ours, as wide to its height as `ratio` says."""
    with _one_at_a_time, Image.open(jpeg, formats=["JPEG"]) as picture:
        width, height = picture.size
        size = (min(width, round(height * ratio)), min(height, round(width / ratio)))
        return _photo(ImageOps.fit(picture, size))


def _drawn(upload: UploadedFile | IO[bytes], most_pixels: int, draw: Callable[[Image.Image], Drawn]) -> Drawn:
    """Decode one picture at a time, if it is worth it, and draw it anew."""
    try:
        kind = _kind(upload, most_pixels)
        with _one_at_a_time, Image.open(upload, formats=[kind]) as picture:
            _check(picture, most_pixels)
            return draw(picture)
    except BotException:
        raise
    except Exception as broken:  # noqa: BLE001  (a decoder raises whatever a broken file leads it to)
        raise _refused("The file is broken.", why=type(broken).__name__) from None


def _photo(picture: Image.Image) -> Photo:
    picture.draft("RGB", (2 * WIDEST, 2 * WIDEST))  # a JPEG need not be decoded in full
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    drawn = Image.alpha_composite(Image.new("RGBA", upright.size, WHITE), upright).convert("RGB")
    drawn.thumbnail((WIDEST, 4 * WIDEST), Image.Resampling.LANCZOS)
    small = drawn.copy()
    small.thumbnail((480, 480), Image.Resampling.LANCZOS)
    return Photo(_jpeg(drawn), _jpeg(small), *drawn.size)


def _jpeg(picture: Image.Image) -> bytes:
    """The pixels and nothing else: no place, no camera."""
    file = io.BytesIO()
    Image.frombytes(picture.mode, picture.size, picture.tobytes()).save(file, "JPEG", quality=90)
    return file.getvalue()


def _refused(message: str, **meta: object) -> BotException:
    return BotException(codes.UPLOAD_REFUSED, message, **meta)


def _kind(file: UploadedFile | IO[bytes], most_pixels: int) -> str:
    """What the file is by its first bytes, whatever its name says; and what costs too much before it is opened."""
    file.seek(0)
    data: bytes = file.read()
    file.seek(0)
    kind = next((kind for magic, kind in KINDS.items() if data.startswith(magic)), "")
    if not kind or (kind == "WEBP" and data[8:12] != b"WEBP"):
        raise _refused("The file is not a PNG, JPEG or WebP picture.")
    if kind == "WEBP" and max(_webp_size(data)) > most_pixels:  # Pillow makes room for it when it opens it
        raise _too_large(most_pixels)
    if kind == "JPEG" and data.count(b"\xff\xda") > MOST_SCANS:
        raise _refused("The JPEG is made to be slow to draw.")
    return kind


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height by the header; (0, 0) where it is none, which Pillow refuses."""
    head = data[12:30].ljust(18, b"\0")
    if head.startswith(b"VP8X"):
        return int.from_bytes(head[12:15], "little") + 1, int.from_bytes(head[15:18], "little") + 1
    if head.startswith(b"VP8L"):
        bits = struct.unpack("<I", head[9:13])[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", head[14:18])
    return width & 0x3FFF, height & 0x3FFF


def _check(picture: Image.Image, most_pixels: int) -> None:
    """Nothing is decoded yet."""
    if max(picture.size) > most_pixels:
        raise _too_large(most_pixels)
    if picture.format != "MPO" and getattr(picture, "n_frames", 1) > 1:  # a phone's JPEG may bring a second exposure
        raise _refused("The picture moves. Choose one that stands still.")


def _too_large(most_pixels: int) -> BotException:
    return _refused(f"The picture has more than {most_pixels:,} pixels on a side.")


def _small(picture: Image.Image) -> Image.Image:
    picture.draft("RGB", (2 * BOX[0], 2 * BOX[0]))  # a JPEG need not be decoded in full
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I"):  # 16 bits of grey
        upright = upright.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    small = upright.convert("RGBA")
    small.thumbnail(BOX, Image.Resampling.LANCZOS)
    return small


def _on_a_ground(picture: Image.Image) -> Image.Image:
    """Give a picture with clear parts a ground, where dark or light pages would swallow its ink."""
    alpha = picture.getchannel("A")
    if alpha.getextrema()[0] == 255:
        return picture
    tones = picture.convert("L").histogram(mask=alpha.point(lambda value: 255 * (value > 96)))
    ink = sum(tones) or 1
    dark, light = sum(tones[:80]) / ink, sum(tones[200:]) / ink
    if max(dark, light) <= LOST:
        return picture
    ground = Image.new("RGBA", picture.size, WHITE if dark >= light else BLACK)
    return Image.alpha_composite(ground, picture)


def _png(picture: Image.Image) -> bytes:
    """The pixels and nothing else."""
    bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())
    file = io.BytesIO()
    bare.save(file, "PNG", optimize=True)
    return file.getvalue()
