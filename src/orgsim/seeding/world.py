"""What every part of the generator works with, gathered in one place. Holds no rules of its own."""

from dataclasses import dataclass

from orgsim.seeding.campaigns import Programme
from orgsim.seeding.dice import Calendar, Dice
from orgsim.seeding.naming import CompanyRegister
from orgsim.seeding.recorder import Recorder
from orgsim.seeding.team import Team


@dataclass(frozen=True, slots=True)
class World:
    dice: Dice
    calendar: Calendar
    recorder: Recorder
    team: Team
    programme: Programme
    companies: CompanyRegister

    def new_id(self, sobject: str) -> str:
        return self.recorder.new_id(sobject)
