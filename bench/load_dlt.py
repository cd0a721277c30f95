"""One load with dlt, measured: python load_dlt.py <base url> <shape> <destination> <target> <defaults|tuned> [append|merge]."""

import json
import os
import resource
import sys
import time

base_url, shape, destination, target, mode = sys.argv[1:6]
disposition = sys.argv[6] if len(sys.argv) > 6 else "append"

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
if mode == "tuned":
    # What dlt's own guide on performance advises for two cores.
    os.environ["NORMALIZE__WORKERS"] = "2"
    os.environ["DATA_WRITER__BUFFER_MAX_ITEMS"] = "20000"
    os.environ["DATA_WRITER__FILE_MAX_ITEMS"] = "50000"
    os.environ["NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION"] = "true"

import dlt  # noqa: E402
from dlt.sources.rest_api import rest_api_source  # noqa: E402

if __name__ == "__main__":
    destinations = {
        "duckdb": lambda: dlt.destinations.duckdb(target),
        "postgres": lambda: dlt.destinations.postgres(target),
        "parquet": lambda: dlt.destinations.filesystem(target),
    }
    # Where another format than the default is faster, tuned means that one.
    formats = {"duckdb": "parquet", "postgres": "csv", "parquet": "parquet"}
    resource_config = {
        "name": shape,
        "endpoint": {
            "path": shape,
            "data_selector": "data",
            "paginator": {"type": "json_link", "next_url_path": "next"},
        },
        "write_disposition": disposition,
    }
    if disposition == "merge":
        resource_config["primary_key"] = "id"
    source = rest_api_source({"client": {"base_url": base_url}, "resources": [resource_config]}, name="bench")
    pipeline = dlt.pipeline("bench", destination=destinations[destination](), dataset_name="bench")
    loader_file_format = formats[destination] if mode == "tuned" or destination == "parquet" else None
    begun = time.perf_counter()
    pipeline.run(source, loader_file_format=loader_file_format)
    wall = time.perf_counter() - begun
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    steps = {step.step: (step.finished_at - step.started_at).total_seconds() * 1000 for step in pipeline.last_trace.steps}
    print(
        json.dumps(
            {
                "wallMs": wall * 1000,
                "cpuMs": 1000 * (own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime),
                "peakRssMiB": (own.ru_maxrss + children.ru_maxrss) / 1024,
                "writtenMiB": None,
                "stages": {name + "Ms": steps[name] for name in ("extract", "normalize", "load")},
                "version": dlt.__version__,
            }
        )
    )
