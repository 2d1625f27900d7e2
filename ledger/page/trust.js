// Which events count: the rules of `crypto.trust`, in their order, from the root key alone. What
// this page does not know are the events' schemas: an entry that the sidecar recorded as invalid
// (`entry.rejected`, by index and leaf) counts for nothing, whatever it looks like here.
class Refused extends Error {
  constructor(kind, what) {
    super(what);
    this.kind = kind;
  }
}

const isBytes = (value, size) => value instanceof Uint8Array && (size === undefined || value.length === size);
const isName = (value) => typeof value === "string" && /^[a-z0-9][a-z0-9_-]{0,62}$/.test(value);
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
const FOREVER = 2n ** 63n - 1n;

// The event in a message body, as signed; nothing about it is verified.
function readEvent(body) {
  const envelope = unpack(body);
  if (!Array.isArray(envelope) || envelope.length !== 3) throw new Malformed("no envelope");
  const [payload, keyId, signature] = envelope;
  if (!isBytes(payload) || !isBytes(keyId, 16) || !isBytes(signature, 64)) throw new Malformed("no envelope");
  const event = unpack(payload);
  const good =
    event !== null && typeof event === "object" && (event.v ?? 1) === 1 && isName(event.workspace) &&
    (event.run === null || isName(event.run)) && isName(event.actor?.instance) && isCount(event.n) &&
    isBytes(event.prev, 32) && Array.isArray(event.causes) && isCount(event.seen) &&
    (isCount(event.at) || typeof event.at === "bigint") && typeof event.id === "string" &&
    typeof event.body?.type === "string" && Object.hasOwn(AUTHORITY, event.body.type);
  if (!good) throw new Malformed("no event");
  return { payload, keyId, signature, event };
}

class Trust {
  constructor(workspace, root, partial) {
    this.workspace = workspace;
    this.root = root;
    this.partial = partial;
    this.keys = new Map();
    this.heads = new Map();
    this.ofRun = new Map();
    this.created = false;
  }

  static async from(workspace, root, partial) {
    const trust = new Trust(workspace, root, partial);
    const id = (await sha256(root)).subarray(0, 16);
    trust.keys.set(hex(id), { key_id: id, public_key: root, role: "root", instance: "root", not_before: 0, not_after: FOREVER, run: null });
    return trust;
  }

  // The event of an entry, with its digest; throws `Refused`, and then nothing moved.
  async accept(subject, body) {
    let read;
    try {
      read = readEvent(body);
    } catch (error) {
      if (error instanceof Malformed) throw new Refused("unreadable", error.message);
      throw error;
    }
    const { payload, keyId, signature, event } = read;
    const [topic, roles] = AUTHORITY[event.body.type];
    const scope = event.run === null ? "admin" : `run.${event.run}`;
    if (event.workspace !== this.workspace) throw new Refused("wrongplace", "it is another workspace's");
    if (subject !== `ws.${event.workspace}.${scope}.${topic}`) throw new Refused("wrongplace", `it lies on ${subject}`);
    if (this.created === (event.body.type === "workspace.created")) {
      throw new Refused("wrongplace", "the workspace's creation comes first, and once");
    }
    const key = this.keys.get(hex(keyId));
    this.checkKey(key, event, roles);
    if (!(await signedBy(key.public_key, pae(EVENT_TYPE, payload), signature))) {
      throw new Refused("forged", `${event.body.type} is not signed by the key it names`);
    }
    const place = `${hex(keyId)} ${event.run ?? ""}`;
    this.checkChain(this.heads.get(place), event, key);
    const grants = this.grantsOf(event);
    for (const granted of grants) await this.checkGrant(granted, event);
    const digest = await sha256(payload);
    this.heads.set(place, { n: event.n, digest });
    this.fold(event, grants);
    return { event, digest, key };
  }

