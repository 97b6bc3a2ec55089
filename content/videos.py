"""What an MP4 or MOV file is, by its own boxes: nothing is decoded, and no other program is asked.

The boxes are those of ISO/IEC 14496-12: four bytes of length, four letters, then what it holds.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from errors import codes
from errors.exceptions import BotException

CODECS = {b"avc1": "H.264", b"avc3": "H.264", b"hvc1": "HEVC", b"hev1": "HEVC"}
MOST_INDEX = 16 * 1024 * 1024  # bytes of `moov`: a video of a quarter of an hour has about one
NESTED = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}
PRIVATE = {b"udta", b"meta"}  # where a phone writes the place, its name and its owner's


@dataclass(frozen=True)
class Video:
    """What the boxes say."""

    width: int  # pixels, as shown: a phone's upright video is turned
    height: int
    milliseconds: int
    private: list[tuple[int, int]]  # (offset, length) of boxes that tell about a person


@dataclass(frozen=True)
class Box:
    """One box: what it is called, where its content begins in the file, and the content."""

    name: bytes
    start: int
    data: bytes


def read(file: IO[bytes]) -> Video:
    """Read the boxes of a video. Raises PUB_MEDIA_REFUSED with what is wrong."""
    try:
        return _video(file)
    except (struct.error, IndexError, OverflowError, ZeroDivisionError):
        raise _refused("The video is broken.") from None


def _video(file: IO[bytes]) -> Video:
    start, index = _index(file)
    boxes = list(_walk(Box(b"moov", start, index)))
    header = next((box.data for box in boxes if box.name == b"mvhd"), b"")
    milliseconds = _duration(header)
    pictures = [track for track in _tracks(boxes) if track["kind"] == b"vide"]
    if not pictures:
        raise _refused("There is no picture track in it.")
    if pictures[0]["codec"] not in CODECS:
        raise _refused("The video is neither H.264 nor HEVC, which Instagram asks for.")
    width, height = pictures[0]["size"]
    if not (width and height and milliseconds):
        raise _refused("The video does not say how large or how long it is.")
    private = [(box.start, len(box.data)) for box in boxes if box.name in PRIVATE]
    return Video(width, height, milliseconds, private)


def _index(file: IO[bytes]) -> tuple[int, bytes]:
    """Find `moov` among the outermost boxes: where its content begins, and the content."""
    file.seek(0, 2)
    end = file.tell()
    at, found = 0, None
    while at + 8 <= end:
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        head = 8
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8))
            head = 16
        length = length or end - at
        if at == 0 and name != b"ftyp":
            raise _refused("The file is not an MP4 or MOV video.")
        if length < head or at + length > end or end - at - length in range(1, 8):
            raise _refused("The video is cut off.")
        if name == b"moov":
            if length > MOST_INDEX:
                raise _refused("The video is broken.")
            file.seek(at + head)
            found = at + head, file.read(length - head)
        at += length
    if found:
        return found
    raise _refused("The file is not an MP4 or MOV video.")


def _walk(outer: Box, depth: int = 0) -> Iterator[Box]:
    """Give all boxes inside one, each before what it holds."""
    at = 0
    while at + 8 <= len(outer.data):
        length, name = struct.unpack_from(">I4s", outer.data, at)
        if length < 8 or at + length > len(outer.data):
            return
        box = Box(name, outer.start + at + 8, outer.data[at + 8 : at + length])
        yield box
        if name in NESTED and depth < 6:
            yield from _walk(box, depth + 1)
        at += length


def _duration(header: bytes) -> int:
    """Milliseconds by `mvhd`."""
    if header[:1] == b"\1":
        scale, units = struct.unpack_from(">IQ", header, 20)
    else:
        scale, units = struct.unpack_from(">II", header, 12)
    return int(units * 1000 // scale)


def _tracks(boxes: list[Box]) -> list[dict]:
    """Kind, codec and size of each track, by `hdlr`, `stsd` and `tkhd`."""
    tracks: list[dict] = []
    for box in boxes:
        if box.name == b"trak":
            tracks.append({"kind": b"", "codec": b"", "size": (0, 0)})
        elif box.name == b"tkhd" and tracks:
            tracks[-1]["size"] = _shown(box.data)
        elif box.name == b"hdlr" and tracks and not tracks[-1]["kind"]:
            tracks[-1]["kind"] = box.data[8:12]
        elif box.name == b"stsd" and tracks:
            tracks[-1]["codec"] = box.data[12:16]
    return tracks


def _shown(header: bytes) -> tuple[int, int]:
    """Width and height by `tkhd`, turned where its matrix turns by a quarter."""
    matrix = 52 if header[:1] == b"\1" else 40
    a, b = struct.unpack_from(">ii", header, matrix)
    width, height = (side >> 16 for side in struct.unpack_from(">II", header, matrix + 36))
    return (height, width) if a == 0 and b != 0 else (width, height)


def _refused(message: str) -> BotException:
    return BotException(codes.PUB_MEDIA_REFUSED, message)
