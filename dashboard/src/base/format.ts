/** Numbers, durations and instants as people read them. Pure: every function gets its "now". */

export type Zone = "local" | "utc";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const PREFIXES: readonly [number, string][] = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** A value in at most four significant digits; large ones get an SI prefix. */
export function compact(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  for (const [unit, letter] of PREFIXES) {
    if (size >= unit * (unit === 1e3 ? 10 : 1)) return digits(value / unit) + letter;
  }
  return digits(value);
}

function digits(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001) return minus(value.toExponential(1));
  const places = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  const text = value.toFixed(places);
  return minus(places > 0 ? text.replace(/\.?0+$/, "") : text);
}

function minus(text: string): string {
  return text.replaceAll("-", "−");
}

/** How long, in its largest unit: "0 s", "42 s", "3 min", "2 h", "5 d". */
export function span(ms: number): string {
  const size = Math.max(0, ms);
  if (size < MINUTE) return `${Math.floor(size / SECOND)} s`;
  if (size < HOUR) return `${Math.floor(size / MINUTE)} min`;
  if (size < 2 * DAY) return `${Math.floor(size / HOUR)} h`;
  return `${Math.floor(size / DAY)} d`;
}

/** How long, in two units: "1 h 05 min", "3 d 4 h"; below a minute in seconds. */
export function longSpan(ms: number): string {
  const size = Math.max(0, ms);
  if (size < MINUTE) return span(size);
  if (size < HOUR) return `${Math.floor(size / MINUTE)} min ${two(Math.floor((size % MINUTE) / SECOND))} s`;
  if (size < DAY) return `${Math.floor(size / HOUR)} h ${two(Math.floor((size % HOUR) / MINUTE))} min`;
  return `${Math.floor(size / DAY)} d ${Math.floor((size % DAY) / HOUR)} h`;
}

export function ago(at: number | null, now: number): string {
  if (at === null) return "never";
  return now - at < SECOND ? "just now" : `${span(now - at)} ago`;
}

/** The time left as a clock below one hour ("4:05"), in words above, "due" when it has passed. */
export function countdown(at: number, now: number): string {
  const left = at - now;
  if (left <= 0) return "due";
  const seconds = Math.ceil(left / SECOND);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  return longSpan(left);
}

/** "10:05:59" today, "25 Nov 10:05" otherwise. */
export function clockText(at: number, now: number, zone: Zone): string {
  const date = parts(at, zone);
  const today = parts(now, zone);
  const sameDay = date.year === today.year && date.month === today.month && date.day === today.day;
  const time = `${two(date.hour)}:${two(date.minute)}`;
  return sameDay ? `${time}:${two(date.second)}` : `${date.day} ${MONTHS[date.month]} ${time}`;
}

/** The full instant with its zone, for hover and focus. */
export function absolute(at: number, zone: Zone): string {
  const d = parts(at, zone);
  const day = `${d.year}-${two(d.month + 1)}-${two(d.day)}`;
  return `${day} ${two(d.hour)}:${two(d.minute)}:${two(d.second)} ${zoneName(at, zone)}`;
}

/** The offset of the zone in force at that instant: "UTC", "UTC+1", "UTC−3:30". */
export function zoneName(at: number, zone: Zone): string {
  if (zone === "utc") return "UTC";
  const offset = -new Date(at).getTimezoneOffset();
  if (offset === 0) return "UTC";
  const size = Math.abs(offset);
  const minutes = size % 60 === 0 ? "" : `:${two(size % 60)}`;
  return `UTC${offset < 0 ? "−" : "+"}${Math.floor(size / 60)}${minutes}`;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

function parts(at: number, zone: Zone): Parts {
  const shift = zone === "utc" ? 0 : new Date(at).getTimezoneOffset() * MINUTE;
  const d = new Date(at - shift);
  return {
    year: d.getUTCFullYear(),
    month: d.getUTCMonth(),
    day: d.getUTCDate(),
    hour: d.getUTCHours(),
    minute: d.getUTCMinutes(),
    second: d.getUTCSeconds(),
  };
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** A value with its unit, in the size people say it in: "12 ms", "3.2 GB", "41 %". */
export function measure(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return compact(value);
  const size = Math.abs(value);
  switch (unit) {
    case "seconds":
    case "s":
      return size < 1 ? `${compact(value * 1000)} ms` : size < 120 ? `${compact(value)} s` : longSpan(value * 1000);
    case "ms":
      return size < 10_000 ? `${compact(value)} ms` : `${compact(value / 1000)} s`;
    case "percent":
      return `${compact(value)} %`;
    case "bytes": {
      const text = compact(size < 10_000 && size >= 1000 ? value / 1000 : value);
      return size >= 1000 && size < 10_000 ? `${text} kB` : text.replace(/[kMGT]?$/, (prefix) => ` ${prefix}B`);
    }
    default:
      return unit === "" ? compact(value) : `${compact(value)} ${unit}`;
  }
}

/** Units short enough to stand at every tick of an axis. */
const TICK_UNITS: Readonly<Record<string, string>> = { seconds: " s", s: " s", ms: " ms", percent: " %" };
const PLACES_MAX = 6;

/** The ticks of an axis, evenly spaced: as many decimals as tell neighbours apart. */
export function ticks(values: readonly number[], unit: string): readonly string[] {
  const most = Math.max(...values.map(Math.abs));
  const isTime = unit === "seconds" || unit === "s";
  if (isTime && most > 0 && most < 1) return ticks(values.map((v) => v * 1000), "ms");
  if (unit === "bytes" || most >= 10_000) return values.map((v) => measure(v, unit));
  const places = placesOf((values[1] ?? 1) - (values[0] ?? 0));
  return values.map((v) => minus((v || 0).toFixed(places)) + (TICK_UNITS[unit] ?? ""));
}

/** The decimals that a step needs to be told in full. */
function placesOf(step: number): number {
  for (let places = 0; places < PLACES_MAX; places++) {
    const scaled = step * 10 ** places;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 && Math.round(scaled) !== 0) return places;
  }
  return PLACES_MAX;
}

/** How often, where a second more or less says nothing: "every 30 s". */
export function everyWords(seconds: number): string {
  return `every ${compact(seconds < 10 ? seconds : Math.round(seconds))} s`;
}

/** The unit of a metric: as told, else as its name ends; counts of a histogram have none. */
export function unitOf(name: string, told: string): string {
  if (/_(bucket|count)$/.test(name)) return "";
  return told || (/_(ms|seconds|bytes|percent)(_sum)?$/.exec(name)?.[1] ?? "");
}

/** A metric's name as words, without the unit at its end: "response time". */
export function metricWords(name: string): string {
  const bare = name.replace(/_total$/, "").replace(/_(ms|seconds|bytes|percent)$/, "");
  return bare.replaceAll("_", " ");
}
