"""The media library: taking files in, cutting variants, throwing away, and the addresses Instagram reads from."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction
from django.urls import reverse
from django.utils.timezone import now

from accounts import farewell, pictures, tenancy
from accounts.models import User, Workspace
from content import videos
from content.models import Folder, Media, Post
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

MOST_PICTURE = 16 * 1024 * 1024  # bytes; what we draw of it is far below Instagram's 8 MB
MOST_VIDEO = 100 * 1024 * 1024  # bytes: what Instagram takes of a story; reels may have 300 MB there
GOOD_FOR = timedelta(hours=26)  # of an address: longer than a container lives at Instagram (24 h)
SHAPES = {"1:1": 1.0, "4:5": 0.8, "9:16": 9 / 16, "1.91:1": 1.91}
ROOT, GONE = "media", "media-gone"
ALL = "files are held against the media of all workspaces"
_signer = TimestampSigner(salt="content.library")


def add(
    workspace: Workspace, user: User, upload: UploadedFile, *, alt_text: str = "", folder: Folder | None = None
) -> Media:
    """Keep an uploaded picture or video. Raises UPLOAD_REFUSED, PUB_MEDIA_REFUSED or BEING_DELETED."""
    farewell.nothing_new(workspace)
    name = (upload.name or "file").rsplit("/", 1)[-1][:120]
    media = Media(workspace=workspace, name=name, alt_text=alt_text[:1000], folder=folder, created_by=user.pk)
    if _is_video(upload):
        _take_video(media, upload)
    else:
        if (upload.size or 0) > MOST_PICTURE:
            raise BotException(codes.PUB_MEDIA_REFUSED, "The picture is larger than 16 MB.")
        _take_photo(media, pictures.photo(upload))
    log_activity("media_added", workspace=workspace, user=user, media=str(media.pk), name=name)
    return media


def cut(media: Media, shape: str, user: User) -> Media:
    """Cut the middle out of a picture, in one of Instagram's shapes; the picture stays. Raises PUB_MEDIA_REFUSED."""
    if media.kind != Media.Kind.IMAGE or shape not in SHAPES:
        raise BotException(codes.PUB_MEDIA_REFUSED, "Only pictures are cut, to 1:1, 4:5, 9:16 or 1.91:1.")
    variant = Media(
        workspace_id=media.workspace_id,
        name=f"{media.name[:110]} {shape}",
        alt_text=media.alt_text,
        folder_id=media.folder_id,
        original_id=media.original_id or media.pk,
        created_by=user.pk,
    )
    try:
        with default_storage.open(name_of(media)) as file:
            photo = pictures.cut(file, SHAPES[shape])
    except FileNotFoundError:
        raise BotException(codes.PUB_MEDIA_REFUSED, "The file of this picture is gone. Add it again.") from None
    _take_photo(variant, photo)
    return variant


def remove(media: Media, user: User) -> None:
    """Throw a file away, with its variants. Raises PUB_MEDIA_IN_USE."""
    gone = [media, *media.variants.all()]
    busy = (Post.State.PROPOSED, Post.State.SCHEDULED, Post.State.PUBLISHING, Post.State.UNKNOWN)
    if Post.objects.filter(places__media__in=gone, state__in=busy).exists():
        raise BotException(codes.PUB_MEDIA_IN_USE)
    names = [name for one in gone for name in (name_of(one), name_of(one, small=True))]
    media.delete()
    transaction.on_commit(lambda: _forget(names))
    log_activity("media_removed", workspace=media.workspace_id, user=user, name=media.name)


def let_go(workspace: UUID) -> None:
    """Remove every file of a workspace that is erased."""
    rows = Media.objects.filter(workspace=workspace)
    names = [name for one in rows for name in (name_of(one), name_of(one, small=True))]
    transaction.on_commit(lambda: _forget(names))


