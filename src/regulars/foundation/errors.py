"""Every failure that we expect is a small class: its docstring is the sentence that a person reads."""


class RegularsError(Exception):
    """Something did not work. The detail ``field`` names the input that is to blame, so that a form says it there."""

    code = "error"
    status = 400

    def __init__(self, sentence: str = "", **details: object) -> None:
        self.sentence = sentence or (type(self).__doc__ or "").strip()
        self.details = details
        super().__init__(self.sentence)


class InvalidInput(RegularsError):
    """This input cannot be used."""

    code = "invalid"


class NotFound(RegularsError):
    """There is nothing under this id."""

    code = "not-found"
    status = 404


class NotAllowed(RegularsError):
    """Your role does not permit this."""

    code = "not-allowed"
    status = 403


class Conflict(RegularsError):
    """Somebody else changed this meanwhile: load it again."""

    code = "conflict"
    status = 409
