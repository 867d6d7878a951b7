"""As much of the protobuf wire format as tests need: dicts of field number to value, out and in."""


def varint(n):
    out = b""
    while True:
        out += bytes([n & 0x7F | (0x80 if n > 0x7F else 0)])
        n >>= 7
        if n == 0:
            return out


def pack(fields):
    """Values: int, bool, str, bytes, dict (a message), list of those. Zero and empty are left out, as proto3 does."""
    out = b""
    for number, value in sorted(fields.items()):
        for v in value if isinstance(value, list) else [value]:
            if isinstance(v, dict):
                v = pack(v)
                out += varint(number << 3 | 2) + varint(len(v)) + v
            elif isinstance(v, (str, bytes)):
                v = v.encode() if isinstance(v, str) else v
                if v or isinstance(value, list):
                    out += varint(number << 3 | 2) + varint(len(v)) + v
            elif v:
                out += varint(number << 3) + varint(int(v) & (1 << 64) - 1)
    return out


def unpack(data):
    """Field number to the list of its values, int or bytes."""
    found, at = {}, 0

    def number():
        nonlocal at
        shift = value = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = number()
        if key & 7 == 0:
            found.setdefault(key >> 3, []).append(number())
        elif key & 7 == 2:
            size = number()
            found.setdefault(key >> 3, []).append(data[at:at + size])
            at += size
        else:
            raise ValueError(f"wire type {key & 7}")
    return found
