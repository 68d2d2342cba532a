#!/usr/bin/env python3
"""nameserver.py ADDRESS TTL ANSWER [ANSWER6]: a name server on ADDRESS port 53 that answers every A question with ANSWER,
AAAA questions for names that begin with "both" with ANSWER6, PTR questions with the address as a name below "hop.example",
and every other question with nothing. Names that begin with "no" do not exist."""
import socket
import sys


def answer(query: bytes, ttl: int, address: str, address6: str) -> bytes:
    end = 12
    while query[end]:
        end += query[end] + 1
    question = query[12 : end + 5]
    missing = query[13:15] == b"no"
    reverse = question[-4:-2] == b"\0\x0c"
    six = question[-4:-2] == b"\0\x1c" and query[13:17] == b"both" and address6 != ""
    wanted = (six or reverse or question[-4:-2] == b"\0\1") and not missing
    head = query[:2] + (b"\x81\x83" if missing else b"\x81\x80") + b"\0\1" + (b"\0\1" if wanted else b"\0\0") + b"\0\0\0\0"
    data = socket.inet_pton(socket.AF_INET6, address6) if six else host_of(question) if reverse else socket.inet_aton(address)
    record = b"\xc0\x0c" + question[-4:-2] + b"\0\1" + ttl.to_bytes(4, "big") + len(data).to_bytes(2, "big") + data
    return head + question + (record if wanted else b"")


def host_of(question: bytes) -> bytes:
    """1.2.0.192.in-addr.arpa is 192-0-2-1.hop.example; of IPv6, the last four digits are enough."""
    labels, at = [], 0
    while question[at]:
        labels.append(question[at + 1 : at + 1 + question[at]])
        at += question[at] + 1
    host = b"-".join(labels[3::-1])
    return bytes([len(host)]) + host + b"\x03hop\x07example\0"


def main() -> None:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((sys.argv[1], 53))
    print("ready", flush=True)
    while True:
        query, peer = server.recvfrom(512)
        if len(query) > 16:
            server.sendto(answer(query, int(sys.argv[2]), sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else ""), peer)


main()
