"""The hash of a policy's text, as a decision has it, without all that a run of the policy needs."""

from collections.abc import Mapping
from pathlib import Path

from gate.config.policy_schema import parse
from gate.errors import PolicyError
from gate.parsing.files import Folder, Imports, read_bytes
from gate.parsing.reader import Reader


def digest_of(path: str, environ: Mapping[str, str]) -> str:
    """Return the hash of a policy file and of the files that it reads, as they are.

    It is that of `gate.decision.decision.PolicySource`. The job that deploys may lack the variables
    that connect to the backend: the hash does not hang on them.

    Raises:
        PolicyError: the file cannot be read, or is not a policy.
    """
    raw, imports = read_bytes(path), Imports(tree=Folder(Path(path).parent))
    reader = Reader(file=path, environ=environ, imports=imports, offline=True)
    mistakes = parse(raw, reader)[1]
    fatal = tuple(mistake for mistake in mistakes if mistake.fatal)
    if fatal:
        raise PolicyError(fatal)
    return imports.digest(Path(path).name, raw)
