// An export, whole or in part, held against a root key: `files` maps names to bytes. The result
// names what does not hold by its index; `rows` is the timeline, valid entries and invalid ones.
const WHOLE = "anyteam export v1", PART = "anyteam selection v1";

function readText(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Malformed("a text that is no UTF-8");
  }
}

async function verifyExport(files, root, progress = async () => {}) {
  const findings = [], rows = [];
  const find = (index, kind, what) => findings.push({ index, kind, what });
  let manifest;
  try {
    manifest = JSON.parse(readText(files.get("manifest.json")));
  } catch {
    throw new Malformed("there is no readable manifest.json: choose the folder of an export");
  }
  if (manifest.format !== WHOLE && manifest.format !== PART) throw new Malformed(`this page does not read format ${manifest.format}`);
  const partial = manifest.format === PART;
  if (!isName(manifest.workspace)) throw new Malformed("manifest.json names no workspace");
  const file = partial ? "selection.msgpack" : "ledger.msgpack";
  if (!files.has(file)) throw new Malformed(`${file} is missing`);
  const trusted = root ?? unbase64(String(manifest.root_key).split("+").slice(2).join("+")).subarray(1);
  const audit = new Audit(manifest, await Trust.from(manifest.workspace, trusted, partial), partial, findings, rows);
  audit.opened = openedFields(files, find);
  audit.claimed = claimedInvalid(files.get(file), partial);
  if (partial) audit.readCheckpoint(files.get("checkpoint.txt"));
  else audit.readSeals(files.get("seals.jsonl"));
  await audit.read(records(files.get(file)), progress);
  await audit.end();
  findings.sort((one, other) => one.index - other.index);
  return {
    ok: findings.length === 0, partial, manifest, findings, rows, rooted: root !== null && root !== undefined,
    root: hex(trusted), seals: audit.good, sealed: audit.sealed, size: audit.count, rejected: audit.noted, opened: audit.openedCount,
  };
}

// The entries that the sidecar is said to have recorded as invalid: leaf by index. Whether the
// sidecar did say so shows when its note is held against the rules in its turn.
function claimedInvalid(bytes, partial) {
  const found = new Map();
  try {
    for (const record of records(bytes)) {
      const body = record?.[partial ? 3 : 2];
      try {
        const { event } = readEvent(body);
        if (event.body.type === "entry.rejected" && isBytes(event.body.leaf, 32)) found.set(event.body.index, hex(event.body.leaf));
      } catch (error) {
        if (!(error instanceof Malformed || error instanceof TypeError)) throw error;
      }
    }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
  }
  return found;
}

// `content.jsonl` by "event field": its key; what it says is opened anew, and not believed.
function openedFields(files, find) {
  const found = new Map();
  if (!files.has("content.jsonl")) return found;
  try {
    for (const line of readText(files.get("content.jsonl")).split("\n")) {
      if (!line) continue;
      const one = JSON.parse(line);
      found.set(`${one.event} ${one.field}`, unbase64(one.key));
    }
  } catch {
    find(0, "content", "content.jsonl is out of form");
  }
  return found;
}

class Audit {
  constructor(manifest, trust, partial, findings, rows) {
    Object.assign(this, { manifest, trust, partial, findings, rows });
    Object.assign(this, { count: 0, last: 0, good: 0, sealed: 0, noted: 0, openedCount: 0 });
    this.frontier = new Frontier();
    this.refused = new Map();
    this.seals = [];
    this.counts = new Map();
    this.diverged = [];
  }

  find(index, kind, what) {
    this.findings.push({ index, kind, what });
  }

  readSeals(bytes) {
    try {
      for (const line of readText(bytes).split("\n")) if (line) this.seals.push(readNote(JSON.parse(line).note));
    } catch {
      this.find(0, "seal", "seals.jsonl is missing or out of form");
    }
    this.seals.reverse();
  }

  readCheckpoint(bytes) {
    try {
      this.checkpoint = readNote(readText(bytes));
    } catch {
      this.find(0, "seal", "checkpoint.txt is missing or out of form");
    }
  }

  async read(all, progress) {
    this.head = await sha256(utf8.encode(this.manifest.workspace));
    try {
      for (const record of all) {
        if (!Array.isArray(record) || record.length !== (this.partial ? 5 : 3)) throw new Malformed("a record out of form");
        const [index, subject, body, path] = this.partial ? [record[0], record[2], record[3], record[4]] : record;
        if (!isCount(index) || typeof subject !== "string" || !isBytes(body)) throw new Malformed("a record out of form");
        await this.entry(index, subject, body, path, this.partial ? record[1] : "chosen");
        if (this.count % 200 === 0) await progress(this.count);
      }
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.find(this.last + 1, "damaged", error.message);
    }
  }

