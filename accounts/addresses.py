"""E-mail addresses: whose they are is shown by opening a link, and by nothing else."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from django.utils.timezone import now

from accounts import erasing
from accounts.models import User

PATIENCE = timedelta(days=7)  # how long a sign-up waits for its address to be confirmed


class ConfirmStage(EmailVerificationStage):
    """The step of signing in that waits for a confirmed address; who has none at all, but an access code, passes."""

    def handle(self) -> tuple[HttpResponse | None, bool]:
        """Let the person on, or send a link and say so."""
        if self.login.user and not self.login.user.email:
            return None, True
        answer: tuple[HttpResponse | None, bool] = super().handle()
        return answer


def make_way(address: EmailAddress) -> None:
    """Take an address that is being confirmed from sign-ups that wrote it down and never confirmed it: they go."""
    for squatter in _unconfirmed().filter(email=address.email).exclude(pk=address.user_id):
        User.objects.filter(pk=squatter.pk).update(delete_at=now())
        erasing.erase_person(squatter.pk)


def forget_unconfirmed() -> None:
    """Let sign-ups whose address nobody confirmed in a week be erased with whatever else is due."""
    _unconfirmed().filter(delete_at=None, created_at__lt=now() - PATIENCE).update(delete_at=now())


def _unconfirmed() -> QuerySet[User]:
    """Sign-ups that wait for their address: nobody was ever in there."""
    begun = EmailAddress.objects.filter(user=OuterRef("pk"))
    waiting = Exists(begun.filter(verified=False)) & ~Exists(begun.filter(verified=True))
    return User.objects.filter(waiting, last_login=None, access_code=None, role=User.Role.USER)
