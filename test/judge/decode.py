#!/usr/bin/env python3
"""Independent reader for etcd on-disk files (Python 3 stdlib only).

It shares no code with strata or with etcd: a second opinion on every file strata writes, and on the golden files.
Unlike bbolt 1.3.6 it also checks page ids and the order of keys.

  decode.py db FILE [--no-kv] [--pages]   metas, freelist, page table, buckets, every key
  decode.py check FILE                    structural invariants (prints OK or the faults; exit 1)
  decode.py status FILE                   snapshot-status numbers, 3.4 and 3.6 flavours, as JSON
  decode.py hash FILE                     Maintenance.Hash value (3.4 and 3.5+/3.6+ ignore sets)
  decode.py hashkv FILE [REV]             Maintenance.HashKV value at REV (default: current)
  decode.py wal DIR|SEGMENT...            every WAL record with CRC check
  decode.py snap FILE                     a member/snap/*.snap file
  decode.py ids TOKEN NAME=URL[,NAME=URL...]   member IDs and cluster ID
"""
import hashlib, json, os, struct, sys

# ---------------------------------------------------------------- checksums
_CRC = []
for _i in range(256):
    _c = _i
    for _ in range(8):
        _c = (_c >> 1) ^ (0x82F63B78 if _c & 1 else 0)
    _CRC.append(_c)


def crc32c(data, crc=0):
    c = crc ^ 0xFFFFFFFF
    t = _CRC
    for b in data:
        c = t[(c ^ b) & 0xFF] ^ (c >> 8)
    return c ^ 0xFFFFFFFF


