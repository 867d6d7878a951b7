"""A name server that lies, by UDP and TCP, for the zone liar.com: the label below it says how. What resolvers must see
through, and what no real name server can be made to send."""
import random
import socket
import struct
import threading

A, NS, CNAME, SOA, AAAA, OPT, CAA = 1, 2, 5, 6, 28, 41, 257
ZONE = "liar.com"
NOERROR, FORMERR, SERVFAIL, REFUSED = 0, 1, 2, 5


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.strip(".").split(".") if label) + b"\0"


def record(name, kind, data, ttl=60):
    return wire(name) + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


class Query:
    def __init__(self, packet):
        self.id = packet[:2]
        at, labels = 12, []
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1"))
            at += packet[at] + 1
        self.question = packet[12:at + 5]
        self.name = ".".join(labels).lower()
        self.kind = struct.unpack("!H", packet[at + 1:at + 3])[0]
        self.edns = packet[11] > 0

    def answer(self, records=(), authority=(), additional=(), rcode=NOERROR, flags=0x8400, question=None, id=None):
        """flags: QR and AA."""
        return ((id or self.id) + struct.pack("!HHHHH", flags | rcode, 1, len(records), len(authority), len(additional)) +
                (question or self.question) + b"".join(records) + b"".join(authority) + b"".join(additional))


