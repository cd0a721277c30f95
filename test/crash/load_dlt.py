"""What loader.ts does, with dlt: python load_dlt.py '<the load as JSON>'."""

import json
import os
import sys
import urllib.request

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
# Small, so that a run has many files, as the loads of Sluice have.
os.environ["DATA_WRITER__FILE_MAX_ITEMS"] = "40"
os.environ["NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS"] = "40"

import dlt  # noqa: E402

load = json.loads(sys.argv[1])
scenario = load["scenario"]


def ask(path: str, method: str = "GET"):
    request = urllib.request.Request(f"{load['baseUrl']}/{path}", method=method)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())


def pages(place: str, start: int):
    after = start
    while rows := ask(f"rows?after={after}"):
        yield rows
        after = rows[-1][place]


@dlt.resource(name="rows", write_disposition="append")
def append():
    state = dlt.current.resource_state()
    for rows in pages("seq", state.get("after", 0)):
        yield rows
        state["after"] = rows[-1]["seq"]


@dlt.resource(name="rows", write_disposition="append")
def incremental(seq=dlt.sources.incremental("seq", row_order="asc")):
    yield from pages("seq", seq.start_value or 0)


merging = {"write_disposition": "merge", "primary_key": "id", "columns": {"deleted": {"data_type": "bool", "hard_delete": True}}}


@dlt.resource(name="rows", **merging)
def merge(seq=dlt.sources.incremental("seq")):
    yield from pages("seq", seq.start_value or 0)


@dlt.resource(name="rows", write_disposition="replace")
def replace():
    yield from pages("id", 0)


@dlt.resource(name="rows", write_disposition={"disposition": "merge", "strategy": "scd2"})
def scd2():
    yield from pages("id", 0)


resources = {"append": append, "incremental": incremental, "merge": merge, "replace": replace, "scd2": scd2}
destinations = {"duckdb": dlt.destinations.duckdb, "postgres": dlt.destinations.postgres}


def main() -> None:
    data_dir = os.environ["SLUICE_DATA_DIR"]
    while True:
        pipeline = dlt.pipeline(
            "crash",
            pipelines_dir=os.path.join(data_dir, "dlt"),
            destination=destinations[load["destination"]](load["place"]),
            dataset_name=load["dataset"],
        )
        source = dlt.source(lambda: resources[scenario](), name="crash", max_table_nesting=None)
        # A run that finds a package of an earlier one loads that, and reads nothing new.
        if pipeline.has_pending_data:
            pipeline.run()
        pipeline.run(source())
        if ask("advance", "POST")["over"]:
            return


if __name__ == "__main__":
    main()