def fnv1a64(data):
    h = 0xCBF29CE484222325
    for b in data:
        h = ((h ^ b) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


# ---------------------------------------------------------------- protobuf
class PBError(Exception):
    pass


def varint(b, i):
    v = s = 0
    while True:
        if i >= len(b) or s > 63:
            raise PBError("varint")
        c = b[i]
        i += 1
        v |= (c & 0x7F) << s
        s += 7
        if c < 0x80:
            return v & 0xFFFFFFFFFFFFFFFF, i


def pb_raw(b):
    """-> list of (field, wiretype, value)"""
    out, i = [], 0
    while i < len(b):
        t, i = varint(b, i)
        f, w = t >> 3, t & 7
        if f == 0:
            raise PBError("field 0")
        if w == 0:
            v, i = varint(b, i)
        elif w == 1:
            if i + 8 > len(b):
                raise PBError("short")
            v, i = struct.unpack_from("<Q", b, i)[0], i + 8
        elif w == 2:
            n, i = varint(b, i)
            if i + n > len(b):
                raise PBError("short")
            v, i = b[i:i + n], i + n
        elif w == 5:
            if i + 4 > len(b):
                raise PBError("short")
            v, i = struct.unpack_from("<I", b, i)[0], i + 4
        else:
            raise PBError("wiretype %d" % w)
        out.append((f, w, v))
    return out


def i64(v):
    return v - (1 << 64) if v >> 63 else v


def show(b):
    if len(b) > 400:
        return show(b[:40]) + "...(%d bytes, crc32c %08x)" % (len(b), crc32c(b))
    try:
        s = b.decode("utf-8")
        if s.isprintable():
            return s
    except UnicodeDecodeError:
        pass
    return "0x" + b.hex()


U, I, B, S, H = "u", "i", "b", "s", "h"  # uint, int64, bytes, string, hex id
KV = {1: ("key", B), 2: ("create_revision", I), 3: ("mod_revision", I), 4: ("version", I), 5: ("value", B), 6: ("lease", H)}
RANGE = {1: ("key", B), 2: ("range_end", B), 3: ("limit", I), 4: ("revision", I), 5: ("sort_order", U), 6: ("sort_target", U),
         7: ("serializable", U), 8: ("keys_only", U), 9: ("count_only", U), 10: ("min_mod_revision", I), 11: ("max_mod_revision", I),
         12: ("min_create_revision", I), 13: ("max_create_revision", I)}
PUT = {1: ("key", B), 2: ("value", B), 3: ("lease", H), 4: ("prev_kv", U), 5: ("ignore_value", U), 6: ("ignore_lease", U)}
DEL = {1: ("key", B), 2: ("range_end", B), 3: ("prev_kv", U)}
CMP = {1: ("result", U), 2: ("target", U), 3: ("key", B), 4: ("version", I), 5: ("create_revision", I), 6: ("mod_revision", I),
       7: ("value", B), 8: ("lease", H), 64: ("range_end", B)}
OP = {1: ("request_range", RANGE), 2: ("request_put", PUT), 3: ("request_delete_range", DEL)}
TXN = {1: ("compare", CMP), 2: ("success", OP), 3: ("failure", OP)}
OP[4] = ("request_txn", TXN)
PERM = {1: ("permType", U), 2: ("key", B), 3: ("range_end", B)}
UOPT = {1: ("no_password", U)}
USER = {1: ("name", B), 2: ("password", B), 3: ("roles", S), 4: ("options", UOPT)}
ROLE = {1: ("name", B), 2: ("keyPermission", PERM)}
LEASE = {1: ("ID", H), 2: ("TTL", I), 3: ("RemainingTTL", I)}
ALARMM = {1: ("memberID", H), 2: ("alarm", U)}
V2REQ = {1: ("ID", H), 2: ("Method", S), 3: ("Path", S), 4: ("Val", S), 5: ("Dir", U), 6: ("PrevValue", S), 7: ("PrevIndex", U),
         8: ("PrevExist", U), 9: ("Expiration", I), 10: ("Wait", U), 11: ("Since", U), 12: ("Recursive", U), 13: ("Sorted", U),
         14: ("Quorum", U), 15: ("Time", I), 16: ("Stream", U), 17: ("Refresh", U)}
HDR = {1: ("ID", H), 2: ("username", S), 3: ("auth_revision", U)}
N1 = {1: ("name", S)}
MATTR = {1: ("name", S), 2: ("client_urls", S)}
INTERNAL = {
    1: ("ID", H), 2: ("v2", V2REQ), 3: ("range", RANGE), 4: ("put", PUT), 5: ("delete_range", DEL), 6: ("txn", TXN),
    7: ("compaction", {1: ("revision", I), 2: ("physical", U)}), 8: ("lease_grant", {1: ("TTL", I), 2: ("ID", H)}),
    9: ("lease_revoke", {1: ("ID", H)}), 10: ("alarm", {1: ("action", U), 2: ("memberID", H), 3: ("alarm", U)}),
    11: ("lease_checkpoint", {1: ("checkpoints", {1: ("ID", H), 2: ("remaining_TTL", I)})}), 100: ("header", HDR),
    1000: ("auth_enable", {}), 1011: ("auth_disable", {}), 1012: ("authenticate", {1: ("name", S), 2: ("password", S), 3: ("simple_token", S)}),
    1013: ("auth_status", {}), 1100: ("auth_user_add", {1: ("name", S), 2: ("password", S), 3: ("options", UOPT), 4: ("hashedPassword", S)}),
    1101: ("auth_user_delete", N1), 1102: ("auth_user_get", N1),
    1103: ("auth_user_change_password", {1: ("name", S), 2: ("password", S), 3: ("hashedPassword", S)}),
    1104: ("auth_user_grant_role", {1: ("user", S), 2: ("role", S)}), 1105: ("auth_user_revoke_role", {1: ("name", S), 2: ("role", S)}),
    1106: ("auth_user_list", {}), 1107: ("auth_role_list", {}), 1200: ("auth_role_add", N1), 1201: ("auth_role_delete", {1: ("role", S)}),
    1202: ("auth_role_get", {1: ("role", S)}), 1203: ("auth_role_grant_permission", {1: ("name", S), 2: ("perm", PERM)}),
    1204: ("auth_role_revoke_permission", {1: ("role", S), 2: ("key", B), 3: ("range_end", B)}),
    1300: ("cluster_version_set", {1: ("ver", S)}),
    1301: ("cluster_member_attr_set", {1: ("member_ID", H), 2: ("member_attributes", MATTR)}),
    1302: ("downgrade_info_set", {1: ("enabled", U), 2: ("ver", S)}), 9900: ("downgrade_version_test", {1: ("ver", S)})}
RECORD = {1: ("type", I), 2: ("crc", U), 3: ("data", B)}
CONFSTATE = {1: ("voters", H), 2: ("learners", H), 3: ("voters_outgoing", H), 4: ("learners_next", H), 5: ("auto_leave", U)}
WSNAP = {1: ("index", U), 2: ("term", U), 3: ("conf_state", CONFSTATE)}
HARD = {1: ("term", U), 2: ("vote", H), 3: ("commit", U)}
META = {1: ("NodeID", H), 2: ("ClusterID", H)}
CC = {1: ("id", H), 2: ("type", U), 3: ("node_id", H), 4: ("context", B)}
CC2 = {1: ("transition", U), 2: ("changes", {1: ("type", U), 2: ("node_id", H)}), 3: ("context", B)}
RSNAP = {1: ("data", B), 2: ("metadata", {1: ("conf_state", CONFSTATE), 2: ("index", U), 3: ("term", U)})}


def pb(schema, b):
    """decode with a schema -> list of (name, value); unknown fields raise"""
    out = []
    for f, w, v in pb_raw(b):
        if f not in schema:
            raise PBError("unknown field %d" % f)
        name, k = schema[f]
        if isinstance(k, dict):
            if w != 2:
                raise PBError("wire")
            v = pb(k, v)
        elif k in (B, S):
            if w != 2:
                raise PBError("wire")
        elif w == 2 and k in (U, H):  # packed
            vals, i = [], 0
            while i < len(v):
                x, i = varint(v, i)
                vals.append(("%x" % x) if k == H else x)
            v = vals
        else:
            if w != 0:
                raise PBError("wire")
            v = i64(v) if k == I else ("%x" % v if k == H else v)
        out.append((name, v))
    return out


def pbs(m):
    parts = []
    for n, v in m:
        if isinstance(v, list) and (not v or isinstance(v[0], tuple)):
            v = "{" + pbs(v) + "}"
        elif isinstance(v, (bytes, bytearray)):
            v = json.dumps(show(bytes(v)))
        parts.append("%s=%s" % (n, v))
    return " ".join(parts)


def get(m, name, d=None):
    for n, v in m:
        if n == name:
            return v
    return d


# ---------------------------------------------------------------- bbolt
MAGIC, NOFL = 0xED0CDAED, 0xFFFFFFFFFFFFFFFF
TYPES = {1: "branch", 2: "leaf", 4: "meta", 0x10: "freelist"}


class Meta:
    def __init__(self, raw):
        (self.magic, self.version, self.pageSize, self.flags, self.root, self.seq, self.freelist, self.pgid,
         self.txid, self.checksum) = struct.unpack_from("<IIIIQQQQQQ", raw)
        self.want = fnv1a64(raw[:56])

    def err(self):
        if self.magic != MAGIC:
            return "invalid database"
        if self.version != 2:
            return "version mismatch"
        if self.checksum != self.want:
            return "checksum error"


class Page:
    def __init__(self, buf, off):
        self.b, self.off = buf, off
        if off + 16 > len(buf):
            raise SystemExit("page at byte %d lies past the end of the file (%d bytes)" % (off, len(buf)))
        self.id, self.flags, self.count, self.overflow = struct.unpack_from("<QHHI", buf, off)

    @property
    def typ(self):
        return TYPES.get(self.flags, "unknown<%02x>" % self.flags)

    def elems(self):
        b = self.b
        for i in range(self.count):
            e = self.off + 16 + 16 * i
            if self.flags == 2:
                fl, pos, ks, vs = struct.unpack_from("<IIII", b, e)
                k = e + pos
                yield fl, b[k:k + ks], b[k + ks:k + ks + vs], 0
            else:
                pos, ks, pg = struct.unpack_from("<IIQ", b, e)
                yield 0, b[e + pos:e + pos + ks], None, pg


class DB:
    def __init__(self, path):
        with open(path, "rb") as f:
            self.b = f.read()
        n = len(self.b)
        if n < 0x1000:
            raise SystemExit("file size too small %d" % n)
        m0 = Meta(self.b[16:96].ljust(80, b"\0"))
        self.ps = None
        if not m0.err():
            self.ps = m0.pageSize
        else:
            for i in range(15):
                pos = 1024 << i
                if pos >= n - 1024:
                    break
                m = Meta(self.b[pos + 16:pos + 96].ljust(80, b"\0"))
                if not m.err():
                    self.ps = m.pageSize
                    break
        if self.ps is None:
            raise SystemExit("both meta pages are invalid: %s" % m0.err())
        if n < 2 * self.ps:
            raise SystemExit("file size too small %d" % n)
        self.metas = [m0, Meta(self.b[self.ps + 16:self.ps + 96].ljust(80, b"\0"))]
        a, o = (1, 0) if self.metas[1].txid > self.metas[0].txid else (0, 1)
        self.active = a if not self.metas[a].err() else o
        self.m = self.metas[self.active]

    def page(self, i):
        return Page(self.b, i * self.ps)

    def free_ids(self):
        if self.m.freelist == NOFL:
            return None
        p = self.page(self.m.freelist)
        if p.flags != 0x10:
            raise SystemExit("invalid freelist page: %d, page type is %s" % (p.id, p.typ))
        n, o = p.count, p.off + 16
        if n == 0xFFFF:
            n, o = struct.unpack_from("<Q", self.b, o)[0], o + 8
        return list(struct.unpack_from("<%dQ" % n, self.b, o))

    def walk(self, p):
        """leaf elements below a page, in order"""
        if p.flags == 1:
            for _, _, _, pg in p.elems():
                yield from self.walk(self.page(pg))
        elif p.flags == 2:
            for fl, k, v, _ in p.elems():
                yield fl, k, v
        else:
            raise SystemExit("page %d: unexpected type %s" % (p.id, p.typ))

    def sub(self, v):
        """bucket value -> (root pgid, sequence, root page)"""
        root, seq = struct.unpack_from("<QQ", v)
        return root, seq, (Page(v, 16) if root == 0 else self.page(root))

    def buckets(self):
        for fl, k, v in self.walk(self.page(self.m.root)):
            if fl & 1:
                yield (k,) + self.sub(v)

    def bucket(self, name):
        for k, root, seq, p in self.buckets():
            if k == name:
                return [(kk, vv) for fl, kk, vv in self.walk(p)]
        return []

    def reach(self):
        """page id -> how reached, plus structural faults"""
        seen, bad = {0: "meta", 1: "meta"}, []
        m = self.m
        if m.freelist != NOFL:
            for i in range(self.page(m.freelist).overflow + 1):
                seen[m.freelist + i] = "freelist"
        free = self.free_ids()
        freed = set(free or [])
        if free is not None and len(freed) != len(free):
            bad.append("page already freed (duplicate id in freelist)")

        def pg(i, lo, hi, stack):
            if i >= m.pgid:
                bad.append("page %d: out of bounds: %d (stack: %s)" % (i, m.pgid, stack))
                return None
            p = self.page(i)
            if p.id != i:
                bad.append("page expected to be: %d, but self identifies as %d" % (i, p.id))
                return None
            for j in range(i, i + p.overflow + 1):
                if j in seen:
                    bad.append("page %d: multiple references (stack: %s)" % (j, stack))
                seen[j] = p.typ
            if i in freed:
                bad.append("page %d: reachable freed" % i)
            if p.flags not in (1, 2):
                bad.append("page %d: invalid type: %s (stack: %s)" % (i, p.typ, stack))
                return None
            body(p, lo, hi, stack)
            return p

        def body(p, lo, hi, stack):
            prev = lo
            es = list(p.elems())
            for n, (fl, k, v, c) in enumerate(es):
                if prev is not None and (k < prev if n == 0 else k <= prev):
                    bad.append("page %d key[%d]=%s out of order after %s" % (p.id, n, k.hex(), prev.hex()))
                if hi is not None and k >= hi:
                    bad.append("page %d key[%d]=%s not below the next key in the ancestor" % (p.id, n, k.hex()))
                prev = k
                if p.flags == 1:
                    pg(c, k, es[n + 1][1] if n + 1 < len(es) else hi, stack + [c])
                elif fl & 1:
                    root = struct.unpack_from("<Q", v)[0]
                    if root:
                        pg(root, None, None, stack + [root])
                    else:
                        body(Page(v, 16), None, None, stack + ["inline"])
        pg(m.root, None, None, [m.root])
        if free is not None:
            for i in range(m.pgid):
                if i not in seen and i not in freed:
                    bad.append("page %d: unreachable unfreed" % i)
        return seen, bad


def rev(k):
    return struct.unpack(">q", k[:8])[0], struct.unpack(">q", k[9:17])[0], len(k) == 18 and k[17:] == b"t"


def describe(bucket, k, v):
    try:
        if bucket == "key":
            a, s, t = rev(k)
            return "%d_%d%s %s" % (a, s, " TOMBSTONE" if t else "", pbs(pb(KV, v)))
        if bucket == "meta":
            if k in (b"consistent_index", b"term"):
                return "%s = %d" % (k.decode(), struct.unpack(">Q", v)[0])
            if k.endswith(b"CompactRev"):
                return "%s = %d_%d" % (k.decode(), *rev(v)[:2])
        if bucket == "lease":
            return "%016x %s" % (struct.unpack(">Q", k)[0], pbs(pb(LEASE, v)))
        if bucket == "alarm":
            return "%s -> %r" % (pbs(pb(ALARMM, k)), v)
        if bucket == "auth" and k == b"authRevision":
            return "authRevision = %d" % struct.unpack(">Q", v)[0]
        if bucket == "authUsers":
            return "%s -> %s" % (show(k), pbs(pb(USER, v)))
        if bucket == "authRoles":
            return "%s -> %s" % (show(k), pbs(pb(ROLE, v)))
    except (PBError, struct.error) as e:
        return "%s -> %s  !! %s" % (show(k), v.hex(), e)
    return "%s -> %s" % (show(k), show(v))


def cmd_db(path, *opts):
    d = DB(path)
    n = len(d.b)
    size = d.m.pgid * d.ps
    print("file size %d  page size %d  tx size (pgid*page) %d  trailing %d" % (n, d.ps, size, n - size))
    if n % 512 == 32:
        ok = hashlib.sha256(d.b[:-32]).digest() == d.b[-32:]
        print("trailing sha256 %s %s" % (d.b[-32:].hex(), "OK" if ok else "MISMATCH"))
    for i, m in enumerate(d.metas):
        print("meta%d%s %s magic=%08x version=%d pageSize=%d flags=%d root=%d seq=%d freelist=%s pgid=%d txid=%d checksum=%016x" % (
            i, "*" if i == d.active else " ", m.err() or "valid", m.magic, m.version, m.pageSize, m.flags, m.root, m.seq,
            "none" if m.freelist == NOFL else m.freelist, m.pgid, m.txid, m.checksum))
    seen, bad = d.reach()
    ids = d.free_ids()
    if ids is None:
        ids = [i for i in range(2, d.m.pgid) if i not in seen]
        print("freelist: not stored; rebuilt by scan: %d free %s" % (len(ids), ids if len(ids) <= 60 else str(ids[:60]) + "..."))
    else:
        print("freelist: %d ids %s" % (len(ids), ids if len(ids) <= 60 else str(ids[:60]) + "..."))
    if "--pages" in opts:
        i = 0
        fr = set(ids)
        while i < d.m.pgid:
            p = d.page(i)
            if i in fr:
                print("  page %d free" % i)
                i += 1
            else:
                print("  page %d %s count=%d overflow=%d" % (i, p.typ, p.count, p.overflow))
                i += 1 + p.overflow
    for x in bad:
        print("FAULT", x)

    def dump(name, p, seq, root, ind):
        rows = list(d.walk(p))
        print("%sbucket %s root=%s sequence=%d root-page=%s keys=%d" % (ind, show(name), root or "inline", seq, p.typ, len(rows)))
        for fl, k, v in rows:
            if fl & 1:
                r, s, q = d.sub(v)
                dump(k, q, s, r, ind + "  ")
            elif "--no-kv" not in opts:
                print(ind + "  " + describe(show(name), k, v))
    for name, root, seq, p in d.buckets():
        dump(name, p, seq, root, "")


def cmd_check(path):
    bad = DB(path).reach()[1]
    for x in bad:
        print(x)
    print("OK" if not bad else "%d errors found" % len(bad))
    sys.exit(1 if bad else 0)


def cmd_status(path):
    d = DB(path)
    bad = d.reach()[1]
    if bad:
        raise SystemExit("integrity check failed: " + "; ".join(bad))
    h = n = r = 0
    live, ver = set(), ""
    for name, root, seq, p in d.buckets():
        h = crc32c(name, h)
        for fl, k, v in d.walk(p):
            h = crc32c(k, h)
            if not fl & 1:
                h = crc32c(v, h)
            n += 1
            if name == b"key":
                a, s, t = rev(k)
                r = a
                uk = bytes(get(pb(KV, v), "key", b""))
                (live.discard if t else live.add)(uk)
            elif name == b"meta" and k == b"storageVersion":
                ver = v.decode()
    size = d.m.pgid * d.ps
    print(json.dumps({"etcdctl-3.4": {"hash": h, "revision": r, "totalKey": n, "totalSize": size},
                      "etcdutl-3.6": {"hash": h, "revision": r, "totalKey": len(live), "totalSize": size, "version": ver}, "hex": "%x" % h}))


def cmd_hash(path):
    d = DB(path)
    out = {}
    for tag, ign in (("3.4", [b"consistent_index"]), ("3.5", [b"consistent_index", b"term"]), ("3.6", [b"consistent_index", b"term", b"storageVersion"])):
        h = 0
        for name, root, seq, p in d.buckets():
            h = crc32c(name, h)
            for fl, k, v in d.walk(p):
                if not (name == b"meta" and k in ign):
                    h = crc32c(v, crc32c(k, h))
        out[tag] = h
    print(json.dumps(out))


def generations(rows):
    """key -> list of generations, each a list of (main, sub); last may be empty"""
    idx = {}
    for k, v in rows:
        a, s, t = rev(k)
        uk = bytes(get(pb(KV, v), "key", b""))
        g = idx.get(uk)
        if g is None:
            if t:
                continue
            g = idx[uk] = [[]]
        if t and not g[-1]:
            continue
        g[-1].append((a, s))
        if t:
            g.append([])
    return idx


def keep_set(rows, at):
    keep = set()
    for g in generations(rows).values():
        if len(g) == 1 and not g[0]:
            continue
        i = 0
        while i < len(g) - 1 and not g[i][-1][0] > at:
            i += 1
        best = [r for r in g[i] if r[0] <= at]
        if best and not (best[-1] == g[i][-1] and i != len(g) - 1):
            keep.add(best[-1])
    return keep


def cmd_hashkv(path, r=None):
    d = DB(path)
    rows = d.bucket(b"key")
    meta = dict(d.bucket(b"meta"))
    comp = rev(meta[b"finishedCompactRev"])[0] if b"finishedCompactRev" in meta else -1
    cur = max([1, comp] + [rev(k)[0] for k, _ in rows])
    r = int(r or 0) or cur
    keep = keep_set(rows, r)
    out = {}
    for tag in ("3.4.23", "3.6"):
        h = crc32c(b"key")
        for k, v in rows:
            a, s, t = rev(k)
            if a > r or (a, s) >= (r + 1, 0):
                continue
            if (a, s) < (comp + 1, 0) and keep and (a, s) not in keep:
                continue
            if tag == "3.6" and a == comp and t:
                continue
            h = crc32c(v, crc32c(k, h))
        out[tag] = h
    print(json.dumps({"hash": out, "revision": cur, "hashRevision": r, "compactRevision": comp}))


# ---------------------------------------------------------------- WAL / snap
def entry(data):
    e = dict((f, v) for f, w, v in pb_raw(data))
    typ, term, index, d = e.get(1, 0), e.get(2, 0), e.get(3, 0), e.get(4, b"")
    s = "term=%d index=%d %s" % (term, index, {0: "Normal", 1: "ConfChange", 2: "ConfChangeV2"}.get(typ, typ))
    try:
        if typ == 1:
            return s + " " + pbs(pb(CC, d))
        if typ == 2:
            return s + " " + pbs(pb(CC2, d))
        if not d:
            return s + " (empty)"
        try:
            return s + " InternalRaftRequest{" + pbs(pb(INTERNAL, d)) + "}"
        except PBError:
            return s + " v2.Request{" + pbs(pb(V2REQ, d)) + "}"
    except PBError as x:
        return s + " !! undecodable (%s) %s" % (x, d.hex())


def cmd_wal(*paths):
    files = []
    for p in paths:
        if os.path.isdir(p):
            files += sorted(os.path.join(p, f) for f in os.listdir(p) if f.endswith(".wal"))
        else:
            files.append(p)
    crc, bad, first = 0, 0, True
    for fi, p in enumerate(files):
        with open(p, "rb") as f:
            b = f.read()
        print("== %s size %d" % (os.path.basename(p), len(b)))
        o = 0
        while o + 8 <= len(b):
            lf = struct.unpack_from("<Q", b, o)[0]
            if lf == 0:
                tail = b[o:]
                nz = len(tail) - len(tail.lstrip(b"\0"))
                print("  %8d zero length field: end; %d bytes remain, %s" % (o, len(tail), "all zero" if nz == len(tail) else "NON-ZERO at %d" % (o + nz)))
                break
            n, pad = lf & 0x00FFFFFFFFFFFFFF, ((lf >> 56) & 7 if lf >> 63 else 0)
            raw = b[o + 8:o + 8 + n + pad]
            if len(raw) < n + pad:
                print("  %8d SHORT record: need %d have %d" % (o, n + pad, len(raw)))
                bad += 1
                break
            try:
                r = dict((f, v) for f, w, v in pb_raw(raw[:n]))
            except PBError as x:
                print("  %8d BAD record protobuf: %s" % (o, x))
                bad += 1
                break
            t, c, data = r.get(1, 0), r.get(2, 0), r.get(3, b"")
            if t == 4:
                ok = first or crc == 0 or c == crc
                crc = c
            else:
                crc = crc32c(data, crc)
                ok = c == crc
            first = False
            try:
                if t == 1:
                    s = "metadata " + pbs(pb(META, data))
                elif t == 2:
                    s = "entry " + entry(data)
                elif t == 3:
                    s = "state " + pbs(pb(HARD, data))
                elif t == 4:
                    s = "crc"
                elif t == 5:
                    s = "snapshot " + pbs(pb(WSNAP, data))
                else:
                    s = "UNKNOWN type %d %s" % (t, data.hex())
            except PBError as x:
                s = "type %d undecodable (%s) %s" % (t, x, data.hex())
            print("  %8d len=%d pad=%d crc=%08x %s %s" % (o, n, pad, c, "ok" if ok else "CRC-MISMATCH(want %08x)" % crc, s))
            if not ok:
                bad += 1
                break
            o += 8 + n + pad
    sys.exit(1 if bad else 0)


def cmd_snap(path):
    with open(path, "rb") as f:
        r = dict((f, v) for f, w, v in pb_raw(f.read()))
    ok = crc32c(r[2]) == r[1]
    s = pb(RSNAP, r[2])
    print("crc=%08x %s" % (r[1], "ok" if ok else "MISMATCH"))
    print("metadata " + pbs(get(s, "metadata", [])))
    print("data " + bytes(get(s, "data", b"")).decode())


def cmd_ids(token, initial):
    ids = {}
    by = {}
    for part in initial.split(","):
        n, u = part.split("=", 1)
        by.setdefault(n, []).append(u)
    for n, us in by.items():
        ids[n] = struct.unpack(">Q", hashlib.sha1(("".join(sorted(us)) + token).encode()).digest()[:8])[0]
    cid = struct.unpack(">Q", hashlib.sha1(b"".join(struct.pack(">Q", i) for i in sorted(ids.values()))).digest()[:8])[0]
    for n, i in ids.items():
        print("member %s %x" % (n, i))
    print("cluster %x" % cid)


if __name__ == "__main__":
    cmds = {k[4:]: v for k, v in globals().items() if k.startswith("cmd_")}
    if len(sys.argv) < 3 or sys.argv[1] not in cmds:
        raise SystemExit(__doc__)
    try:
        cmds[sys.argv[1]](*sys.argv[2:])
    except BrokenPipeError:
        pass
