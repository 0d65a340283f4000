"""The refusals a Salesforce API can answer with: an HTTP status, an error code, a sentence, the fields concerned.

Not here: OAuth's own error shape (oauth/errors.py). Texts and shapes: facts C.6.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class ApiError(Exception):
    """One refusal, as the REST list form shows it and as a record-level result carries it."""

    code: str
    message: str
    status: int = 400
    fields: tuple[str, ...] | None = None
    further: tuple["ApiError", ...] = ()  # what else is wrong with the same record
    details: dict[str, object] = field(default_factory=dict)  # what the REST list form tells besides

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def all(self) -> tuple["ApiError", ...]:
        return (self, *self.further)

    def as_rest(self) -> dict[str, object]:
        body: dict[str, object] = {**self.details, "message": self.message, "errorCode": self.code}
        if self.fields is not None:
            body["fields"] = list(self.fields)
        return body

    def as_record(self) -> dict[str, object]:
        """The shape inside a collections, tree or create result: `statusCode`, never `errorCode`."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields or ())}

    def as_csv(self) -> str:
        """The text of `sf__Error` in an ingest job's failed results (facts C.5)."""
        texts = (f"{each.code}:{each.message}:{', '.join(each.fields or ())} --" for each in self.all())
        return "".join(texts).replace(": --", ":--")


def not_found(message: str = "The requested resource does not exist") -> ApiError:
    return ApiError("NOT_FOUND", message, status=404)


def missing_on_sobject(field: str, sobject: str) -> ApiError:
    return ApiError("INVALID_FIELD", f"No such column '{field}' on sobject of type {sobject}")


def expired_session() -> ApiError:
    return ApiError("INVALID_SESSION_ID", "Session expired or invalid", status=401)
