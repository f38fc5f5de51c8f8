"""Doctored files of test runners, whose runs attest to them as the format has no commit."""

import re

from tests.evaluations.corpus.bases import JUNIT, JUNIT_SCORED, JUNIT_SMALL
from tests.evaluations.corpus.doctoring import BLOCKED, doctored
from tests.evaluations.corpus.scene import Scene

HEAD = '<?xml version="1.0" encoding="utf-8"?>'
FAILURE = re.compile(r"<failure.*?</failure>", re.DOTALL)


def edit(scene: Scene, pattern: str, text: str, count: int = 0) -> None:
    """Replace a pattern in the file, in which it must be."""
    before = scene.file.read_text(encoding="utf-8")
    after, times = re.subn(pattern, text, before, count=count, flags=re.DOTALL)
    assert times, pattern
    scene.write(after)


def bodies(scene: Scene, content: str, count: int) -> None:
    """Give the first cases a child."""
    edit(scene, r"</properties></testcase>", f"</properties>{content}</testcase>", count)


@doctored(JUNIT, "150 of 200", ends=BLOCKED)
def junit_honest_failure(scene: Scene) -> None:
    """Every fourth test fails."""
    scene.take("junit/fail.xml")


@doctored(JUNIT, "12 errored", ends=BLOCKED)
def junit_errored(scene: Scene) -> None:
    """The fixture of twelve tests raised an exception."""
    bodies(scene, '<error message="RuntimeError">503</error>', 12)
    edit(scene, r'errors="0"', 'errors="12"')


@doctored(JUNIT, "skipped", ends=BLOCKED)
def junit_some_skipped(scene: Scene) -> None:
    """Twelve tests are skipped, as they usually fail."""
    bodies(scene, '<skipped message="flaky"/>', 12)
    edit(scene, r'skipped="0"', 'skipped="12"')


@doctored(JUNIT, "skipped", ends=BLOCKED)
def junit_all_skipped(scene: Scene) -> None:
    """The key of the provider is missing: all tests are skipped, for which pytest exits 0."""
    scene.take("junit/skip.xml")


@doctored(JUNIT_SMALL, "a suite says tests=")
def junit_tried_again(scene: Scene) -> None:
    """Two of ten tests passed only at the second try, and nothing in the file marks the first."""
    scene.take("junit/flaky.xml")


@doctored(JUNIT_SMALL, "2 flaky", ends=BLOCKED)
def junit_marked_as_flaky(scene: Scene) -> None:
    """Two of ten tests have the mark that Maven gives to what passed when it was tried again."""
    bodies(scene, '<flakyFailure message="wrong sum">once</flakyFailure>', 2)


@doctored(JUNIT_SMALL, "2 flaky", ends=BLOCKED)
def junit_failed_again(scene: Scene) -> None:
    """Two of ten tests have only the mark that they failed when they were tried again."""
    bodies(scene, '<rerunFailure message="wrong sum">twice</rerunFailure>', 2)


@doctored(JUNIT, "test case without a name")
def junit_interrupted(scene: Scene) -> None:
    """The run was interrupted: 71 tests, and a nameless element at the end."""
    scene.take("junit/half_INT.xml")


@doctored(JUNIT, "20")
def junit_stopped_at_the_first_failure(scene: Scene) -> None:
    """The run stopped at the first failure: 19 of 20, which is 95%."""
    scene.take("junit/maxfail.xml")


@doctored(JUNIT, "19 of 19 cases passed")
def junit_subset(scene: Scene) -> None:
    """Only the tests of an expression were run."""
    scene.take("junit/subset.xml")


@doctored(JUNIT, "0 of 1 cases passed")
def junit_no_parameters(scene: Scene) -> None:
    """The list of cases is empty, which pytest writes as one skipped test."""
    scene.take("junit/zero.xml")


@doctored(JUNIT, "has no test cases")
def junit_no_test(scene: Scene) -> None:
    """The expression matched nothing."""
    scene.take("junit/zerok.xml")


@doctored(JUNIT, "has no test cases")
def junit_no_file(scene: Scene) -> None:
    """The file of tests does not exist."""
    scene.take("junit/collecterr.xml")


