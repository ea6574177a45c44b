// MicroPython at the other end of a line of bytes, by its raw REPL: a script is sent, what it prints comes back.

const CHUNK = 256; // bytes the board takes in one go
const PAUSE_MS = 5;
const PATIENCE_MS = 8000; // until the board must have said something

/** What went wrong with a board, as the key of a text. */
export class BoardError extends Error {
  constructor(key, values = {}) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

export class Board {
  /** open(onbytes, onend) gives a line (lines.js). onend(error) is called when the board is gone. */
  static async connect(open, onend) {
    const board = new Board();
    board.line = await open(
      (bytes) => board.take(bytes),
      (why) => {
        board.gone = why ? new BoardError("board.why", { why }) : new BoardError("board.gone");
        board.wake?.();
        onend(board.gone);
      },
    );
    try {
      await board.enter();
    } catch (error) {
      board.close();
      throw error;
    }
    return board;
  }

  constructor() {
    this.heard = "";
    this.gone = null;
    this.patience = PATIENCE_MS;
  }

  close() {
    this.line.close();
  }

  // --- Bytes -------------------------------------------------------------------------------------------------------

  take(bytes) {
    this.heard += new TextDecoder("latin1").decode(bytes);
    this.wake?.();
  }

  async send(text) {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length; at += CHUNK) {
      if (this.gone) throw this.gone;
      await this.line.write(bytes.slice(at, at + CHUNK));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  /** What is heard up to a mark, and without it; onText gets the text as it comes. BoardError if nothing is heard. */
  async until(mark, key, onText = null) {
    let shown = 0;
    for (;;) {
      const at = this.heard.indexOf(mark);
      const text = at < 0 ? this.heard : this.heard.slice(0, at);
      if (onText && text.length > shown) {
        onText(utf8(text.slice(shown)));
        shown = text.length;
      }
      if (at >= 0) {
        this.heard = this.heard.slice(at + mark.length);
        return utf8(text);
      }
      if (this.gone) throw this.gone;
      if (!(await this.more())) throw new BoardError(key);
    }
  }

  // Wait for more; whether some came in time.
  more() {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.wake = null;
        resolve(false);
      }, this.patience);
      this.wake = () => {
        clearTimeout(timer);
        this.wake = null;
        resolve(true);
      };
    });
  }

  // --- Scripts -----------------------------------------------------------------------------------------------------

  /** Stop what runs there and come to the raw REPL. */
  async enter() {
    await this.send("\r\x03\x03");
    await this.send("\r\x01");
    await this.until("raw REPL; CTRL-B to exit\r\n>", "board.stuck");
  }

  /** Run a script; what it printed. BoardError with the last line of its traceback if it ended with an error. */
  async exec(source, onText = null) {
    await this.send(source);
    await this.send("\x04");
    await this.until("OK", "board.stuck");
    const printed = await this.until("\x04", "board.stuck", onText);
    const traceback = await this.until("\x04>", "board.stuck");
    if (traceback) throw failure(traceback);
    return printed.replaceAll("\r\n", "\n");
  }

  /** Ctrl-C: what runs ends with KeyboardInterrupt. */
  interrupt() {
    return this.send("\x03");
  }

  /** Write a file, whole or not at all: it has another name until it is complete. */
  async put(path, bytes) {
    await this.exec(`import binascii, os\nf = open(${quoted(path + ".new")}, "wb")`);
    for (let at = 0; at < bytes.length; at += CHUNK) {
      const hex = Array.from(bytes.slice(at, at + CHUNK), (byte) => byte.toString(16).padStart(2, "0")).join("");
      await this.exec(`f.write(binascii.unhexlify("${hex}"))`);
    }
    await this.exec(`f.close()\nos.rename(${quoted(path + ".new")}, ${quoted(path)})`);
  }
}

function utf8(latin1) {
  return new TextDecoder().decode(Uint8Array.from(latin1, (c) => c.charCodeAt(0)));
}

/** A text as Python writes it. */
export function quoted(text) {
  return JSON.stringify(text);
}

function failure(traceback) {
  const last = traceback.trim().split("\n").at(-1).trim();
  if (/^ImportError: .*anne/.test(last)) return new BoardError("board.noAnne");
  if (/^MemoryError/.test(last)) return new BoardError("board.memory");
  if (/ENOSPC|Errno 28/.test(last)) return new BoardError("board.full");
  return new BoardError("board.error", { line: last });
}
