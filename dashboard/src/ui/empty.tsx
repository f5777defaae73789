/** What stands where there is nothing to show: the cause, and one command that helps. */

import type { ComponentChildren } from "preact";
import { useSignal } from "@preact/signals";
import type { ApiError } from "../data/api";
import { icons } from "./icons";

export function Empty(props: { children: ComponentChildren; command?: string }) {
  return (
    <div class="empty" data-testid="empty">
      <p>{props.children}</p>
      {props.command && <Command text={props.command} />}
    </div>
  );
}

export function Command({ text }: { text: string }) {
  const copied = useSignal(false);
  const copy = () => {
    // Absent outside secure contexts; the text can still be selected.
    void navigator.clipboard?.writeText(text).then(() => (copied.value = true));
  };
  return (
    <span class="command">
      <code>{text}</code>
      <button type="button" class="icon-button" onClick={copy} aria-label={`Copy ${text}`}>
        {copied.value ? <span class="copied">copied</span> : <icons.copy />}
      </button>
    </span>
  );
}

/** A failed request: what the API said, and a way to ask again; the old data stays beside it. */
export function Problem(props: { error: ApiError; what: string; onRetry: () => void }) {
  return (
    <p class="problem" role="status">
      <span>
        {props.what}: {props.error.message}
      </span>
      <button type="button" class="link-button" onClick={props.onRetry}>
        Retry
      </button>
    </p>
  );
}

/** Grey shapes in place of rows; the style sheet lets them appear only after 150 ms. */
export function Skeleton({ rows, kind }: { rows: number; kind: "row" | "tile" | "chart" }) {
  return (
    <div class={`skeletons skeletons-${kind}`} aria-busy="true" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => (
        <span key={i} class={`skeleton skeleton-${kind}`} />
      ))}
    </div>
  );
}
