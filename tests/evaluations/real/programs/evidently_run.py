"""Makes a report of Evidently on the answers that cases.json states."""

import json
import sys
from pathlib import Path

import pandas
from evidently import DataDefinition, Dataset, Report
from evidently.metrics import CategoryCount, MeanValue, MissingValueCount, RowCount

CASES = json.loads(Path("cases.json").read_text(encoding="utf-8"))
scores = [None if case.get("error") else float(case["output"] == case["answer"]) for case in CASES]
data = Dataset.from_pandas(
    pandas.DataFrame({"exact": scores}),
    data_definition=DataDefinition(numerical_columns=["exact"]),
)
metrics = [
    RowCount(),
    MeanValue(column="exact"),
    CategoryCount(column="exact", category=1.0),
    MissingValueCount(column="exact"),
]
run = Report(metrics, metadata={"git_sha": sys.argv[1]}).run(data)
Path("run.json").write_text(run.json(), encoding="utf-8")
Path("run.snapshot.json").write_text(run.dumps(), encoding="utf-8")
