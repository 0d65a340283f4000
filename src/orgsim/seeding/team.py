"""The seller's own people: User rows with a tree of managers, and who may own or write what."""

from dataclasses import dataclass, field

from orgsim.seeding.dice import DAY_SECONDS, Calendar, Dice, utc
from orgsim.seeding.lexicon.names import LOCALES
from orgsim.seeding.naming import ascii_slug
from orgsim.seeding.recorder import Recorder, Row

VENDOR_DOMAIN = "brightwater.example"
_FURTHER_LEAVER_SHARE = 0.04
_SPAN_OF_CONTROL = 8
_ZONES = ("America/New_York", "America/Los_Angeles", "Europe/London", "Europe/Berlin", "Asia/Singapore")
# Group, title, department, share of the staff below the heads.
_GROUPS: tuple[tuple[str, str, str, float], ...] = (
    ("reps", "Account Executive", "Sales", 0.5),
    ("callers", "Sales Development Representative", "Sales", 0.22),
    ("marketers", "Marketing Manager", "Marketing", 0.14),
    ("agents", "Support Engineer", "Customer Service", 0.14),
)


@dataclass(slots=True)
class Team:
    """User Ids by the work they do. Each group has at least one active member."""

    admin: str = ""
    reps: list[str] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)
    marketers: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)


def hire_team(dice: Dice, recorder: Recorder, size: int) -> Team:
    """Managers come before their people, so every ManagerId names an earlier row."""
    team = Team(admin=recorder.new_id("User"))
    hiring = _Hiring(dice, recorder, team.admin)
    hiring.hire(team.admin, "System Administrator", "IT", None)
    chief = hiring.hire(recorder.new_id("User"), "Chief Revenue Officer", "Executive", None)
    left = size - 2
    for group, title, department, share in _GROUPS:
        count = max(2, round((size - 2) * share)) if group != "agents" else max(2, left)
        getattr(team, group).extend(hiring.hire_group(count, title, department, chief))
        left -= count
    return team


@dataclass(slots=True)
class _Hiring:
    dice: Dice
    recorder: Recorder
    admin: str
    hired: int = 0

    def hire_group(self, count: int, title: str, department: str, chief: str) -> list[str]:
        """One head per eight people; the heads report to the chief and do no field work."""
        ids: list[str] = []
        manager = chief
        for place in range(count):
            is_head = place % (_SPAN_OF_CONTROL + 1) == 0
            user = self.recorder.new_id("User")
            leaves = place % _SPAN_OF_CONTROL == 2 or (place > 1 and self.dice.chance(_FURTHER_LEAVER_SHARE))
            shown = f"Head of {department}" if is_head else title
            self.hire(user, shown, department, chief if is_head else manager, active=is_head or not leaves)
            manager = user if is_head else manager
            if not is_head:
                ids.append(user)
        return ids

    def hire(self, user: str, title: str, department: str, manager: str | None, *, active: bool = True) -> str:
        calendar = self.recorder.calendar
        joined = calendar.start if self.hired < 10 else _joining(self.dice, calendar)
        left = joined if active else self.dice.between(joined, calendar.end)
        row = self._person(user) | {"Title": title, "Department": department, "IsActive": active, "ManagerId": manager}
        row |= {"CreatedDate": utc(joined), "CreatedById": self.admin}
        row |= {"LastModifiedDate": utc(left), "LastModifiedById": self.admin, "SystemModstamp": utc(left)}
        self.recorder.add_unaudited("User", row)
        self.hired += 1
        return user

    def _person(self, user: str) -> Row:
        locale = LOCALES[self.dice.pick(("en", "en", "en", "de", "fr", "asia"))]
        first, last = self.dice.pick(locale.given), self.dice.pick(locale.family)
        mailbox = f"{ascii_slug(first)}.{ascii_slug(last)}.{self.hired + 1}"
        return {
            "Id": user,
            "Username": f"{mailbox}@{VENDOR_DOMAIN}",
            "Name": f"{first} {last}",
            "FirstName": first,
            "LastName": last,
            "Email": f"{mailbox}@{VENDOR_DOMAIN}",
            "Alias": f"{ascii_slug(first)[:1]}{ascii_slug(last)[:4]}{self.hired % 1000}",
            "UserType": "Standard",
            "TimeZoneSidKey": self.dice.pick(_ZONES),
            "LocaleSidKey": "en_US",
            "LanguageLocaleKey": "en_US",
            "EmailEncodingKey": "UTF-8",
        }


def _joining(dice: Dice, calendar: Calendar) -> int:
    """Most were there when the story starts; a third joined later."""
    if dice.chance(0.65):
        return calendar.start + dice.between(0, DAY_SECONDS)
    return dice.working_moment(calendar.start, calendar.end)