  async entry(index, subject, body, path, part) {
    const leaf = await leafOf(body);
    this.count += 1;
    if (this.partial ? index <= this.last : index !== this.last + 1) this.find(index, "order", `it comes after entry ${this.last}`);
    this.last = Math.max(this.last, index);
    if (!this.partial) {
      await this.frontier.append(leaf);
      this.head = await sha256(LINK, this.head, leaf);
    } else if (!this.checkpoint || !Array.isArray(path)
        || !(await included(leaf, index - 1, this.checkpoint.size, path, this.checkpoint.root))) {
      this.find(index, "proof", "its inclusion proof does not lead to the checkpoint");
    }
    const row = { index, subject, leaf, part, event: null, digest: null, refused: null, content: {} };
    this.rows.push(row);
    try {
      if (this.claimed.get(index) === hex(leaf)) throw new Refused("unrecorded", "it is said to be invalid, by nobody who may");
      const { event, digest, key } = await this.trust.accept(subject, body);
      Object.assign(row, { event, digest });
      if (event.body.type === "entry.rejected") this.note(event.body);
      this.countGap(index, event, key);
      await this.open(row);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      row.refused = error.message;
      this.refused.set(index, { leaf, kind: error.kind, what: error.message, row });
    }
    if (!this.partial) await this.holdSeals();
  }

  note(body) {
    const before = this.refused.get(body.index);
    if (before && isBytes(body.leaf, 32) && equal(before.leaf, body.leaf)) {
      this.refused.delete(body.index);
      before.row.refused = String(body.reason);
      this.noted += 1;
    } else if (!this.partial) {
      this.find(this.last, "misrecorded", `it says of entry ${body.index} that it is invalid; here it is not`);
    }
  }

  countGap(index, event, key) {
    const place = `${hex(key.key_id)} ${event.run ?? ""}`;
    const missing = event.n - (this.counts.get(place) ?? -1) - 1;
    this.counts.set(place, event.n);
    const asked = this.manifest.asked_for ?? {};
    const whole = asked.since == null && asked.until == null && ((asked.runs ?? []).includes(event.run) || (asked.reps ?? []).length > 0);
    if (this.partial && whole && event.run !== null && missing > 0) {
      this.find(index, "gap", `${missing} events of ${event.actor.role}/${event.actor.instance} are missing before it`);
    }
  }

  // Sealed fields whose keys are here, opened with AES-256-GCM under the event's own context.
  async open(row) {
    const { event } = row;
    for (const [field, held] of Object.entries(event.body)) {
      if (held?.form !== "sealed" || !isBytes(held.ciphertext)) continue;
      const key = this.opened.get(`${event.id} ${field}`);
      if (!key) continue;
      const additionalData = utf8.encode(`anyteam content v1 ${event.workspace} ${event.run} ${event.id} ${field}`);
      try {
        const secret = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
        const clear = await crypto.subtle.decrypt({ name: "AES-GCM", iv: held.nonce, additionalData }, secret, held.ciphertext);
        row.content[field] = new TextDecoder().decode(clear);
        this.openedCount += 1;
      } catch {
        this.find(row.index, "content", `${field} does not open with the key that content.jsonl has for it`);
      }
    }
  }

  async holdSeals() {
    while (this.seals.length && this.seals.at(-1).size <= this.count) {
      const seal = this.seals.pop();
      if (seal.size < this.count) this.find(this.count, "seal", `a seal of ${seal.size} entries comes too late`);
      else if (!(await sealedBy(this.trust.sealers(), seal, this.manifest.workspace))) this.find(this.count, "seal", "a seal is not the sealer's");
      else if (!equal(seal.root, await this.frontier.root()) || !equal(seal.head, this.head)) {
        this.diverged.push([this.sealed + 1, this.count]);
      } else {
        this.good += 1;
        this.sealed = seal.size;
      }
    }
  }

  // A seal names a range; where an entry in it is known to be bad, it is that one.
  settle() {
    const known = this.findings.map((found) => found.index);
    for (const [first, last] of this.diverged) {
      const inside = known.filter((index) => index >= first && index <= last);
      this.find(inside.length ? Math.min(...inside) : first, "diverged", `entries ${first} to ${last} are not what was sealed`);
    }
  }

  async end() {
    for (const [index, { kind, what }] of this.refused) this.find(index, kind, what);
    this.settle();
    if (this.partial) {
      if (this.checkpoint && (await sealedBy(this.trust.sealers(), this.checkpoint, this.manifest.workspace))) {
        this.good = 1;
        this.sealed = this.checkpoint.size;
        if (hex(this.checkpoint.root) !== this.manifest.root) this.find(0, "manifest", "its root is not the checkpoint's");
      } else if (this.checkpoint) this.find(0, "seal", "the checkpoint is not the sealer's");
      return;
    }
    const beyond = Math.max(0, ...this.seals.map((seal) => seal.size));
    if (beyond) this.find(this.count + 1, "truncated", `${beyond} entries were sealed, ${this.count} are here`);
    if (hex(await this.frontier.root()) !== this.manifest.root || hex(this.head) !== this.manifest.head || this.count !== this.manifest.size) {
      this.find(0, "manifest", "its size, root or head is not what is here");
    }
  }
}
