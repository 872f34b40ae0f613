"""What an agent has that works for an attacker: sockets, TLS, and its placeholders. A finding is a line: NAME, a tab, JSON."""
import base64
import gzip
import json
import os
import re
import socket
import ssl
import subprocess
import time
import urllib.parse

PROXY = ("127.0.0.1", int(os.environ["HTTP_PROXY"].rsplit(":", 1)[1]))


def say(name, value):
    print(name, json.dumps(value), sep="\t", flush=True)


def leave(name):
    open(name, "w").close()


def wait_for(name):
    while not os.path.exists(name):
        time.sleep(0.1)


def dial():
    return socket.create_connection(PROXY, 20)


def head(stream):
    read = b""
    while not read.endswith(b"\r\n\r\n"):
        byte = stream.recv(1)
        if not byte:
            break
        read += byte
    return read.decode("latin-1")


def rest(stream):
    read = b""
    try:
        while piece := stream.recv(65536):
            read += piece
    except OSError as error:
        return read.decode("latin-1") + f"[{type(error).__name__}]"
    return read.decode("latin-1")


def connect(target):
    """The tunnel, or the refusal of it."""
    stream = dial()
    stream.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode("latin-1"))
    answer = head(stream)
    return stream if " 200 " in answer.split("\r\n")[0] else answer + rest(stream)


def secure(stream, name):
    trust = ssl.create_default_context()
    trust.check_hostname = False
    return trust.wrap_socket(stream, server_hostname=name)


def send(text, host="api.vendor.test", name=None, close=True):
    """Everything that comes back for these bytes, sent as they are in a tunnel of TLS."""
    stream = connect(f"{host}:443")
    if isinstance(stream, str):
        return stream
    try:
        with secure(stream, name or host) as tls:
            tls.sendall(text if isinstance(text, bytes) else text.encode("latin-1"))
            return rest(tls)
    except OSError as error:
        return f"[{type(error).__name__}]"


def ask(target="/", host="api.vendor.test", method="GET", headers="", body=b""):
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return send(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{length}{headers}\r\n".encode("latin-1") + body, host)


def bearer(name="VENDOR_TOKEN"):
    return f"Authorization: Bearer {os.environ[name]}\r\n"


def verdict(answer):
    """The statuses of all answers, each with the proxy's word where it refused."""
    heads = re.findall(r"HTTP/1\.1 (\d{3})", answer)
    words = re.findall(r"X-Centaur-Denied: (\S+)", answer)
    return " ".join(heads + words) or "closed"
