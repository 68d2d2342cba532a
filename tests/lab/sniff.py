#!/usr/bin/env python3
"""sniff.py OUT SECONDS: writes one line of JSON per IP packet that leaves this network namespace: interface, time,
protocol, source, destination, TTL, TOS, flags, length, ICMP type and UDP port. Ends after SECONDS or on SIGTERM."""
import json
import signal
import socket
import sys
import time


def describe(frame: bytes, interface: str, when: float) -> dict | None:
    kind = int.from_bytes(frame[12:14], "big")
    ip = frame[14:]
    if kind == 0x0800 and len(ip) >= 20:
        head = (ip[0] & 15) * 4
        facts = {"proto": ip[9], "src": socket.inet_ntop(socket.AF_INET, ip[12:16]), "dst": socket.inet_ntop(socket.AF_INET, ip[16:20]),
                 "ttl": ip[8], "tos": ip[1], "df": bool(ip[6] & 0x40), "length": int.from_bytes(ip[2:4], "big")}
    elif kind == 0x86DD and len(ip) >= 40:
        head = 40
        facts = {"proto": ip[6], "src": socket.inet_ntop(socket.AF_INET6, ip[8:24]), "dst": socket.inet_ntop(socket.AF_INET6, ip[24:40]),
                 "ttl": ip[7], "tos": (ip[0] & 15) << 4 | ip[1] >> 4, "df": True, "length": 40 + int.from_bytes(ip[4:6], "big")}
    else:
        return None
    body = ip[head:]
    facts |= {"if": interface, "at": when}
    if facts["proto"] in (1, 58) and body:
        facts["icmp"] = body[0]
    if facts["proto"] == 17 and len(body) >= 4:
        facts["port"] = int.from_bytes(body[2:4], "big")
    return facts


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    end = time.time() + float(sys.argv[2])
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    tap.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS: the kernel's time, not ours
    tap.settimeout(0.2)
    with open(sys.argv[1], "w", buffering=1) as out:
        print("ready", file=out)
        while time.time() < end:
            try:
                frame, control, _, address = tap.recvmsg(256, 128)
            except TimeoutError:
                continue
            if address[2] != socket.PACKET_OUTGOING:
                continue
            seconds, nanos = (int.from_bytes(control[0][2][i : i + 8], "little") for i in (0, 8))
            facts = describe(frame, address[0], seconds + nanos / 1e9)
            if facts:
                print(json.dumps(facts), file=out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
