"""dcgm-exporter: the code of the last XID error of each GPU, another one each minute here."""

from tests.presets.exposition import Page, as_go


def page() -> Page:
    """Return two GPUs with an error a minute each."""
    page = Page(format=as_go, common={"Hostname": "node-1"})
    for gpu in ("0", "1"):
        page.add("DCGM_FI_DEV_XID_ERRORS", 1, gpu=gpu)
    return page


# From version 3 on Prometheus leaves a range's first instant out, and with it the change after it:
# https://prometheus.io/docs/prometheus/latest/migration/
EXPECTED: dict[str, list[dict[str, object]]] = {
    "inference-failures": [
        {"spent": 2, "within": 2},
        {"labels": {"gpu": "0"}, "spent": 1, "within": 1},
    ],
}
