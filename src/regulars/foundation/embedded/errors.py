"""What can stand in the way of the embedded server, each with the sentence that a person reads."""

from regulars.foundation.errors import RegularsError


class EmbeddedFailure(RegularsError):
    """The embedded database did not start."""

    code = "embedded-database"
    status = 503


class NoAccount(EmbeddedFailure):
    """PostgreSQL refuses to run as root: give it a user of its own with 'useradd --system regulars', then start again."""


class OtherVersion(EmbeddedFailure):
    """The database in the data folder was made by another major version of PostgreSQL."""

    def __init__(self, folder: object, found: int, ours: int) -> None:
        super().__init__(
            f"The database in {folder} was made by PostgreSQL {found} and this version of Regulars brings {ours}: "
            "run 'regulars upgrade-database' once, then start again.",
            found=found,
            ours=ours,
        )


class ProgramFailed(EmbeddedFailure):
    """A program of PostgreSQL ended with an error."""
