"""The operations of the REST API about the fields that are read: list them, name one more, take it back."""

from dataclasses import asdict
from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema, Status

from headwater.accounts.models import Role
from headwater.api.asking import account_of, actor_of
from headwater.sync.extras import name_field, objects_read, take_back
from headwater.sync.notices import Notice, notices_of

router = Router()


class FieldShape(Schema):
    """`state`: read, named (from the next sync on) or lost (the org does not show it)."""

    name: str
    label: str
    type: str
    is_formula: bool
    state: str
    why: str
    named_by: list[str]


class ObjectShape(Schema):
    """`state`: read, waiting (for its first read), lost or absent (the org does not show it)."""

    sobject: str
    state: str
    is_daily: bool
    is_reload_due: bool
    described_utc: datetime | None
    fields: list[FieldShape]


class NoticeShape(Schema):
    """What the sync goes on without, or in spite of."""

    code: str
    subject: str
    sentence: str
    you_can: str


class FieldsShape(Schema):
    objects: list[ObjectShape]
    notices: list[NoticeShape]


class FieldWish(Schema):
    """API names, such as Contact and Region__c."""

    sobject: str
    field: str


@router.get("", response=FieldsShape)
def fields(request: HttpRequest) -> FieldsShape:
    """Every object and field that is read, and why; as the org was last described."""
    mine = account_of(request)
    notices = [notice_shape(each) for each in notices_of(mine)]
    return FieldsShape(objects=[ObjectShape(**asdict(each)) for each in objects_read(mine)], notices=notices)


@router.post("", response={201: FieldWish})
def name(request: HttpRequest, wish: FieldWish) -> Status[FieldWish]:
    """Have a field read from the next sync on. One credit where the org was not described since it has the field."""
    extra = name_field(account_of(request, Role.ADMIN), wish.sobject, wish.field, actor=actor_of(request))
    return Status(201, FieldWish(sobject=extra.sobject, field=extra.field))


@router.post("/take-back", response=FieldWish)
def take_it_back(request: HttpRequest, wish: FieldWish) -> FieldWish:
    """Take back a field that was named by hand."""
    take_back(account_of(request, Role.ADMIN), wish.sobject, wish.field, actor=actor_of(request))
    return wish


def notice_shape(notice: Notice) -> NoticeShape:
    return NoticeShape(code=notice.code, subject=notice.subject, sentence=notice.sentence, you_can=notice.facts.you_can)
