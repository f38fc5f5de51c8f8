"""Policy files: what a whole one says, and loading it with its place in git."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from gate.backends import BACKEND, Settings
from gate.config.past_schema import CONTROL_CHARTS, EXHAUSTION, POSTMORTEMS
from gate.config.policy_checks import check_policy, classes
from gate.config.revision import revision_of
from gate.config.rules_schema import BURN_RATES, CHANGES, FREEZE, ON, OVERRIDES, TIER
from gate.config.slo_schema import FROM, SLO, PlacedSlo, SloFiles
from gate.decision.decision import PolicySource
from gate.errors import Mistake, PolicyError
from gate.parsing.files import Folder, Imports, Tree, read_bytes
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader, UnreadableError, compose, decode
from gate.parsing.schema import Choice, JsonSchema, ListOf, pairs
from gate.parsing.values import DURATION, NAME, SHARE, TEXT
from gate.policy.changes import DEFAULT_CHANGE, ChangeMatcher
from gate.policy.override import OverrideRule
from gate.policy.policy import DEFAULT_GUARDS, Policy


class _Entry:
    """One entry: an SLO, or where more of them are."""

    def read(self, node: yaml.Node, reader: Reader) -> PlacedSlo | SloFiles:
        """Return which of the two it is."""
        if any(key.value == "from" for key, _ in pairs(node, reader)):
            return FROM.read(node, reader)
        return PlacedSlo(slo=SLO.read(node, reader), node=node, reader=reader)

    def schema(self) -> JsonSchema:
        """Return both."""
        return {"anyOf": [SLO.schema(), FROM.schema()]}


_ENTRIES: Final = ListOf(_Entry(), at_least=1)


class _Slos:
    """All entries, those of other files in the place of the entry that names the files."""

    def read(self, node: yaml.Node, reader: Reader) -> tuple[PlacedSlo, ...]:
        """Return every SLO; a mistake in one file does not hide those in others."""
        entries, whole = _ENTRIES.readable(node, reader)
        outside = [entry for entry in entries if isinstance(entry, SloFiles)]
        imported = iter(_import_slos(outside, reader) if outside else ())
        if not whole:
            raise UnreadableError
        placed = [[entry] if isinstance(entry, PlacedSlo) else next(imported) for entry in entries]
        return tuple(slo for slos in placed for slo in slos)

    def schema(self) -> JsonSchema:
        """Return an array of either."""
        return _ENTRIES.schema()


def _import_slos(entries: Sequence[SloFiles], reader: Reader) -> Sequence[Sequence[PlacedSlo]]:
    from gate.config.slo_files import read_entries  # noqa: PLC0415 - for these entries only

    return read_entries(entries, reader)


class Contents(NamedTuple):
    """What a policy file says."""

    policy: Policy
    settings: Settings


_EMPTY: Final = dict.fromkeys(("owners", "burn_rates", "freezes"), ())
_DEFAULTS: Final = {"overrides": OverrideRule(), "valid_for": timedelta(minutes=15), **_EMPTY}
_COPIED: Final = ("service", "tiers", "dashboard", "exhaustion", "postmortems", "control_charts")


def _build(values: Values, reader: Reader) -> Contents:
    on = values.get("on") or ON.build(Values(values={}, nodes={}), reader)
    changes = values.get("changes", {})
    policy = Policy(
        slos=tuple(placed.slo for placed in values.get("slos")),
        on=on.actions,
        exempt=on.exempt,
        guards=replace(DEFAULT_GUARDS, **values.only("max_age", "min_coverage")),
        change_classes=classes(values),
        default_change=changes.get("default", DEFAULT_CHANGE),
        matchers={
            name: matcher
            for name, matcher in changes.items()
            if isinstance(matcher, ChangeMatcher) and matcher.looks
        },
        **{**_DEFAULTS, **values.only(*_DEFAULTS, *_COPIED)},
    )
    return Contents(policy, values.get("backend"))


POLICY: Final = Object(
    {
        "version": Field(schema=Choice(("1",)), doc="Of this format: 1.", required=True),
        "service": Field(schema=NAME, doc="The service that ships.", required=True),
        "owners": Field(schema=ListOf(TEXT), doc="Whom to ask: people or teams."),
        "dashboard": Field(schema=TEXT, doc="An address where a person looks next."),
        "backend": Field(schema=BACKEND, doc="Where the counts come from.", required=True),
        "slos": Field(schema=_Slos(), doc="What is promised.", required=True),
        "changes": Field(schema=CHANGES, doc="How a change's class is recognised."),
        "tiers": Field(
            schema=ListOf(TIER, at_least=1),
            doc="Bands of the worst remaining budget; the first that holds.",
            required=True,
        ),
        "burn_rates": Field(schema=BURN_RATES, doc="Multiwindow burn-rate rules."),
        "freezes": Field(schema=ListOf(FREEZE), doc="When only some classes may ship."),
        "exhaustion": Field(schema=EXHAUSTION, doc="How long every budget must still last."),
        "postmortems": Field(schema=POSTMORTEMS, doc="Which incidents need a reviewed record."),
        "control_charts": Field(schema=CONTROL_CHARTS, doc="What an unusually bad indicator does."),
        "overrides": Field(schema=OVERRIDES, doc="none, or how the verdict may be overridden."),
        "on": Field(schema=ON, doc="What happens when the budget is not, or not well, known."),
        "max_age": Field(schema=DURATION, doc="Of the newest sample. Default: 10m."),
        "min_coverage": Field(schema=SHARE, doc="Share of the window with data. Default: 90%."),
        "valid_for": Field(schema=DURATION, doc="How long a decision may be used. Default: 15m."),
    },
    _build,
    check=check_policy,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFile:
    """A policy that was read, and where it came from."""

    policy: Policy
    settings: Settings
    source: PolicySource
    warnings: tuple[Mistake, ...]
    altered: str | None = None
    """Hash of the files as the change would have them, where it differs; None: it does not."""
    proposed: "PolicyFile | None" = None
    """The altered file's policy; None: nothing is altered, or it is no policy any more."""