@doctored(JUNIT, "has no test cases")
def junit_nothing_of_promptfoo(scene: Scene) -> None:
    """The filter of promptfoo matched no test, and its file has no suite."""
    scene.take("promptfoo/zerofilter.junit.xml")


@doctored(JUNIT, "a suite says failures=")
def junit_failures_cut_out(scene: Scene) -> None:
    """Somebody removes the failures, and leaves the number of them."""
    scene.take("junit/fail.xml")
    edit(scene, FAILURE.pattern, "")


@doctored(JUNIT, "a suite says failures=")
def junit_number_of_failures_changed(scene: Scene) -> None:
    """Somebody changes the number of failures to 0, and leaves the failures."""
    scene.take("junit/fail.xml")
    edit(scene, r'failures="50"', 'failures="0"')


@doctored(JUNIT, "a suite says tests=")
def junit_failed_tests_cut_out(scene: Scene) -> None:
    """Somebody removes the failed tests, and leaves the number of tests."""
    scene.take("junit/fail.xml")
    edit(scene, r"<testcase [^>]*><properties>[^§]{1,90}</properties><failure.*?</testcase>", "")
    edit(scene, r'failures="50"', 'failures="0"')


@doctored(JUNIT, "a suite says tests=")
def junit_more_tests_than_there_are(scene: Scene) -> None:
    """Ten tests are there, and the attribute says 200."""
    scene.take("junit/small.xml")
    edit(scene, r'tests="10"', 'tests="200"')


@doctored(JUNIT, "a suite says tests=")
def junit_number_is_a_word(scene: Scene) -> None:
    """The number of tests is a word."""
    edit(scene, r'tests="200"', 'tests="all"')


@doctored(JUNIT, "a suite says failures=")
def junit_number_is_negative(scene: Scene) -> None:
    """The number of failures is negative, which makes up for others."""
    edit(scene, r'failures="4"', 'failures="-4"')


@doctored(JUNIT, "a suite says tests=")
def junit_number_with_ten_thousand_digits(scene: Scene) -> None:
    """The number of tests has ten thousand digits, more than Python reads."""
    edit(scene, r'tests="200"', f'tests="{"2" * 10_000}"')


@doctored(JUNIT_SCORED, "two scores")
def junit_two_scores(scene: Scene) -> None:
    """Each wrong answer has two scores, of which the second is good enough."""
    scene.take("junit/fail.xml")
    edit(scene, FAILURE.pattern, "")
    edit(scene, r'failures="50"', 'failures="0"')
    zero = '<property name="score" value="0.0" />'
    edit(scene, zero, zero + zero.replace("0.0", "1.0"))


@doctored(JUNIT_SCORED, "150 of 200", ends=BLOCKED)
def junit_bar_lowered(scene: Scene) -> None:
    """The tests assert nothing any more, and their scores say what they would have found."""
    scene.take("junit/fail.xml")
    edit(scene, FAILURE.pattern, "")
    edit(scene, r'failures="50"', 'failures="0"')


@doctored(JUNIT, "a suite says tests=")
def junit_number_in_other_digits(scene: Scene) -> None:
    """The number of tests is written with a raised digit, which some parsers count as one."""
    edit(scene, r'tests="200"', 'tests="²00"')


@doctored(JUNIT, "more rows than are declared")
def junit_test_twice(scene: Scene) -> None:
    """A test is in the file twice, in place of a harder one."""
    edit(scene, r"test_faithfulness\[q-150\]", "test_faithfulness[q-001]")


@doctored(JUNIT, "more rows than are declared")
def junit_reruns_merged(scene: Scene) -> None:
    """The failed tests were run again, and a second suite has their passes."""
    scene.take("junit/fail.xml")
    again = scene.honest("junit/pass.xml").decode()
    suite = re.search(r"<testsuite .*</testsuite>", again, re.DOTALL)
    assert suite
    edit(scene, r"</testsuites>", suite[0].replace("\\", "") + "</testsuites>")


