"""Why a file is refused: one sentence each. A refused file leaves nothing behind."""

from regulars.foundation.errors import Conflict, InvalidInput


class RefusedFile(InvalidInput):
    """This file cannot be imported."""

    code = "refused-file"


class EmptyFile(RefusedFile):
    """The file is empty, or holds a header and no row below it."""

    code = "empty-file"


class NotATable(RefusedFile):
    """This is not a CSV or TSV file: export it as CSV and try again."""

    code = "not-a-table"


class CutFile(RefusedFile):
    """The file ends in the middle of a record: it was cut, so export or copy it again."""

    code = "cut-file"


class TooLarge(RefusedFile):
    """The file is larger than an import may be: split it and import the parts one after the other."""

    code = "too-large"


class NoSuchColumn(RefusedFile):
    """The mapping names a column that the file does not have."""

    code = "no-such-column"


class WrongKind(RefusedFile):
    """The file does not hold what it was said to hold."""

    code = "wrong-kind"


class Unmapped(WrongKind):
    """It cannot be read as it is mapped now: say which column holds what."""

    code = "unmapped"


class Scattered(RefusedFile):
    """The rows of one order stand too far apart: sort the file by order number and try again."""

    code = "scattered"


class CopyGone(Conflict):
    """The staged copy of this file is no longer kept: import the file again. What was taken from it is known already."""

    code = "copy-gone"


class NotPossibleNow(Conflict):
    """The import is not in a state in which this can be done."""

    code = "import-state"
