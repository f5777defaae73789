/** A text field with a list of matching options (ARIA combobox pattern, list autocomplete). */

import { useSignal } from "@preact/signals";
import { useId, useRef } from "preact/hooks";

interface ComboboxProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly string[];
  readonly onPick: (value: string) => void;
}

const SHOWN_MAX = 50;

/** Options that hold all words of the query, those that start with it first. */
export function matches(options: readonly string[], query: string): readonly string[] {
  const words = query.toLowerCase().split(/[\s_]+/).filter(Boolean);
  const hits = options.filter((o) => words.every((word) => o.toLowerCase().includes(word)));
  const starts = (o: string) => (o.toLowerCase().startsWith(query.toLowerCase()) ? 0 : 1);
  return hits.sort((a, b) => starts(a) - starts(b)).slice(0, SHOWN_MAX);
}

export function Combobox({ label, value, options, onPick }: ComboboxProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  /** null: closed; then the field shows the value. */
  const query = useSignal<string | null>(null);
  const active = useSignal(0);
  const hits = query.value === null ? [] : matches(options, query.value);
  const close = () => (query.value = null);
  /** Without an option the list stays open: what is typed may be mended. */
  const pick = (option: string | undefined) => {
    if (option === undefined) return;
    onPick(option);
    close();
  };
  const keys: Readonly<Record<string, () => void>> = {
    ArrowDown: () => (active.value = Math.min(hits.length - 1, active.value + 1)),
    ArrowUp: () => (active.value = Math.max(0, active.value - 1)),
    Enter: () => pick(hits[active.value]),
    Escape: close,
  };
  const onKeyDown = (e: KeyboardEvent) => {
    const act = keys[e.key];
    if (!act) return;
    e.preventDefault();
    e.stopPropagation();
    if (query.value === null && e.key !== "Escape") query.value = "";
    else act();
  };
  return (
    <div class="combobox">
      <input
        ref={input}
        type="text"
        role="combobox"
        aria-label={label}
        aria-expanded={query.value !== null}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={hits.length > 0 ? `${id}-${active.value}` : undefined}
        autocomplete="off"
        spellcheck={false}
        placeholder={query.value === null ? label : value}
        value={query.value ?? value}
        onFocus={() => (query.value = "")}
        onBlur={close}
        onInput={(e) => {
          query.value = e.currentTarget.value;
          active.value = 0;
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={`${id}-list`} role="listbox" aria-label={label} hidden={query.value === null}>
        {hits.map((option, i) => (
          <li
            key={option}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === active.value}
            // Before the field loses the focus, which closes the list.
            onMouseDown={() => pick(option)}
          >
            {option}
          </li>
        ))}
        {query.value !== null && hits.length === 0 && (
          <li class="none" role="option" aria-selected="false" aria-disabled="true">
            nothing matches
          </li>
        )}
      </ul>
    </div>
  );
}
