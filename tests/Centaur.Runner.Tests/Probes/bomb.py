"""Starts processes until the kernel refuses one, says why, and ends them."""
import subprocess

started = []
try:
    while len(started) < 10000:
        started.append(subprocess.Popen(["sleep", "30"]))
except OSError as error:
    print(error)
for process in started:
    process.kill()
