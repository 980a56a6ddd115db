"""The global switch and the caps as they are at present, read from the environment's settings and from staff's."""

from datetime import datetime

from django.conf import settings

from regulars.foundation.shop.settings import read_setting, write_setting
from regulars.messages.rules import Caps, Switch


def read_switch() -> Switch:
    enabled = read_setting("sending.enabled_at")
    return Switch(
        is_on=settings.SENDING,
        enabled_at=datetime.fromisoformat(enabled) if enabled else None,
        cool_off=settings.COOL_OFF,
        recipients=tuple(settings.RECIPIENTS),
        is_demo=read_setting("demo.shift_weeks") is not None,
        mail_host=settings.EMAIL_HOST,
    )


def read_caps() -> Caps:
    return Caps(per_day=read_setting("messages.per_day"), per_week=read_setting("messages.per_week"))


def switch_sending(*, is_on: bool, at: datetime) -> None:
    """Staff's own switch. The cool-off begins again each time that it is switched on."""
    write_setting("sending.enabled_at", at.isoformat() if is_on else None, at)