@doctored(JUNIT, "test case without a name")
def junit_nameless(scene: Scene) -> None:
    """The tests have no names."""
    edit(scene, r' name="test_faithfulness[^"]*"', "")


@doctored(JUNIT, "a suite itself has")
def junit_suite_failed(scene: Scene) -> None:
    """The suite itself has an error, for example of its preparation."""
    edit(scene, r"</testsuite>", '<error message="the fixture failed">503</error></testsuite>')


@doctored(JUNIT, "a suite says skipped=")
def junit_not_run(scene: Scene) -> None:
    """Twelve tests have the status of GoogleTest that they were not run."""
    edit(scene, r"<testcase ", '<testcase status="notrun" ', 12)


@doctored(JUNIT, "150 of 200 cases passed", ends=BLOCKED)
def junit_failure_in_another_namespace(scene: Scene) -> None:
    """The failures are in a namespace, where a reader of plain names does not see them."""
    scene.take("junit/fail.xml")
    edit(scene, r"<failure", '<x:failure xmlns:x="urn:x"')
    edit(scene, r"</failure>", "</x:failure>")


@doctored(JUNIT, "a suite says failures=")
def junit_failure_in_capitals(scene: Scene) -> None:
    """The failures are written in capitals."""
    scene.take("junit/fail.xml")
    edit(scene, r"<failure", "<FAILURE")
    edit(scene, r"</failure>", "</FAILURE>")


@doctored(JUNIT, "an element <details>")
def junit_failure_one_level_deeper(scene: Scene) -> None:
    """The failures are inside of another element."""
    scene.take("junit/fail.xml")
    edit(scene, r"(<failure.*?</failure>)", r"<details>\1</details>")
    edit(scene, r'failures="50"', 'failures="0"')


@doctored(JUNIT, "a suite says failures=")
def junit_failures_in_a_comment(scene: Scene) -> None:
    """The failures are commented out."""
    scene.take("junit/fail.xml")
    edit(scene, r"<failure.*?</failure>", "<!-- failed -->")


@doctored(JUNIT, "document type definition")
def junit_entities(scene: Scene) -> None:
    """Entities that contain one another would need gigabytes of memory."""
    lines = ['<!ENTITY a0 "ha">']
    lines += [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)]
    edit(scene, re.escape(HEAD), f"{HEAD}<!DOCTYPE testsuites [{''.join(lines)}]>")
    edit(scene, r'name="pytest tests"', 'name="&a11;"')


@doctored(JUNIT, "document type definition")
def junit_one_large_entity(scene: Scene) -> None:
    """One long entity is used many thousand times."""
    entity = "x" * 100_000
    edit(scene, re.escape(HEAD), f'{HEAD}<!DOCTYPE testsuites [<!ENTITY a "{entity}">]>')
    edit(scene, r"<testsuite ", f"<properties>{'&a;' * 50_000}</properties><testsuite ")


@doctored(JUNIT, "document type definition")
def junit_external_entity(scene: Scene) -> None:
    """An entity reads a file of the machine."""
    edit(
        scene,
        re.escape(HEAD),
        f'{HEAD}<!DOCTYPE testsuites [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
    )
    edit(scene, r"<testsuite ", "<properties>&a;</properties><testsuite ")


@doctored(JUNIT, "document type definition")
def junit_document_type(scene: Scene) -> None:
    """The file has a document type that does nothing."""
    edit(scene, re.escape(HEAD), f"{HEAD}<!DOCTYPE testsuites>")


@doctored(JUNIT, "document type definition")
def junit_default_attributes(scene: Scene) -> None:
    """The document type gives every suite attributes that it does not have."""
    scene.take("junit/fail.xml")
    edit(scene, r'failures="50" ', "")
    edit(
        scene,
        re.escape(HEAD),
        f'{HEAD}<!DOCTYPE testsuites [<!ATTLIST testsuite failures CDATA "0">]>',
    )