def sweep() -> None:
    """Put files that no row names aside for a week, then remove them: what workers that died did not remove, or keep.

    Only a day after they were written, so that no upload loses its file. Aside, so that whoever put back a database
    without its files can move them back.
    """
    for folder in _listed(ROOT)[0]:
        with tenancy.platform(ALL):
            kept = set(map(str, Media.objects.filter(workspace=UUID(folder)).values_list("pk", flat=True)))
        for name in (f"{folder}/{file}" for file in _listed(f"{ROOT}/{folder}")[1] if file[:36] not in kept):
            if _age(f"{ROOT}/{name}") > timedelta(days=1):
                with default_storage.open(f"{ROOT}/{name}") as file:
                    default_storage.save(f"{GONE}/{name.replace('/', '-')}", file)
                default_storage.delete(f"{ROOT}/{name}")
    _forget(name for file in _listed(GONE)[1] if _age(name := f"{GONE}/{file}") > timedelta(days=7))


def name_of(media: Media, *, small: bool = False) -> str:
    """Its name in the private storage; a video has no small one."""
    if small:
        return f"{ROOT}/{media.workspace_id}/{media.pk}-small.jpg"
    return f"{ROOT}/{media.workspace_id}/{media.pk}.{'jpg' if media.kind == Media.Kind.IMAGE else 'mp4'}"


def path_of(media: Media, *, small: bool = False) -> str:
    """A signed path, good for about a day: whoever has it reads this one file, and nothing else."""
    small = small and media.kind == Media.Kind.IMAGE
    signed = _signer.sign(name_of(media, small=small).removeprefix(f"{ROOT}/")).rsplit(":", 2)
    return reverse("calendar:file", args=[*signed[1:], signed[0]])


def address_of(media: Media) -> str:
    """The address from which Instagram fetches a file."""
    return settings.SITE_URL + path_of(media)


def signed(at: str, mark: str, name: str) -> tuple[str, int]:
    """The file of a signed path, and its size. Raises FileNotFoundError for one that is forged, too old, or gone."""
    try:
        file = f"{ROOT}/{_signer.unsign(f'{name}:{at}:{mark}', max_age=GOOD_FOR)}"
    except BadSignature:
        raise FileNotFoundError(name) from None
    return file, default_storage.size(file)


def _is_video(upload: UploadedFile) -> bool:
    upload.seek(0)
    head = upload.read(12)
    upload.seek(0)
    return bool(head[4:8] == b"ftyp")


def _take_photo(media: Media, photo: pictures.Photo) -> None:
    media.kind, media.width, media.height, media.size = Media.Kind.IMAGE, photo.width, photo.height, len(photo.jpeg)
    _keep(media, ContentFile(photo.jpeg), ContentFile(photo.small))


def _take_video(media: Media, upload: UploadedFile) -> None:
    if (upload.size or 0) > MOST_VIDEO:
        raise BotException(codes.PUB_MEDIA_REFUSED, "The video is larger than 100 MB.")
    video = videos.read(upload)
    media.kind, media.width, media.height = Media.Kind.VIDEO, video.width, video.height
    media.milliseconds, media.size = video.milliseconds, upload.size or 0
    upload.seek(0)
    _keep(media, upload)
    with open(default_storage.path(name_of(media)), "r+b") as kept:
        for start, length in video.private:  # what told about a person is now an empty box
            kept.seek(start - 4)
            kept.write(b"free" + bytes(length))


def _keep(media: Media, file: File, small: File | None = None) -> None:
    media.pk = media.pk or uuid4()
    media.save(force_insert=True)
    names = [name_of(media), name_of(media, small=True)]
    default_storage.save(names[0], file)
    if small is not None:
        default_storage.save(names[1], small)


def _listed(folder: str) -> tuple[list[str], list[str]]:
    try:
        return default_storage.listdir(folder)
    except FileNotFoundError:
        return [], []


def _age(name: str) -> timedelta:
    try:
        return now() - default_storage.get_modified_time(name)
    except FileNotFoundError:
        return timedelta(0)  # removed meanwhile


def _forget(names: Iterable[str]) -> None:
    for name in names:
        default_storage.delete(name)