  checkKey(key, event, roles) {
    const no = (what) => new Refused("unauthorised", `${event.body.type} ${what}`);
    if (!key) throw no("is signed by a key that is not in force");
    if (!(BigInt(key.not_before) <= BigInt(event.at) && BigInt(event.at) < BigInt(key.not_after))) {
      throw no("is dated outside its key's time");
    }
    if (key.role !== event.actor.role || key.instance !== event.actor.instance) throw no("claims another actor than its key's");
    if (key.run !== null && key.run !== event.run) throw no("is outside its key's run");
    if (key.role === "sidecar" && EVENTLESS.includes(key.instance)) throw no("is signed by a key that signs no events");
    if (!roles.includes(key.role)) throw no(`may not be signed by a ${key.role}`);
  }

  checkChain(head, event, key) {
    const number = head ? head.n + 1 : 0;
    if (event.n < number) throw new Refused("replayed", `its number ${event.n} was there before`);
    if (this.partial && event.n > number && key.role !== "root") return;
    if (event.n !== number || !equal(event.prev, head ? head.digest : new Uint8Array(32))) {
      throw new Refused("broken", `it does not follow its producer's number ${number - 1}`);
    }
  }

  // The certificates that an event grants.
  grantsOf(event) {
    const body = event.body;
    if (body.type === "workspace.created") {
      if (!isBytes(body.root, 32) || !equal(body.root, this.root)) {
        throw new Refused("unauthorised", "the workspace was created under another root key");
      }
      return [];
    }
    const made =
      body.type === "key.certified" ? [body.certificate]
      : body.type === "lease.granted" || body.type === "lease.renewed" ? body.lease?.keys : [];
    if (!Array.isArray(made)) throw new Refused("unreadable", "a lease without keys");
    return made.map((one) => ({ ...one, run: one?.run ?? null }));
  }

  async checkGrant(granted, event) {
    const no = (what) => new Refused("unauthorised", `${event.body.type} ${what}`);
    const time = (value) => isCount(value) || typeof value === "bigint";
    if (!isBytes(granted.key_id, 16) || !isBytes(granted.public_key, 32) || !isName(granted.instance)
        || !time(granted.not_before) || !time(granted.not_after)) {
      throw new Refused("unreadable", "a certificate out of form");
    }
    const ofRun = granted.role === "runtime" || granted.role === "judge";
    if (event.body.type === "key.certified") {
      if (ofRun || granted.role === "root" || granted.run !== null) throw no("certifies what the root does not");
    } else {
      const lease = event.body.lease;
      if (lease.run !== event.run || !ofRun || granted.run !== lease.run) throw no("certifies another run's key");
      if (BigInt(granted.not_after) > BigInt(lease.not_after)) throw no("certifies a key beyond its own end");
    }
    if (!equal(granted.key_id, (await sha256(granted.public_key)).subarray(0, 16))) throw no("has a key id that is not its key's");
    if (this.keys.has(hex(granted.key_id))) throw no("certifies a key that has a certificate");
  }

  fold(event, grants) {
    const body = event.body;
    if (body.type === "workspace.created") this.created = true;
    else if (body.type === "key.revoked") this.keys.delete(hex(body.key_id));
    else if (body.type === "run.completed" || body.type === "run.halted") this.endRun(event.run);
    else if (body.type !== "key.certified" && grants.length) {
      this.endRun(event.run);
      this.ofRun.set(event.run, grants.map((granted) => hex(granted.key_id)));
    }
    for (const granted of grants) this.keys.set(hex(granted.key_id), granted);
  }

  endRun(run) {
    for (const id of this.ofRun.get(run) ?? []) {
      this.keys.delete(id);
      this.heads.delete(`${id} ${run}`);
    }
    this.ofRun.delete(run);
  }

  sealers() {
    const found = [];
    for (const key of this.keys.values()) if (key.role === "sidecar" && key.instance === "sealer") found.push(key.public_key);
    return found;
  }
}