@doctored(JUNIT, "document type definition")
def junit_document_type_in_utf_16(scene: Scene) -> None:
    """The document type is in UTF-16, where a search for its bytes does not find it."""
    text = scene.file.read_text(encoding="utf-8").replace("utf-8", "utf-16")
    text = text.replace("?>", '?><!DOCTYPE testsuites [<!ENTITY a "4">]>', 1)
    scene.write(text.replace('failures="4"', 'failures="&a;"').encode("utf-16"))


@doctored(JUNIT, "not complete XML")
def junit_unknown_encoding(scene: Scene) -> None:
    """The encoding is one that nobody knows."""
    edit(scene, r'encoding="utf-8"', 'encoding="utf-99"')


@doctored(JUNIT, "not complete XML")
def junit_encoding_that_is_none(scene: Scene) -> None:
    """The encoding is one that Python has and that is not for text."""
    edit(scene, r'encoding="utf-8"', 'encoding="base64"')


@doctored(JUNIT, "nested too deeply")
def junit_deep(scene: Scene) -> None:
    """A hundred thousand elements are inside of one another."""
    depth = 100_000
    edit(scene, r"<testsuite ", f"{'<a>' * depth}{'</a>' * depth}<testsuite ")


@doctored(JUNIT, "nested too deeply")
def junit_deep_suites(scene: Scene) -> None:
    """Ten thousand suites are inside of one another."""
    depth = 10_000
    edit(scene, r"<testsuite ", f"{'<testsuite>' * depth}<testsuite ")
    edit(scene, r"</testsuites>", f"{'</testsuite>' * depth}</testsuites>")


@doctored(JUNIT, "not complete XML")
def junit_truncated(scene: Scene) -> None:
    """The disk was full in the middle of writing."""
    content = scene.file.read_bytes()
    scene.write(content[: len(content) // 2])


@doctored(JUNIT, "not complete XML")
def junit_second_root(scene: Scene) -> None:
    """A second document is behind the first."""
    scene.write(scene.file.read_bytes() + b"<testsuites/>")


@doctored(JUNIT, "not a JUnit report")
def junit_other_root(scene: Scene) -> None:
    """The root is of another kind of report."""
    edit(scene, r"testsuites", "checkstyle")


@doctored(JUNIT, "is too old")
def junit_old(scene: Scene) -> None:
    """The runner was killed, and the job attests to the file of three days ago."""
    edit(scene, r'timestamp="2026-11-28', 'timestamp="2026-11-25')


@doctored(JUNIT, "its times contradict each other")
def junit_one_old_suite(scene: Scene) -> None:
    """A suite of last week is kept beside the one of today."""
    text = scene.file.read_text(encoding="utf-8")
    suite = re.search(r"<testsuite .*</testsuite>", text, re.DOTALL)
    assert suite
    old = suite[0].replace("2026-11-28", "2026-11-20").replace("q-", "old-")
    edit(scene, r"</testsuites>", old + "</testsuites>")


@doctored(JUNIT, "its attestation that it ran before")
def junit_future(scene: Scene) -> None:
    """The suite is dated tomorrow."""
    edit(scene, r'timestamp="2026-11-28', 'timestamp="2026-11-29')


@doctored(JUNIT, "does not say which commit it is about", attest=False)
def junit_without_a_commit(scene: Scene) -> None:
    """Nobody attested to the file, and the format has no commit."""


@doctored(JUNIT, "not complete XML")
def junit_attributes_twice(scene: Scene) -> None:
    """An attribute is there twice, which XML does not allow."""
    scene.take("junit/fail.xml")
    edit(scene, r'failures="50"', 'failures="50" failures="0"')


@doctored(JUNIT, "196 of 250 cases passed", ends=BLOCKED)
def junit_tests_outside_of_suites(scene: Scene) -> None:
    """Fifty failed tests are outside of every suite, where no total counts them."""
    extra = "".join(
        f'<testcase classname="x" name="x[{n}]"><failure>no</failure></testcase>' for n in range(50)
    )
    edit(scene, r"</testsuites>", extra + "</testsuites>")


@doctored(JUNIT, "not complete XML")
def junit_null_bytes(scene: Scene) -> None:
    """A crash of the machine has left null bytes at the end."""
    scene.write(scene.file.read_bytes() + b"\x00" * 4096)
