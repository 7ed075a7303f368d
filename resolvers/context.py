"""What every resolver is given: who asks, when, and what can answer."""

from datetime import datetime

from dataloaders import Loaders
from domain.viewer import Viewer
from services.office import Office
from services.tokens import Tokens


class Context:
    """One operation. `now` is read once, so that one answer is of one moment."""

    __slots__ = ("loaders", "now", "office", "tokens", "viewer")

    def __init__(self, office: Office, tokens: Tokens, viewer: Viewer | None) -> None:
        self.office = office
        self.tokens = tokens
        self.viewer = viewer
        self.now: datetime
        self.loaders: Loaders
        self.refresh()

    def refresh(self) -> None:
        """Forget what was read: after a write, and before each message of a subscription."""
        office = self.office
        self.now = office.now()
        self.loaders = Loaders(office.database, office.seats, office.layouts, self.now)
