import { decodeFrame as serverDecodes, encodeFrame as serverEncodes } from "server/protocol";
import { expect, test } from "vitest";
import { decodeFrame, encodeInput, INPUT_CHUNK_BYTES } from "./codec.ts";

const toBuffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

test.each(["data", "snapshot", "input"] as const)(
  "given a %s frame of the server, when the page reads it, then it is the same",
  (kind) => {
    const frame = {
      kind,
      pane: "worker",
      seq: 4_000_000_000,
      bytes: new TextEncoder().encode("Täsk ✓"),
    } as const;

    expect(decodeFrame(toBuffer(serverEncodes(frame)))).toEqual(frame);
  },
);

test("given keystrokes, when the server reads the page's frame, then pane and text are the same", () => {
  const [frame] = encodeInput("producer", new TextEncoder().encode("ls\r"));

  expect(serverDecodes(frame ?? new Uint8Array())).toEqual({
    kind: "input",
    pane: "producer",
    seq: 0,
    bytes: new TextEncoder().encode("ls\r"),
  });
});

test("given a long paste, when it is sent, then it is cut into frames that add up to it", () => {
  const text = new Uint8Array(INPUT_CHUNK_BYTES * 2 + 5).fill(97);

  const frames = encodeInput("broker", text);

  expect(frames.map((frame) => serverDecodes(frame)?.bytes.length ?? 0)).toEqual([
    INPUT_CHUNK_BYTES,
    INPUT_CHUNK_BYTES,
    5,
  ]);
});

test.each([
  [new Uint8Array([1, 0, 0])],
  [new Uint8Array([9, 0, 0, 0, 0, 0])],
  [new Uint8Array([1, 7, 0, 0, 0, 0])],
  [new Uint8Array([0, 0, 0, 0, 0, 0])],
])("given bytes that are no frame (%j), when they are read, then there is none", (bytes) => {
  expect(decodeFrame(toBuffer(bytes))).toBeUndefined();
});
