/** The text of a server-sent event stream, cut into events (WHATWG HTML, 9.2.6). */

export interface ServerEvent {
  readonly id: string;
  readonly kind: string;
  readonly data: string;
}

/** Feeds on chunks of any size; an event is complete at its empty line. */
export class SseParser {
  /** The id to resume from; it survives the end of the stream it came from. */
  lastId = "";
  #id: string | null = null; // of the event that is being read; it counts once that is whole
  #rest = "";
  #kind = "";
  #data: string[] = [];

  feed(chunk: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    // A carriage return at the very end may be half of a pair: it waits for the next chunk.
    const whole = this.#rest + chunk;
    const end = whole.endsWith("\r") ? whole.length - 1 : whole.length;
    const lines = whole.slice(0, end).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? "") + whole.slice(end);
    for (const line of lines) {
      const event = this.#line(line);
      if (event) events.push(event);
    }
    return events;
  }

  /** A new connection: what the old one left half-said is void. */
  restart(): void {
    this.#rest = "";
    this.#id = null;
    this.#kind = "";
    this.#data = [];
  }

  #line(line: string): ServerEvent | null {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#kind = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    return null;
  }

  #dispatch(): ServerEvent | null {
    this.lastId = this.#id ?? this.lastId;
    this.#id = null;
    const event = { id: this.lastId, kind: this.#kind || "message", data: this.#data.join("\n") };
    const empty = this.#data.length === 0;
    this.#kind = "";
    this.#data = [];
    return empty ? null : event;
  }
}
