import { DecodeError } from "./errors.ts";
import { isoFromMs, msFromIso } from "./time.ts";

/** kombu's envelope for what JSON has no word for. */
interface Typed {
  readonly __type__: string;
  readonly __value__: unknown;
}

/** Says what is wrong with a value; whoever knows its place makes an `EncodeError` of it. */
export class Unencodable extends Error {}

/**
 * The envelope of a value that needs one, or `undefined`. Objects that would silently become `{}` are refused.
 * @throws Unencodable
 * @see kombu 5.7.0 utils/json.py, `register_type`
 */
export function encodeTyped(value: object): Typed | undefined {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new Unencodable("is an invalid Date.");
    return { __type__: "datetime", __value__: isoFromMs(value.getTime()) };
  }
  if (value instanceof Uint8Array) return encodeBytes(value);
  if (value instanceof Map || value instanceof Set) {
    throw new Unencodable(
      `is a ${value.constructor.name}, which cannot be sent as JSON. ` +
        `Send ${value instanceof Map ? "Object.fromEntries(map)" : "[...set]"} instead.`,
    );
  }
  if (value instanceof Promise) throw new Unencodable("is a Promise. Await it first.");
  if (value instanceof Error) {
    throw new Unencodable(`is an ${value.name}, which cannot be sent as JSON. Send its message.`);
  }
  return undefined;
}

/** @throws DecodeError for a type that nobody knows: guessing would hand the task a wrong value. */
export function decodeTyped(type: unknown, value: unknown): unknown {
  switch (type) {
    case "datetime": {
      const ms = typeof value === "string" ? msFromIso(value) : undefined;
      if (ms === undefined) throw new DecodeError(`${JSON.stringify(value)} is not a datetime.`);
      return new Date(ms);
    }
    case "date":
    case "time":
    case "decimal":
      return value;
    case "uuid":
      return decodeUuid(value);
    case "bytes":
      return new TextEncoder().encode(String(value));
    case "base64":
      return new Uint8Array(Buffer.from(String(value), "base64"));
    default:
      throw new DecodeError(`Unsupported type ${JSON.stringify(type)} in a "__type__" envelope.`);
  }
}

function encodeBytes(bytes: Uint8Array): Typed {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { __type__: "bytes", __value__: text };
  } catch {
    return { __type__: "base64", __value__: Buffer.from(bytes).toString("base64") }; // not UTF-8
  }
}

function decodeUuid(value: unknown): unknown {
  const hex = typeof value === "object" && value !== null && "hex" in value ? String(value.hex) : "";
  if (!/^[0-9a-f]{32}$/i.test(hex)) throw new DecodeError(`${JSON.stringify(value)} is not a UUID.`);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
