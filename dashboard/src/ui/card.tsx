/** A panel with a title; its data may be old, then it is dimmed. */

import type { ComponentChildren } from "preact";

interface CardProps {
  readonly title: ComponentChildren;
  readonly label: string;
  readonly area: string;
  readonly stale?: boolean;
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Card({ title, label, area, stale = false, tools, children }: CardProps) {
  return (
    <section class={`card card-${area}${stale ? " stale" : ""}`} aria-label={label} data-testid={area}>
      <header class="card-head">
        <h2>{title}</h2>
        {tools}
      </header>
      {children}
    </section>
  );
}
