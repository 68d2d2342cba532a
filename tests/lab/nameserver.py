#!/usr/bin/env python3
"""nameserver.py ADDRESS TTL ANSWER [ANSWER6]: a name server on ADDRESS port 53 that answers every A question with ANSWER,
AAAA questions for names that begin with "both" with ANSWER6, and every other question with nothing. Names that begin with
"no" do not exist."""
import socket
import sys


def answer(query: bytes, ttl: int, address: str, address6: str) -> bytes:
    end = 12
    while query[end]:
        end += query[end] + 1
    question = query[12 : end + 5]
    missing = query[13:15] == b"no"
    six = question[-4:-2] == b"\0\x1c" and query[13:17] == b"both" and address6 != ""
    wanted = (six or question[-4:-2] == b"\0\1") and not missing
    head = query[:2] + (b"\x81\x83" if missing else b"\x81\x80") + b"\0\1" + (b"\0\1" if wanted else b"\0\0") + b"\0\0\0\0"
    data = socket.inet_pton(socket.AF_INET6, address6) if six else socket.inet_aton(address)
    record = b"\xc0\x0c" + question[-4:-2] + b"\0\1" + ttl.to_bytes(4, "big") + len(data).to_bytes(2, "big") + data
    return head + question + (record if wanted else b"")


def main() -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((sys.argv[1], 53))
    print("ready", flush=True)
    while True:
        query, peer = server.recvfrom(512)
        if len(query) > 16:
            server.sendto(answer(query, int(sys.argv[2]), sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else ""), peer)


main()
