"""What happened to a stream whose members and server were killed, and whether that is what was promised.

Times are seconds of one clock. A position is seen when a member has read it, and acknowledged when the answer says that it is settled.
"""

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import islice, takewhile

# Checkpoints are written once a second.
WRITTEN_WITHIN = 2
# A process that is not run for a while reads late.
SLACK = 1


@dataclass(frozen=True)
class Sight:
    """An event was read, on the connection of a member that its process numbers."""

    at: float
    position: int
    partition: int
    subject: str
    connection: tuple


@dataclass(frozen=True)
class TakenBack:
    """The server said that what it had sent behind `after` up to `through` comes again, as a member was too slow."""

    at: float
    after: int
    through: int


@dataclass
class Trace:
    """When the server was killed, and when each connection began and ended, as its client knows."""

    is_explicit: bool
    heartbeat: float
    ack_timeout: float
    published: dict = field(default_factory=dict)
    sights: list = field(default_factory=list)
    acknowledged: dict = field(default_factory=lambda: defaultdict(list))
    kills: list = field(default_factory=list)
    begins: dict = field(default_factory=dict)
    ends: dict = field(default_factory=dict)
    taken_back: list = field(default_factory=list)

    def judge(self):
        """Returns whatever was not as promised, in sentences, and what is to be said of the rest."""
        self.sights.sort(key=lambda sight: (sight.at, sight.position))
        self.kills.sort()
        self.by_position, self.by_subject = defaultdict(list), defaultdict(list)
        for sight in self.sights:
            self.by_position[sight.position].append(sight)
            self.by_subject[sight.subject].append(sight)
        faults = self._missing() + self._out_of_order()
        said = {"events": len(self.published), "seen": len(self.sights), "came again": 0, "of those acknowledged": 0}
        said |= {"oldest of those (s)": 0.0}
        settled = self._settled_before() if self.is_explicit else {}
        for position, sights in self.by_position.items():
            for before, again in zip(sights, sights[1:]):
                said["came again"] += 1
                faults += self._again(before, again, settled.get(position), said)
        return faults, said

    def _missing(self):
        return [f"{position} never came" for position in self.published if position not in self.by_position]

    def _out_of_order(self):
        faults, furthest, seen = [], {}, set()
        for sight in self.sights:
            if sight.position in seen:
                continue
            seen.add(sight.position)
            if sight.position < furthest.get(sight.subject, 0):
                faults.append(f"{sight.position} of {sight.subject} came first after {furthest[sight.subject]}")
            furthest[sight.subject] = max(sight.position, furthest.get(sight.subject, 0))
        return faults

    def _again(self, before, again, settled, said):
        if self._cut_by_server(again, before.at):
            # It was sent before the other, and read later.
            return []
        what = f"{again.position}, seen at {before.at:.3f}, came again at {again.at:.3f}"
        if not self.is_explicit:
            cut = self._cut(before, again)
            if cut is None:
                return [f"{what}, far from any cut"]
            # Three heartbeats have to be taken behind it, or four where one came early, and the checkpoint to be written.
            limit = 4 * self.heartbeat + WRITTEN_WITHIN + SLACK
            said["oldest of those (s)"] = max(said["oldest of those (s)"], cut - before.at)
            return [f"{what}, cut only at {cut:.3f}"] if cut - before.at > limit else []
        done = [at for at in self.acknowledged[again.position] if before.at <= at < again.at]
        is_late = again.at - before.at >= self.ack_timeout - SLACK
        has_failed = is_late or self._has_waited(before, again)
        # What has failed is sent again under the same receipt, and may be on its way when the first sending is acknowledged.
        if has_failed and done and again.at - max(done) <= SLACK:
            return []
        if done:
            said["of those acknowledged"] += 1
            age = self._age(max(done), before, again, settled)
            if age is None:
                return [f"{what}, acknowledged at {max(done):.3f} to a server that lives"]
            said["oldest of those (s)"] = max(said["oldest of those (s)"], age)
            return [f"{what}, settled {age:.3f} s before a kill"] if age > WRITTEN_WITHIN else []
        if self._cut(before, again) is None and not has_failed:
            return [f"{what}, and was not acknowledged, for no reason"]
        return []

    def _cut(self, before, again):
        """When the server was killed, or took the event back, or the connection of `before` ended, between the two."""
        cuts = self._cut_by_server(before, again.at)
        end = self.ends.get(before.connection)
        if end is not None and before.at <= end <= again.at:
            cuts.append(end)
        return min(cuts, default=None)

    def _cut_by_server(self, sight, until):
        """When, up to then, what the connection of `sight` was sent was not its any more: what was on its way is read later."""
        since = min(sight.at, self.begins.get(sight.connection, sight.at))
        until = min(until, self.ends.get(sight.connection, until))
        position = sight.position
        said = [back.at for back in self.taken_back if back.after < position <= back.through]
        return [at for at in self.kills + said if since <= at <= until]

    def _age(self, done, before, again, settled):
        """How long before a kill of the server it was settled that was acknowledged at `done`, with everything before it."""
        # The last answer of a server may be read when it is dead.
        since = max(before.at, done - SLACK)
        kills = [at for at in self.kills if since <= at <= again.at]
        return max(0, kills[0] - max(done, settled)) if kills else None

    def _has_waited(self, before, again):
        """Whether one before it of its subject came again meanwhile."""
        sights = self.by_subject[again.subject]
        first = bisect_left(sights, before.at, key=lambda sight: sight.at)
        between = takewhile(lambda sight: sight.at <= again.at, islice(sights, first, None))
        earlier = (sight for sight in between if sight.position < again.position)
        return any(sight != self.by_position[sight.position][0] for sight in earlier)

    def _settled_before(self):
        """For each position, when everything before it of its partition was acknowledged for good."""
        partitions = defaultdict(list)
        for position, sights in self.by_position.items():
            partitions[sights[0].partition].append(position)
        settled = {}
        for positions in partitions.values():
            latest = 0.0
            for position in sorted(positions):
                settled[position] = latest
                latest = max(latest, self._settled(position))
        return settled

    def _settled(self, position):
        last = self.by_position[position][-1]
        done = [at for at in self.acknowledged[position] if at >= last.at]
        if done:
            return min(done)
        # The answer was cut off: it was settled before that, or by one that was sent before it was cut off.
        cuts = [at for at in self.kills + [self.ends.get(last.connection, 0)] if at >= last.at]
        return min(cuts, default=last.at) + SLACK
