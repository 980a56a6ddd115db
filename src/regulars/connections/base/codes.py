"""Codes that workflows make up, made in connected shops."""

from dataclasses import asdict
from datetime import datetime

from django.db.models import QuerySet

from regulars.connections.base.accounts import account_of
from regulars.connections.base.client import TryLater
from regulars.connections.base.models import Connection, ConnectionState
from regulars.connections.base.platforms import PLATFORMS, CouponRule, KeyRefused, Refused
from regulars.foundation.errors import RegularsError
from regulars.record.coupons.makers import CannotMake, CodeRule, MakeLater


class ConnectedShops:
    """The shop that is connected for a store."""

    def can_make(self, store_id: int) -> bool:
        return _connections(store_id).exists()

    def make(self, store_id: int, rule: CodeRule, at: datetime) -> str:
        row = _connections(store_id).select_related("store").order_by("pk").first()
        if row is None:
            raise CannotMake("No shop is connected for this store any more.")
        try:
            return PLATFORMS[row.platform].make_coupon(account_of(row, at), CouponRule(**asdict(rule)))
        except KeyRefused as error:
            raise MakeLater(error.sentence) from error
        except Refused as error:
            raise CannotMake(error.sentence) from error
        except TryLater as error:
            raise MakeLater(error.sentence, error.seconds) from error
        except RegularsError as error:
            raise MakeLater(error.sentence) from error


def _connections(store_id: int) -> QuerySet[Connection]:
    return Connection.objects.filter(store=store_id, state__in=(ConnectionState.ACTIVE, ConnectionState.FAILING))
