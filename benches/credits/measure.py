"""The jobs, done by all on the same org in the same order; each counts only what the org counted meanwhile."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benches.credits.objects import CONTACT, FIELDS
from benches.credits.ours import Headwater
from benches.credits.peers import BULK, REST, Peer, all_peers
from benches.credits.records import change_rows
from benches.credits.stage import Stage, staged
from benches.report import tell

FIRST = "first_import_1m_contacts_calls"
IDLE = "idle_cycle_15_objects_calls"
CHANGED = "changed_100k_rows_15_objects_calls"
WRITE = {BULK: "write_1m_touchpoints_bulk_calls", REST: "write_1m_touchpoints_rest_calls"}
JOBS = (FIRST, IDLE, CHANGED, *WRITE.values())
DISCOVERY = "discovery_calls"
_CHANGES_PER_RECORD = 10

READING, WRITING = "reading", "writing"

_LEFT_OUT = "not part of this run"

Costs = dict[str, int]
Side = Peer | Headwater


@dataclass(frozen=True, slots=True)
class Part:
    """Of the bench: touchpoints and ten times the changes, contacts, who takes part and in which jobs (None: all)."""

    records: int
    contacts: int
    only: Sequence[str] | None = None
    jobs: str | None = None

    def has(self, one: Side) -> bool:
        return self.only is None or one.name in self.only


def measure(folder: Path, part: Part) -> dict[str, Any]:
    with staged(folder, part.contacts) as stage:
        ours = Headwater(stage)
        tell("connecting Headwater to the org")
        ours.connect()
        peers = [peer for peer in all_peers(stage) if part.has(peer)]
        them: list[Side] = [*([ours] if part.has(ours) else []), *peers]
        costs = {_key(one): Costs() for one in them}
        if part.jobs != WRITING:
            _read(stage, them, costs)
            change_rows(stage.state, part.records // _CHANGES_PER_RECORD)
            _read_again(stage, CHANGED, them, costs)
        if part.jobs != READING:
            ours.install_package()
            _write(stage, them, costs, part.records)
    own = {**dict.fromkeys(JOBS), **costs.pop(_key(ours), {})}
    sizes = {
        "contacts_records": part.contacts,
        "changed_records": part.records // _CHANGES_PER_RECORD,
        "touchpoints_records": part.records,
    }
    return {**own, **ours.differences(), **sizes, "peers": _by_name(peers, costs)}


def _key(one: Side) -> tuple[str, str]:
    return one.name, one.mode


def _read(stage: Stage, all_of_them: Iterable[Side], costs: dict[tuple[str, str], Costs]) -> None:
    """Contacts first, then the other objects, then everything once more with nothing changed."""
    for one in all_of_them:
        own, label = costs[_key(one)], " ".join(_key(one)).strip()
        own[DISCOVERY] = stage.calls_of(f"{label}: discovery", one.prepare)
        own[FIRST] = stage.calls_of(f"{label}: first import of contacts", partial(one.read, [CONTACT]))
        stage.calls_of(f"{label}: first import of the other objects", partial(one.read, [*(FIELDS.keys() - {CONTACT})]))
    _read_again(stage, IDLE, all_of_them, costs)


def _read_again(stage: Stage, job: str, all_of_them: Iterable[Side], costs: dict[tuple[str, str], Costs]) -> None:
    for one in all_of_them:
        label = " ".join(_key(one)).strip()
        costs[_key(one)][job] = stage.calls_of(f"{label}: {job}", partial(one.read, FIELDS))


def _write(stage: Stage, all_of_them: Iterable[Side], costs: dict[tuple[str, str], Costs], count: int) -> None:
    """Each writes the same records, of other content than those before it."""
    touchpoints = stage.folder / "touchpoints.ndjson"
    maker = Headwater(stage)
    maker.read(FIELDS)
    for one in all_of_them:
        for way in one.writes:
            tell(f"making {count:,} touchpoints")
            maker.make_touchpoints(count, touchpoints)
            label = f"{' '.join(_key(one)).strip()}: {WRITE[way]}"
            costs[_key(one)][WRITE[way]] = stage.calls_of(label, partial(one.write, way, touchpoints))


def _by_name(peers: Iterable[Peer], costs: dict[tuple[str, str], Costs]) -> dict[str, Any]:
    """For each peer the best of its modes by job, null with a reason where it has none, and what each mode cost."""
    modes: dict[str, dict[str, Costs]] = defaultdict(dict)
    reasons: dict[str, dict[str, str]] = {}
    written: dict[str, set[str]] = defaultdict(set)
    for peer in peers:
        modes[peer.name][peer.mode] = costs[_key(peer)]
        reasons.setdefault(peer.name, {}).update({WRITE[way]: why for way, why in peer.cannot.items()})
        written[peer.name] |= {WRITE[way] for way in peer.writes}
    told: dict[str, Any] = {}
    for name, by_mode in modes.items():
        best = {job: min((cost[job] for cost in by_mode.values() if job in cost), default=None) for job in JOBS}
        told[name] = {**best, "modes": by_mode}
        for job in (job for job, calls in best.items() if calls is None):
            is_left_out = job in written[name] or job not in reasons[name]
            told[name][f"{job}_null_because"] = _LEFT_OUT if is_left_out else reasons[name][job]
    return told
