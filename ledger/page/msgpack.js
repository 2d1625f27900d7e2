// MessagePack as the ledger uses it, and nothing else: nil, booleans, integers, floats, texts,
// bytes, arrays, maps with text keys. One value, whole; a name twice or a byte too many is refused.
class Malformed extends Error {}

function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let at = 0;
  const need = (size) => {
    if (at + size > bytes.length) throw new Malformed("cut off");
    at += size;
    return at - size;
  };
  const slice = (size) => {
    const from = need(size);
    return bytes.subarray(from, from + size);
  };
  const integer = (value) =>
    value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  const string = (size) => {
    try {
      return text.decode(slice(size));
    } catch (error) {
      throw error instanceof Malformed ? error : new Malformed("a text that is no UTF-8");
    }
  };
  const array = (size, depth) => {
    if (size > bytes.length) throw new Malformed("cut off");
    const items = [];
    for (let n = 0; n < size; n++) items.push(value(depth + 1));
    return items;
  };
  const map = (size, depth) => {
    const found = Object.create(null);
    for (let n = 0; n < size; n++) {
      const key = value(depth + 1);
      if (typeof key !== "string") throw new Malformed("a name that is no text");
      if (key in found) throw new Malformed("a name twice");
      found[key] = value(depth + 1);
    }
    return found;
  };
  const u8 = () => view.getUint8(need(1));
  const u16 = () => view.getUint16(need(2));
  const u32 = () => view.getUint32(need(4));
  function value(depth) {
    if (depth > 64) throw new Malformed("nested too deeply");
    const code = u8();
    if (code < 0x80) return code;
    if (code >= 0xe0) return code - 0x100;
    if (code < 0x90) return map(code & 0x0f, depth);
    if (code < 0xa0) return array(code & 0x0f, depth);
    if (code < 0xc0) return string(code & 0x1f);
    switch (code) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xc4: return slice(u8());
      case 0xc5: return slice(u16());
      case 0xc6: return slice(u32());
      case 0xca: return view.getFloat32(need(4));
      case 0xcb: return view.getFloat64(need(8));
      case 0xcc: return u8();
      case 0xcd: return u16();
      case 0xce: return u32();
      case 0xcf: return integer(view.getBigUint64(need(8)));
      case 0xd0: return view.getInt8(need(1));
      case 0xd1: return view.getInt16(need(2));
      case 0xd2: return view.getInt32(need(4));
      case 0xd3: return integer(view.getBigInt64(need(8)));
      case 0xd9: return string(u8());
      case 0xda: return string(u16());
      case 0xdb: return string(u32());
      case 0xdc: return array(u16(), depth);
      case 0xdd: return array(u32(), depth);
      case 0xde: return map(u16(), depth);
      case 0xdf: return map(u32(), depth);
      default: throw new Malformed(`0x${code.toString(16)} has no place here`);
    }
  }
  const found = value(0);
  if (at !== bytes.length) throw new Malformed("bytes follow the value");
  return found;
}

// Records of a file: a 4-byte big-endian length and that many bytes, until the end.
function* records(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw new Malformed(`no record at byte ${at}`);
    const size = view.getUint32(at);
    if (size === 0 || at + 4 + size > bytes.length) throw new Malformed(`no whole record at byte ${at}`);
    yield unpack(bytes.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
}
