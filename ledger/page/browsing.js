// What a person sees and does. Texts are only ever set as text: a name in a ledger is anybody's.
const element = (id) => document.getElementById(id);
const PAGE_SIZE = 200;
const state = { files: null, root: null, result: null, shown: 0, matching: [] };

function make(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// Bytes in hex, whole numbers whole: a value as a person compares it.
function shown(value) {
  return JSON.stringify(value, (_, one) => {
    if (one instanceof Uint8Array) return hex(one);
    if (typeof one === "bigint") return one.toString();
    if (one?.form === "sealed") return `sealed, ${one.ciphertext?.length ?? 0} bytes`;
    if (one?.form === "plain" && one.data instanceof Uint8Array) {
      const text = new TextDecoder().decode(one.data);
      try {
        return JSON.parse(text);
      } catch {
        return text;
      }
    }
    return one;
  }, 2);
}

function timeOf(at) {
  const milliseconds = Number(BigInt(at) / 1_000_000n);
  const day = new Date(milliseconds);
  return Number.isNaN(day.getTime()) ? String(at) : day.toISOString().replace("T", " ").replace("Z", "");
}

const REFUSING = ["action.refused", "run.halted", "halt.engaged", "destination.blocked", "entry.rejected", "run.refused"];
const ASKING = ["approval.requested", "supervisor.flagged", "destination.unverified", "destination.expired", "witness.refused"];
function toneOf(row) {
  if (!row.event || REFUSING.includes(row.event.body.type)) return "bad";
  const { type, outcome } = row.event.body;
  if (ASKING.includes(type) || outcome === "unknown") return "ask";
  if (type === "action.finished" || type === "run.completed") return outcome === "confirmed" || outcome === "success" ? "good" : "bad";
  return "plain";
}

function inWords(row) {
  if (!row.event) return `no valid event: ${row.refused}`;
  const body = row.event.body;
  const parts = [body.tool, body.verdict, body.outcome, body.decision, body.intent?.summary, body.reason, body.question, body.detail, body.what, body.domain, body.source];
  if (body.certificate) parts.push(`${body.certificate.role}/${body.certificate.instance}`);
  if (body.lease) parts.push(`${body.lease.rep}, by ${body.lease.agent}: ${body.lease.tools?.join(", ")}`);
  return parts.filter((part) => typeof part === "string" && part).join(" · ");
}

function lights(row) {
  const layers = row.event?.body.layers;
  if (!Array.isArray(layers) || !layers.length) return null;
  const signs = { pass: "●", hold: "◐", refuse: "✗" };
  const words = layers.map((layer) => `${layer.layer} ${layer.name}: ${layer.result}`).join(", ");
  const made = make("span", undefined, { class: "lights", role: "img", "aria-label": `the gate's layers: ${words}`, title: words });
  for (const layer of layers) made.append(make("span", signs[layer.result] ?? "○", { class: `light ${layer.result}`, "aria-hidden": "true" }));
  return made;
}

function detailsOf(row) {
  const box = make("div", undefined, { class: "detail" });
  const list = make("dl");
  const say = (name, value) => value && list.append(make("dt", name), make("dd", value));
  say("leaf", hex(row.leaf));
  say("lies on", row.subject);
  if (row.event) {
    say("digest", hex(row.digest));
    say("id", row.event.id);
    say("producer's number", `${row.event.n}, having seen entry ${row.event.seen}`);
    say("answers", row.event.causes.map(hex).join(" "));
  }
  box.append(list);
  for (const [field, text] of Object.entries(row.content)) box.append(make("h4", `${field}, opened`), make("pre", text));
  if (row.event) box.append(make("h4", "as it was signed"), make("pre", shown(row.event.body)));
  return box;
}

function rowElement(row) {
  const made = make("details", undefined, { class: `row ${toneOf(row)}` });
  const line = make("summary");
  line.append(
    make("span", String(row.index), { class: "index" }),
    make("span", row.event ? timeOf(row.event.at) : "", { class: "time" }),
    make("span", row.event?.body.type ?? "(invalid)", { class: "type" }),
    make("span", row.event ? `${row.event.actor.role}/${row.event.actor.instance}` : "", { class: "actor" }),
    make("span", inWords(row), { class: "words" }),
  );
  const signs = lights(row);
  if (signs) line.append(signs);
  if (row.part === "support") line.append(make("span", "needed by others", { class: "badge" }));
  made.append(line);
  made.addEventListener("toggle", () => made.open && made.children.length === 1 && made.append(detailsOf(row)));
  return made;
}

function showMore() {
  const list = element("rows");
  for (const row of state.matching.slice(state.shown, state.shown + PAGE_SIZE)) list.append(rowElement(row));
  state.shown = Math.min(state.matching.length, state.shown + PAGE_SIZE);
  element("more").hidden = state.shown >= state.matching.length;
  element("count").textContent = `${state.shown} of ${state.matching.length} entries shown`;
}

function filter() {
  const [run, kind, text] = [element("run").value, element("kind").value, element("text").value.toLowerCase()];
  state.matching = state.result.rows.filter((row) => {
    if (run && (row.event?.run ?? "workspace") !== run) return false;
    if (kind && row.event?.body.type !== kind) return false;
    if (!text) return true;
    const held = [row.event ? shown(row.event) : row.refused, row.digest && hex(row.digest), ...Object.values(row.content)];
    return held.some((one) => one && one.toLowerCase().includes(text));
  });
  state.shown = 0;
  element("rows").replaceChildren();
  showMore();
}

function choices(id, label, values) {
  element(id).replaceChildren(make("option", label, { value: "" }), ...values.map((value) => make("option", value, { value })));
}

function verdict(result) {
  const box = element("verdict");
  box.className = result.ok ? (result.rooted ? "good" : "ask") : "bad";
  const workspace = result.manifest.workspace;
  const title = !result.ok ? "Not verified"
    : result.rooted ? "Verified" : "Consistent, under a root key that nobody vouched for";
  box.replaceChildren(make("h2", title));
  const say = (text) => box.append(make("p", text));
  if (result.partial) {
    say(`Part of the ledger of workspace ${workspace}: ${result.size} entries, each proved in the sealed state of ${result.sealed}.`);
  } else {
    say(`The ledger of workspace ${workspace}: ${result.size} entries, ${result.seals} seals; the last covers ${result.sealed}.`);
    if (result.size > result.sealed) say(`${result.size - result.sealed} entries after it are signed and chained, and not sealed yet.`);
  }
  if (result.opened) say(`${result.opened} sealed fields opened with the keys in content.jsonl, each bound to its event.`);
  if (result.rejected) say(`${result.rejected} entries are invalid, and the ledger itself says so.`);
  if (!result.rooted) {
    say("The key below is the one that the export names for itself. Compare it with the one you have from somebody you trust, or choose root.pub above.");
  }
  box.append(make("p", `root key ${result.root}`, { class: "key" }));
  if (result.findings.length) {
    const list = make("ul");
    for (const finding of result.findings.slice(0, 100)) {
      list.append(make("li", `${finding.index ? `entry ${finding.index}` : "the export"}: ${finding.kind}: ${finding.what}`));
    }
    box.append(list);
    if (result.findings.length > 100) say(`and ${result.findings.length - 100} more`);
  }
  const cannot = element("cannot");
  cannot.hidden = false;
  const said = result.partial ? result.manifest.cannot_be_concluded ?? [] : [
    "whether each action lay within lease, policy, verdict and approval: `anyteam verify` holds the ledger's meaning to its rules, this page its signatures, chains and seals",
    "that nobody was shown another ledger under other seals: compare checkpoints, or ask a witness",
    "that this page is honest, if it came with the export: take it from a copy of your own",
  ];
  element("limits").replaceChildren(...said.map((text) => make("li", String(text))));
}

async function run() {
  if (!state.files) return;
  const status = element("status");
  status.textContent = "verifying…";
  try {
    state.result = await verifyExport(state.files, state.root, async (count) => {
      status.textContent = `verifying… ${count} entries`;
      await new Promise((resume) => setTimeout(resume));
    });
  } catch (error) {
    element("verdict").className = "bad";
    element("verdict").replaceChildren(make("h2", "Not an export"), make("p", error instanceof Malformed ? error.message : String(error)));
    status.textContent = "done";
    return;
  }
  verdict(state.result);
  const rows = state.result.rows;
  choices("run", "every run", [...new Set(rows.map((row) => row.event?.run ?? "workspace"))].sort());
  choices("kind", "every type", [...new Set(rows.filter((row) => row.event).map((row) => row.event.body.type))].sort());
  element("timeline").hidden = false;
  filter();
  status.textContent = "done";
}

async function take(list) {
  const files = new Map();
  const folders = list.map(([path]) => path.split("/"));
  const manifest = folders.filter((path) => path.at(-1) === "manifest.json").sort((a, b) => a.length - b.length)[0];
  const depth = manifest ? manifest.length - 1 : 0;
  for (const [path, file] of list) {
    const parts = path.split("/");
    if (parts.length !== depth + 1 || file.size > 2 ** 30) continue;
    if (["manifest.json", "ledger.msgpack", "selection.msgpack", "seals.jsonl", "checkpoint.txt", "content.jsonl"].includes(parts.at(-1))) {
      files.set(parts.at(-1), new Uint8Array(await file.arrayBuffer()));
    }
  }
  state.files = files;
  await run();
}

async function dropped(item, path, found) {
  if (item.isFile) {
    const file = await new Promise((good, bad) => item.file(good, bad));
    found.push([path + item.name, file]);
  } else if (item.isDirectory) {
    const reader = item.createReader();
    for (;;) {
      const batch = await new Promise((good, bad) => reader.readEntries(good, bad));
      if (!batch.length) break;
      for (const inner of batch) await dropped(inner, `${path}${item.name}/`, found);
    }
  }
}

async function takeRoot(file) {
  const note = element("rooted");
  try {
    state.root = publicKeyOf(await file.text());
    note.textContent = `root key ${hex(state.root).slice(0, 16)}…`;
  } catch (error) {
    state.root = null;
    note.textContent = error instanceof Malformed ? error.message : "this file cannot be read";
  }
  await run();
}

element("folder").addEventListener("change", (event) => take([...event.target.files].map((file) => [file.webkitRelativePath || file.name, file])));
element("root").addEventListener("change", (event) => event.target.files.length && takeRoot(event.target.files[0]));
for (const id of ["run", "kind"]) element(id).addEventListener("change", filter);
element("text").addEventListener("input", filter);
element("more").addEventListener("click", showMore);
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", async (event) => {
  event.preventDefault();
  const items = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const found = [];
  for (const item of items) await dropped(item, "", found);
  const pem = found.find(([path]) => path.endsWith(".pub"));
  if (pem) await takeRoot(pem[1]);
  if (found.some(([path]) => path.endsWith("manifest.json"))) await take(found);
});
