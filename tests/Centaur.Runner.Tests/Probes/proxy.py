#!/usr/bin/python3
"""A stand-in for centaur-proxy's control side: strict about what it inherits and is told; refuses policies of another sandbox's version order."""
import fcntl
import json
import os
import socket
import stat
import sys

assert sys.argv[1:] == ["sandbox", "postgres"], sys.argv
assert sorted(int(n) for n in os.listdir("/proc/self/fd"))[3:8] == [3, 4, 5, 6, 7], os.listdir("/proc/self/fd")
assert len(os.listdir("/proc/self/fd")) == 9  # the listing has a descriptor of its own
assert os.environ["HOME"]  # no certificate chain is built without one
assert stat.S_ISREG(os.fstat(6).st_mode)
flags = fcntl.fcntl(6, fcntl.F_GETFL)  # read to go on with the hash chain, append to never rewrite it
assert flags & os.O_ACCMODE == os.O_RDWR and flags & os.O_APPEND, flags
assert not [name for name in os.environ if name not in ("PATH", "LANG", "LC_CTYPE", "HOME", "DOTNET_EnableDiagnostics", "DOTNET_GCgen0size", "DOTNET_ROOT")], os.environ
listener = socket.socket(fileno=3)
databases = socket.socket(fileno=7)
assert all(each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1 for each in (listener, databases))
control = socket.socket(fileno=4)
authority = os.pread(5, 1 << 20, 0)
if not authority:
    authority = b"-----BEGIN CERTIFICATE-----\n" + os.urandom(24).hex().encode() + b"\n-----END CERTIFICATE-----\n"
    os.pwrite(5, authority, 0)


def tell(**notice):
    control.sendall(json.dumps(notice).encode() + b"\n")


tell(type="ready", ca_certificate=authority.decode())
version = 0
for line in control.makefile("r"):
    command = json.loads(line)
    os.write(6, line.encode())
    if command["type"] == "policy":
        wanted = command["policy"]["version"]
        if wanted < version:
            tell(type="policy_rejected", version=wanted, message="older than what is in force")
        else:
            version = wanted
            tell(type="policy_ack", version=wanted)
