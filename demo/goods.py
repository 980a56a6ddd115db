"""What the ledger does not say of the goods: made categories, costs and stock. Titles, codes and prices are the shop's own."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from demo import SEED
from demo.source import Article

SERVICES = {"POST", "DOT", "M", "D", "C2", "BANK CHARGES", "AMAZONFEE", "CRUK", "S", "B", "PADS", "m", "C3"}
_CATEGORIES: tuple[tuple[str, str], ...] = (
    ("Seasonal > Christmas", r"CHRISTMAS|XMAS|ADVENT|SNOW|SANTA|REINDEER|BAUBLE|NOEL"),
    ("Seasonal > Easter", r"EASTER|CHICK\b|BUNNY|\bEGG"),
    ("Kitchen > Baking", r"CAKE|BAKING|COOKIE|JELLY|PANTRY|RECIPE|PUDDING"),
    ("Kitchen > Tea and coffee", r"\bTEA|MUG|\bCUP|TEACUP|COFFEE|SAUCER"),
    ("Kitchen > Tableware", r"PLATE|BOWL|CUTLERY|NAPKIN|GLASS|BOTTLE|JAR|TRAY|JUG|APRON|LUNCH|DOILY|DOILIES"),
    ("Bags", r"\bBAG|SHOPPER|WALLET|PURSE|LUGGAGE"),
    ("Home > Lights and candles", r"LIGHT|CANDLE|LANTERN|LAMP|INCENSE"),
    (
        "Home > Decoration",
        r"HEART|SIGN|FRAME|CLOCK|BUNTING|WALL|MIRROR|DECORATION|GARLAND|VASE|ORNAMENT|HOOK|KNOB|DOORMAT",
    ),
    ("Home > Textiles", r"CUSHION|QUILT|THROW|WARMER|COVER"),
    ("Home > Storage", r"BOX|TIN\b|TINS|DRAWER|STORAGE|BASKET|CABINET|HOLDER"),
    ("Garden", r"GARDEN|FLOWER|BIRD|PLANT|WATERING|HERB"),
    ("Paper and craft", r"CARD|PAPER|WRAP|RIBBON|TAPE|STICKER|PENCIL|NOTEBOOK|CRAFT|STAMP|TISSUE|CHALK"),
    ("Children", r"CHILD|GIRL|BOY|TOY|DOLL|BABY|CIRCUS|SPACEBOY|GAME|PLAYING"),
    ("Jewellery", r"NECKLACE|BRACELET|EARRING|RING\b|BROOCH|HAIR"),
)


@dataclass(frozen=True)
class Good:
    """One article with what was made for it. Money in pounds; ``stock`` is what lies there now."""

    code: str
    title: str
    category: str
    price: str
    cost: Decimal
    stock: int


def make_goods(articles: Iterable[Article], seed: int = SEED) -> list[Good]:
    """Goods for every article that is a product, priced and described."""
    return [_make_good(a, Random(f"{seed} {a.code}")) for a in articles if _is_product(a)]  # noqa: S311


def category_of(title: str) -> str:
    """First category whose words stand in the title."""
    return next((name for name, words in _CATEGORIES if re.search(words, title)), "More")


def _is_product(article: Article) -> bool:
    has_words = article.title.upper() == article.title and len(article.title) > 4
    return article.code not in SERVICES and has_words and Decimal(article.price) > 0


def _make_good(article: Article, chance: Random) -> Good:
    cost = (Decimal(article.price) * Decimal(chance.randint(34, 62)) / 100).quantize(Decimal("0.01"))
    weeks = chance.choice((0, 1, 2, 3, 4, 6, 8, 12))  # of cover: some shelves are empty, some overfull
    stock = article.sold * weeks // 53
    return Good(article.code, article.title.strip(), category_of(article.title), article.price, cost, stock)
