"""Tries every way out that a process could know. Prints a line for each: NAME open, or NAME closed and why. Arguments: NAME=VALUE for each target."""
import os
import socket
import struct
import sys

target = dict(argument.split("=", 1) for argument in sys.argv[1:])


def report(name, attempt):
    try:
        attempt()
        print(name, "open")
    except Exception as error:  # the reason is the finding
        print(name, "closed", type(error).__name__, error)


def stream(family, address):
    def attempt():
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.settimeout(2)
            s.connect(address)
            s.sendall(b"hello\n")
            if s.recv(16) != b"hello\n":
                raise OSError("somebody else answered")
    return attempt


def datagram(family, address):
    def attempt():
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.settimeout(2)
            s.sendto(b"hello\n", address)
            s.recv(16)
    return attempt


def ping():
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as s:
        s.settimeout(2)
        s.sendto(struct.pack("!BBHHH", 8, 0, 0xF7FE, 0, 1), ("127.0.0.1", 0))
        s.recv(64)


def packet():
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()


def netlink():
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()


report("tcp4", stream(socket.AF_INET, ("127.0.0.1", int(target["tcp4"]))))
report("tcp6", stream(socket.AF_INET6, ("::1", int(target["tcp6"]))))
report("udp4", datagram(socket.AF_INET, ("127.0.0.1", int(target["udp4"]))))
report("abstract", stream(socket.AF_UNIX, "\0" + target["abstract"]))
report("path", stream(socket.AF_UNIX, target["path"]))
report("postgres", lambda: socket.socket(socket.AF_UNIX).connect(target["postgres"]))
report("broker", lambda: socket.socket(socket.AF_UNIX).connect(target["broker"]))
report("keeper", lambda: socket.socket(socket.AF_UNIX).connect(target["keeper"]))
report("secrets", lambda: os.listdir(target["secrets"]))
report("api", lambda: socket.create_connection(("127.0.0.1", int(target["api"])), 2))
report("icmp", ping)
report("packet", packet)
report("netlink", netlink)
report("process", lambda: open("/proc/" + target["process"] + "/environ").read())
