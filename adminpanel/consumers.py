"""The socket of the control room."""

from typing import Self

from accounts import limits, tenancy
from adminpanel import presence
from instagrowth.consumers import LiveConsumer
from instagrowth.live import STAFF


class StaffConsumer(LiveConsumer):
    """Live events for staff: a living staff session from an allowed address, looked at again while it is open."""

    def admit(self) -> bool:
        """Let staff in whose session, second factor and address would open a page."""
        self.audience = STAFF
        with tenancy.platform("staff are in no workspace"):
            user = presence.whose_socket(self.scope["headers"], limits.socket_address(self.scope))
        self.person = user and user.pk
        return user is not None

    @classmethod
    def heard_by(cls, lines: list[Self]) -> list[Self]:
        """Those whose session still lives and whose address is still allowed: few enough to ask for each."""
        with tenancy.platform("staff are in no workspace"):
            return [
                line
                for line in lines
                if presence.whose_socket(line.scope["headers"], limits.socket_address(line.scope)) is not None
            ]
