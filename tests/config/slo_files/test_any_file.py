"""Whatever stands in an SLO file, the answer is SLOs or mistakes, never a crash and never both."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.slo_files import test_openslo, test_pyrra, test_slo_generator, test_sloth
from tests.config.slo_files.writing import WINDOW, importing, write
from tests.config.texts import read

FILES = {
    "openslo": test_openslo.slo(test_openslo.SLICED, method="Timeslices"),
    "openslo-composite": test_openslo.slo(f"[{test_openslo.own('A', '0.9')}]", sli=""),
    "pyrra": test_pyrra.file(),
    "sloth": test_sloth.file(),
    "slo-generator": test_slo_generator.file(),
}
HOSTILE = (
    *("", "~", "[]", "{}", "[~]", "{a: b}", "&a [*a]", "<<: *a", "!!binary aGk=", "true", "x"),
    *("0", "-1", "1e99", "NaN", "0/0", "1M", "99999999w", "2026-13-01 00:00:00"),
    *("${X}", "'${'", "{{.x}}", "'sum(rate(x[{{.window}}]))'", "'a[window] / b'"),
    "'increase(x[$window'",
)


@pytest.mark.variants(2)
@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
def test_any_value_in_any_place_is_read_or_refused(name: str, data: st.DataObject) -> None:
    lines = FILES[name].splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        number = data.draw(st.integers(0, len(lines) - 1))
        key, colon, _ = lines[number].partition(": ")
        hostile = data.draw(st.sampled_from(HOSTILE))
        lines[number] = data.draw(st.sampled_from([f"{key}{colon}{hostile}", hostile, ""]))
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write(folder, "\n".join(lines))
        contents, mistakes = read(importing(WINDOW), folder=folder)
    assert (contents is None) == any(": error: " in mistake for mistake in mistakes)
    assert contents is None or contents.policy.slos
