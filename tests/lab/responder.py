#!/usr/bin/env python3
"""responder.py INTERFACE ADDRESS: a router's answers made by hand. Every IPv4 packet that comes in on INTERFACE with a TTL
of 1 is answered with "time exceeded" from ADDRESS, with an MPLS label stack (RFC 4950) and interface information
(RFC 5837) behind 128 bytes of quotation (RFC 4884). The kernel's own answers have to be silenced."""
import socket
import struct
import sys


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def extensions() -> bytes:
    labels = struct.pack("!II", 30005 << 12 | 3 << 9 | 1, 16 << 12 | 1 << 8 | 7)
    mpls = struct.pack("!HBB", 4 + len(labels), 1, 1) + labels
    # Role incoming, with index, IPv4 address, name and MTU.
    name = b"\x08ge-0/1\0"
    info = struct.pack("!I", 517) + struct.pack("!HH4s", 1, 0, socket.inet_aton("192.0.2.77")) + name + struct.pack("!I", 9192)
    interface = struct.pack("!HBB", 4 + len(info), 2, 0b00001111) + info
    body = bytearray(b"\x20\0\0\0" + mpls + interface)
    body[2:4] = struct.pack("!H", checksum(bytes(body)))
    return bytes(body)


def main() -> None:
    receiver = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    receiver.bind((sys.argv[1], 0))
    sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    print("ready", flush=True)
    while True:
        packet, where = receiver.recvfrom(9216)
        if where[2] == socket.PACKET_OUTGOING or packet[8] != 1:
            continue
        quoted = packet[:128].ljust(128, b"\0")
        message = bytearray(struct.pack("!BBHBBH", 11, 0, 0, 0, len(quoted) // 4, 0) + quoted + extensions())
        message[2:4] = struct.pack("!H", checksum(bytes(message)))
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 64)
        sender.sendto(bytes(message), (socket.inet_ntoa(packet[12:16]), 0))


main()
