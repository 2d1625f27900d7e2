// Checks one entry of the ledger in this browser, trusting the server with none of it:
// leaf = SHA-256(0x00 || body), RFC 6962 section 2.1.1 audit path to the root in a C2SP
// tlog-checkpoint, Ed25519 signature of the signed note over it.
"use strict";

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const unbase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const hex = (array) => Array.from(array, (value) => value.toString(16).padStart(2, "0")).join("");
const same = (one, other) => hex(one) === hex(other);

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
}

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
}

// RFC 9162 section 2.1.3.2, which gives the same roots as RFC 6962.
async function rootOf(leaf, position, size, path) {
  let node = position, last = size - 1, root = leaf;
  const one = Uint8Array.of(1);
  for (const sibling of path) {
    if (last === 0) throw new Error("the path is longer than the tree is high");
    if (node % 2 === 1 || node === last) {
      root = await sha256(one, sibling, root);
      while (node % 2 === 0 && node !== 0) { node = Math.floor(node / 2); last = Math.floor(last / 2); }
    } else {
      root = await sha256(one, root, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) throw new Error("the path is shorter than the tree is high");
  return root;
}

async function keyHash(name, key) {
  const line = new TextEncoder().encode(`${name}\n`);
  return (await sha256(line, Uint8Array.of(1), key)).slice(0, 4);
}

async function signedBy(note, keys) {
  const cut = note.lastIndexOf("\n\n");
  const text = note.slice(0, cut + 1);
  const origin = text.split("\n")[0];
  for (const line of note.slice(cut + 2).split("\n")) {
    const found = /^— (\S+) (\S+)$/.exec(line);
    if (!found || found[1] !== origin) continue;
    const signature = unbase64(found[2]);
    for (const key of keys) {
      if (!same(signature.slice(0, 4), await keyHash(origin, key))) continue;
      const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
      const message = new TextEncoder().encode(text);
      if (await crypto.subtle.verify("Ed25519", imported, signature.slice(4), message)) return key;
    }
  }
  throw new Error("no signature of a sealer verifies");
}

async function verify(place) {
  const list = place.querySelector("[data-checks]");
  const tell = (text, kind) => {
    const line = document.createElement("li");
    line.textContent = text;
    line.className = kind;
    list.append(line);
  };
  list.replaceChildren();
  try {
    const answer = await fetch(place.dataset.proof);
    if (!answer.ok) throw new Error("no seal covers this entry yet; try again in a second");
    const proof = await answer.json();
    const leaf = await sha256(Uint8Array.of(0), unbase64(proof.body));
    tell(`The entry hashes to leaf ${hex(leaf)}`, "pass");
    const key = await signedBy(proof.note, proof.sealers.map(bytes));
    tell(`The seal is signed by sealer key ${hex(key)}`, "pass");
    const [, size, root] = proof.note.split("\n");
    const found = await rootOf(leaf, proof.index - 1, Number(size), proof.path.map(bytes));
    if (!same(found, unbase64(root))) throw new Error("the path does not lead to the sealed root");
    tell(`It is entry ${proof.index} of the ${size} that the seal covers`, "pass");
    place.dataset.result = "verified";
  } catch (error) {
    tell(`Not verified: ${error.message}`, "refuse");
    place.dataset.result = "failed";
  }
}

for (const place of document.querySelectorAll("[data-proof]")) {
  place.querySelector("[data-verify]").addEventListener("click", () => verify(place));
}
