// The two ways to a board: Web Serial, and the WebSocket of `anne explore`. Both are lines of bytes:
// {write(bytes), close()}, which call onbytes(bytes), and onend(why) once they are gone; why is text or null.

import { BoardError } from "./board.js";

const RASPBERRY_PI = 0x2e8a;

export const hasSerial = () => "serial" in navigator;
export const isServed = () => location.protocol.startsWith("http");

/** A board on USB, which the user picks in the browser's own list. */
export async function serialLine(onbytes, onend) {
  let port;
  try {
    port = await navigator.serial.requestPort({ filters: [{ usbVendorId: RASPBERRY_PI }] });
  } catch {
    throw new BoardError("board.nonePicked");
  }
  try {
    await port.open({ baudRate: 115200 });
  } catch {
    throw new BoardError("board.busy");
  }
  const writer = port.writable.getWriter();
  const reader = port.readable.getReader();
  let closed = false;
  const listen = async () => {
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        onbytes(value);
      }
    } catch {
      // unplugged
    }
    if (!closed) onend(null);
  };
  listen();
  return {
    write: (bytes) => writer.write(bytes),
    async close() {
      closed = true;
      await reader.cancel().catch(() => {});
      writer.releaseLock();
      await port.close().catch(() => {});
    },
  };
}

/** The board that `anne explore --on` has. */
export function servedLine(onbytes, onend) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${location.host}/board${location.search}`);
    let isOpen = false;
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => onbytes(new Uint8Array(event.data));
    socket.onclose = (event) => {
      if (isOpen) onend(event.reason || null);
      else reject(new BoardError("board.server", { why: event.reason }));
    };
    socket.onopen = () => {
      isOpen = true;
      resolve({ write: (bytes) => socket.send(bytes), close: () => socket.close() });
    };
  });
}
