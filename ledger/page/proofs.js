// Hashes, signatures, seals: SHA-256 and Ed25519 of WebCrypto, RFC 6962 trees, C2SP checkpoints.
const utf8 = new TextEncoder();
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
const equal = (one, other) => one.length === other.length && one.every((byte, n) => byte === other[n]);

function unbase64(text) {
  let made;
  try {
    made = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    throw new Malformed("no base64");
  }
  if (base64(made) !== text) throw new Malformed("no canonical base64");
  return made;
}

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
const LEAF = Uint8Array.of(0), NODE = Uint8Array.of(1), LINK = Uint8Array.of(2);
const leafOf = (body) => sha256(LEAF, body);
const nodeOf = (left, right) => sha256(NODE, left, right);

const imported = new Map();
async function signedBy(key, message, signature) {
  const name = hex(key);
  if (!imported.has(name)) {
    imported.set(name, crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]));
  }
  try {
    return await crypto.subtle.verify({ name: "Ed25519" }, await imported.get(name), signature, message);
  } catch {
    return false;
  }
}

const EVENT_TYPE = "application/vnd.anyteam.event.v1+msgpack";
const pae = (kind, payload) =>
  joined(utf8.encode(`DSSEv1 ${utf8.encode(kind).length} ${kind} ${payload.length} `), payload);

// The right edge of a growing Merkle tree, as `ledger.merkle.Frontier`.
class Frontier {
  constructor() {
    this.size = 0;
    this.peaks = [];
  }
  async append(leaf) {
    let carry = leaf;
    for (let size = this.size; size % 2 === 1; size = (size - 1) / 2) carry = await nodeOf(this.peaks.pop(), carry);
    this.peaks.push(carry);
    this.size += 1;
  }
  async root() {
    if (!this.peaks.length) return sha256();
    let root = this.peaks.at(-1);
    for (const peak of this.peaks.slice(0, -1).reverse()) root = await nodeOf(peak, root);
    return root;
  }
}

// RFC 9162 section 2.1.3.2: whether `leaf` is at `position` of the tree of `size` leaves.
async function included(leaf, position, size, path, root) {
  if (!(position >= 0 && position < size)) return false;
  let fn = position, sn = size - 1, found = leaf;
  for (const step of path) {
    if (sn === 0 || !(step instanceof Uint8Array) || step.length !== 32) return false;
    if (fn % 2 === 1 || fn === sn) {
      found = await nodeOf(step, found);
      while (fn % 2 === 0 && fn !== 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    } else {
      found = await nodeOf(found, step);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && equal(found, root);
}

// A C2SP checkpoint in a signed note: what it claims, and its signature lines. Nothing is verified.
function readNote(note) {
  const end = note.lastIndexOf("\n\n");
  if (end <= 0 || !note.endsWith("\n")) throw new Malformed("a note without signatures");
  const text = note.slice(0, end + 1);
  const lines = text.split("\n");
  if (lines.length !== 5 || lines[4] !== "" || !/^(0|[1-9][0-9]{0,15})$/.test(lines[1]) || !lines[3].startsWith("head ")) {
    throw new Malformed("a checkpoint out of form");
  }
  const signatures = note.slice(end + 2, -1).split("\n").map((line) => {
    const found = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/=]+)$/.exec(line);
    if (!found) throw new Malformed("a signature line out of form");
    return { name: found[1], data: unbase64(found[2]) };
  });
  const [root, head] = [unbase64(lines[2]), unbase64(lines[3].slice(5))];
  if (root.length !== 32 || head.length !== 32) throw new Malformed("a checkpoint out of form");
  return { text, origin: lines[0], size: Number(lines[1]), root, head, signatures };
}

// Whether one of the sealer's keys signed it, and none of them signed it wrongly.
async function sealedBy(keys, note, workspace) {
  const origin = `anyteam/${workspace}`;
  if (note.origin !== origin) return false;
  let good = false;
  for (const key of keys) {
    const name = (await sha256(utf8.encode(`${origin}\n\u0001`), key)).subarray(0, 4);
    for (const line of note.signatures) {
      if (line.name !== origin || !equal(line.data.subarray(0, 4), name)) continue;
      if (!(await signedBy(key, utf8.encode(note.text), line.data.subarray(4)))) return false;
      good = true;
    }
  }
  return good;
}

// The raw key in a PEM file of an Ed25519 public key (RFC 8410).
function publicKeyOf(pem) {
  const found = /-----BEGIN PUBLIC KEY-----\s*([A-Za-z0-9+/=\s]+?)\s*-----END PUBLIC KEY-----/.exec(pem);
  if (!found) throw new Malformed("this is no public key in PEM");
  const der = unbase64(found[1].replace(/\s/g, ""));
  const prefix = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);
  if (der.length !== 44 || !equal(der.subarray(0, 12), prefix)) throw new Malformed("this is no Ed25519 public key");
  return der.subarray(12);
}