class Liar:
    def __init__(self, address, web, inside="127.0.0.1"):
        self.address = address
        self.web = web
        self.inside = inside  # where no validation may lead
        self.flipped = False
        self.asked = {}
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, 53))
        self.tcp = socket.create_server((address, 53))
        for loop in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=loop, daemon=True).start()

    def stop(self):
        for s in (self.udp, self.tcp):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def serve_udp(self):
        while True:
            try:
                packet, peer = self.udp.recvfrom(4096)
                reply = self.reply(Query(packet), False)
                if reply:
                    self.udp.sendto(reply, peer)
            except (OSError, IndexError):
                if self.udp.fileno() < 0:
                    return

    def serve_tcp(self):
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_connection, args=(connection,), daemon=True).start()

    def serve_connection(self, connection):
        with connection:
            try:
                connection.settimeout(5)
                while head := connection.recv(2, socket.MSG_WAITALL):
                    packet = connection.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL)
                    reply = self.reply(Query(packet), True)
                    if reply is None:
                        return
                    extra = 100 if Query(packet).name.startswith("tcshort.") else 0
                    connection.sendall(struct.pack("!H", len(reply) + extra) + reply)
                    if extra:
                        return
            except (OSError, IndexError, struct.error):
                return

    # --- what it says ------------------------------------------------------------------------------------------------

    def soa(self):
        return [record(ZONE, SOA, wire(f"ns.{ZONE}") + wire(f"admin.{ZONE}") + struct.pack("!IIIII", 1, 60, 60, 600, 1))]

    def to(self, q, *addresses, ttl=60, **kw):
        if q.kind != A:
            return q.answer(authority=self.soa())
        return q.answer([record(q.name, A, socket.inet_aton(a), ttl) for a in addresses], **kw)

    def reply(self, q, tcp):
        if q.name == ZONE or q.name == f"ns.{ZONE}":
            if q.kind == SOA:
                return q.answer(self.soa())
            if q.kind == NS:
                return q.answer([record(ZONE, NS, wire(f"ns.{ZONE}"))])
            return self.to(q, self.address)
        if not q.name.endswith("." + ZONE):
            return q.answer(rcode=REFUSED)
        label = q.name[:-len(ZONE) - 1].split(".")[-1]
        self.asked[label] = self.asked.get(label, 0) + 1
        lie = getattr(self, f"lie_{label}", None)
        return lie(q, tcp) if lie else self.to(q, self.web)

    def lie_tcok(self, q, tcp):
        return self.to(q, self.web) if tcp else q.answer(flags=0x8600)

    def lie_tc(self, q, tcp):
        return None if tcp else q.answer(flags=0x8600)

    def lie_tcshort(self, q, tcp):
        return self.to(q, self.web) if tcp else q.answer(flags=0x8600)

    def lie_tcforever(self, q, tcp):
        return q.answer(flags=0x8600)

    def lie_garbage(self, q, tcp):
        return q.id + b"\x84\0" + b"\xff" * 8 + random.randbytes(200)

    def lie_wrongid(self, q, tcp):
        return self.to(q, self.web, id=bytes([q.id[0] ^ 1, q.id[1]]))

    def lie_otherq(self, q, tcp):
        other = wire("www.example.com") + q.question[-4:]
        return q.answer([record("www.example.com", A, socket.inet_aton(self.web))], question=other)

    def lie_noreply(self, q, tcp):
        return q.answer(flags=0)

    def lie_noedns(self, q, tcp):
        return q.answer(rcode=FORMERR) if q.edns else self.to(q, self.web)

    def lie_down(self, q, tcp):
        """A referral to itself, for ever."""
        return q.answer(authority=[record(f"down.{ZONE}", NS, wire(f"ns.down.{ZONE}"))],
                        additional=[record(f"ns.down.{ZONE}", A, socket.inet_aton(self.address))], flags=0x8000)

    def lie_up(self, q, tcp):
        """A referral to the root, from below."""
        return q.answer(authority=[record(".", NS, wire(f"ns.up.{ZONE}"))],
                        additional=[record(f"ns.up.{ZONE}", A, socket.inet_aton(self.address))], flags=0x8000)

    def lie_nxns(self, q, tcp):
        """A referral to forty servers that another's zone would have to be asked about."""
        return q.answer(authority=[record(f"nxns.{ZONE}", NS, wire(f"n{i}.nowhere.half.com")) for i in range(40)],
                        flags=0x8000)

    def lie_case(self, q, tcp):
        """The name in capitals, as it is nobody's business."""
        name = q.question[:-4].upper()
        if q.kind != A:
            return q.answer(authority=self.soa(), question=name + q.question[-4:])
        return q.answer([name + struct.pack("!HHIH", A, 1, 60, 4) + socket.inet_aton(self.web)],
                        question=name + q.question[-4:])

    def lie_chain(self, q, tcp):
        first = q.name.split(".")[0]
        following = int(first[1:]) + 1 if first[1:].isdigit() else 0
        return q.answer([record(q.name, CNAME, wire(f"c{following}.chain.{ZONE}"))])

    def lie_caafails(self, q, tcp):
        return q.answer(rcode=SERVFAIL) if q.kind == CAA else self.to(q, self.web)

    def lie_caadrops(self, q, tcp):
        return None if q.kind == CAA else self.to(q, self.web)

    def lie_caarefused(self, q, tcp):
        return q.answer(rcode=REFUSED) if q.kind == CAA else self.to(q, self.web)

    def lie_caashort(self, q, tcp):
        """A tag longer than the record."""
        return q.answer([record(q.name, CAA, b"\0\x20issue")]) if q.kind == CAA else self.to(q, self.web)

    def lie_caaempty(self, q, tcp):
        return q.answer([record(q.name, CAA, b"\0\0")]) if q.kind == CAA else self.to(q, self.web)

    def lie_caamany(self, q, tcp):
        """The one that forbids is the last of 300."""
        if q.kind != CAA:
            return self.to(q, self.web)
        if not tcp:
            return q.answer(flags=0x8600)
        many = [record(q.name, CAA, b"\0\x05issueca.example.org; x=%03d" % i) for i in range(299)]
        return q.answer([*many, record(q.name, CAA, b"\x80\x06futureyes")])

    def lie_inside(self, q, tcp):
        return self.to(q, self.inside)

    def lie_half(self, q, tcp):
        return self.to(q, self.web, self.inside)

    def lie_flip(self, q, tcp):
        """Outside when the name is checked, inside when it is used."""
        return self.to(q, self.inside if self.flipped else self.web, ttl=0)

    def lie_poison(self, q, tcp):
        """And by the way, example.com is here too."""
        if q.kind != A:
            return q.answer(authority=self.soa())
        return q.answer([record(q.name, A, socket.inet_aton(self.web)),
                         record("victim.example.com", A, socket.inet_aton(self.address))],
                        authority=[record("example.com", NS, wire(f"ns.{ZONE}"))],
                        additional=[record("ns.example.com", A, socket.inet_aton(self.address)),
                                    record("victim.example.com", A, socket.inet_aton(self.address))])

    def lie_nothing(self, q, tcp):
        return q.answer(authority=self.soa())

    def lie_silent(self, q, tcp):
        return None
