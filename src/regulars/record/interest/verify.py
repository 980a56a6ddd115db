"""Do wishes, searches, reviews and tried coupons hold together?"""

from regulars.foundation.bulk import fetch

_BROKEN = """
SELECT 'wishlist item ' || id || ': it was neither put on a list nor taken off one' FROM interest_wishlistitem
WHERE added_at IS NULL AND removed_at IS NULL
UNION ALL
SELECT 'search ' || id || ': its count or its times cannot be' FROM interest_search
WHERE count < 1 OR last_at < first_at OR (count = 1 AND last_at <> first_at)
UNION ALL
SELECT 'review ' || id || ': its rating cannot be' FROM interest_review WHERE rating NOT BETWEEN 0 AND 100
UNION ALL
SELECT 'tried coupon ' || id || ': nothing became of it' FROM interest_triedcoupon
WHERE coalesce(entered_at, denied_at, removed_at, applied_at) IS NULL
ORDER BY 1
"""


def differences() -> list[str]:
    """One sentence for each row that cannot be. That rows say what the log says, tests of their sources show."""
    return [str(sentence) for (sentence,) in fetch(_BROKEN, [])]