def load(path: str, environ: Mapping[str, str]) -> PolicyFile:
    """Read one policy file, and the files that it reads.

    Raises:
        PolicyError: one cannot be read or says something wrong; carries every mistake.
    """
    raw, imports = read_bytes(path), _imports(path)
    read = _read(raw, path, environ, imports)
    texts = {Path(path).name: raw, **imports.texts}
    revision, modified = revision_of(Path(path), texts, imports.patterns)
    return replace(read, source=replace(read.source, revision=revision, modified=modified))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A policy as the change would have it."""

    raw: bytes | None
    """Its text; None: the change deletes it."""
    tree: Tree
    """The other files, as a commit of the change has them."""


def load_pinned(
    path: str,
    environ: Mapping[str, str],
    raw: bytes,
    tree: Tree,
    revision: str,
    proposal: Proposal | None,
) -> PolicyFile:
    """Read a policy as another commit has it, and beside it what the change would have it say.

    Args:
        path: of the policy's file.
        environ: of this process.
        raw: the text that the commit has.
        tree: the other files, as the commit has them.
        revision: the commit.
        proposal: what the change makes of it; None: the change has the same, or it is not known.

    Raises:
        PolicyError: the pinned text says something wrong; carries every mistake.
    """
    then, proposed = Imports(tree=tree), None
    read = _read(raw, path, environ, then)
    pinned = replace(read, source=replace(read.source, revision=revision))
    if proposal is None or (proposal.raw == raw and not then.patterns):
        return pinned
    if proposal.raw is None:
        return replace(pinned, altered=sha256().hexdigest())
    imports = Imports(tree=proposal.tree)
    with suppress(PolicyError):
        proposed = _read(proposal.raw, path, environ, imports)
    altered = imports.digest(Path(path).name, proposal.raw)
    differs = altered != read.source.sha256
    return replace(pinned, altered=altered, proposed=proposed) if differs else pinned


def _imports(path: str) -> Imports:
    return Imports(tree=Folder(Path(path).parent))


def _read(raw: bytes, path: str, environ: Mapping[str, str], imports: Imports) -> PolicyFile:
    contents, mistakes = parse(raw, Reader(file=path, environ=environ, imports=imports))
    if contents is None:
        raise PolicyError(mistakes)
    digest = imports.digest(Path(path).name, raw)
    source = PolicySource(path=path, sha256=digest, revision=None, modified=False)
    return PolicyFile(**contents._asdict(), source=source, warnings=mistakes)


def validate_file(path: str, environ: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return every mistake and warning in a file; what it needs beyond it need not be there."""
    try:
        raw = read_bytes(path)
    except PolicyError as error:
        return error.mistakes
    return parse(raw, Reader(file=path, environ=environ, imports=_imports(path), offline=True))[1]


def parse(raw: bytes, reader: Reader) -> tuple[Contents | None, tuple[Mistake, ...]]:
    """Return what a file says, and what is wrong with it; None for the first where anything is."""
    contents = None
    with suppress(UnreadableError):
        contents = POLICY.read(compose(decode(raw, reader), reader), reader)
    mistakes = tuple(sorted(set(reader.mistakes)))
    fatal = any(mistake.fatal for mistake in mistakes)
    return (None if fatal else contents), mistakes
