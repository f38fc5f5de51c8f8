"""SLO files beside a policy, and what the policy then says."""

from pathlib import Path

from gate.slo.objective import RatioSlo, Slo
from tests.config.texts import HERE, policy, read

WINDOW = ", window: 28d"


def write(folder: Path, *texts: str) -> None:
    """Write the texts as slos/0.yaml, slos/1.yaml and so on."""
    (folder / "slos").mkdir(exist_ok=True)
    for number, text in enumerate(texts):
        (folder / "slos" / f"{number}.yaml").write_text(text, encoding="utf-8")


def importing(more: str = "") -> str:
    """Return a policy whose only SLOs are those of the files."""
    return policy(slos=f"slos:\n  - {{from: slos/*.yaml{more}}}\n")


def imported(folder: Path, *texts: str, more: str = "") -> tuple[Slo, ...]:
    """Return the SLOs of files that have no mistake and no warning."""
    write(folder, *texts)
    contents, mistakes = read(importing(more), folder=folder)
    assert mistakes == []
    assert contents is not None
    return contents.policy.slos


def only(folder: Path, text: str, *, more: str = "") -> RatioSlo:
    """Return the one SLO of a file."""
    (one,) = imported(folder, text, more=more)
    assert isinstance(one, RatioSlo)
    return one


def mistakes_of(folder: Path, *texts: str, more: str = "") -> list[str]:
    """Return the mistakes of files, named from the policy's folder."""
    write(folder, *texts)
    _, mistakes = read(importing(more), folder=folder)
    return [mistake.replace(f"{folder}/", "") for mistake in mistakes]


def assert_refused(folder: Path, marked: str, words: str, *others: str, more: str = "") -> None:
    """Assert that the first file has one error, where the mark stands, with these words."""
    before, _, after = marked.partition(HERE)
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    (mistake,) = mistakes_of(folder, before + after, *others, more=more)
    assert mistake.startswith(f"slos/0.yaml:{line}:{column}: error: "), mistake
    assert words in mistake
