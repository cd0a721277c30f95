"""Runs each cell of a notebook in its kernel, and prints what they gave as JSON: one list of messages a cell.

Deno's kernel may send a result after it has said that it is idle. Jupyter's own page shows it then, by the
message that it answers; nbclient would have stopped listening. So all cells are listened to until the end.
"""

import json
import queue
import sys
import time

from jupyter_client.manager import start_new_kernel

with open(sys.argv[1]) as file:
    notebook = json.load(file)
manager, client = start_new_kernel(kernel_name=notebook["metadata"]["kernelspec"]["name"])
given: dict[str, list] = {}


def listen(seconds: float, enough) -> None:
    until = time.monotonic() + seconds
    while not enough() and time.monotonic() < until:
        try:
            message = client.get_iopub_msg(timeout=0.2)
        except queue.Empty:
            continue
        answered = given.get(message["parent_header"].get("msg_id"))
        if answered is not None and message["msg_type"] in ("execute_result", "display_data", "error", "stream"):
            answered.append({"type": message["msg_type"], **message["content"]})


try:
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        sent = client.execute("".join(cell["source"]))
        given[sent] = []
        reply = client.get_shell_msg(timeout=120)
        while reply["parent_header"].get("msg_id") != sent:
            reply = client.get_shell_msg(timeout=120)
    listen(20, lambda: all(given.values()))
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
print(json.dumps(list(given.values())))
