"""A harness for tests: runs each message as a shell command and says what it printed. A block of type "raw" is written to standard output as it stands;
one of type "python" is run by the harness itself."""
import json
import os
import signal
import subprocess
import sys

for line in sys.stdin:
    message = json.loads(line)
    if message["type"] != "user":
        continue
    block = message["message"]["content"][0]
    if block["type"] == "raw":
        sys.stdout.buffer.write(block["text"].encode("latin-1"))
        sys.stdout.flush()
        continue
    if block["type"] == "python":
        exec(block["text"])
        continue
    done = subprocess.run(["bash", "-c", block["text"]], capture_output=True, text=True, errors="replace")
    print(json.dumps({"type": "output", "text": done.stdout + done.stderr, "code": done.returncode}))
    print(json.dumps({"type": "result"}), flush=True)
