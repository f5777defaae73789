/** Line icons on a 20 px grid, drawn in the colour of the text. */

import type { ComponentChildren } from "preact";

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      {children}
    </svg>
  );
}

export const icons = {
  wall: () => (
    <Icon>
      <path d="M3 3.5h6v6H3zM11 3.5h6v3.5h-6zM11 9.5h6v7h-6zM3 12h6v4.5H3z" />
    </Icon>
  ),
  search: () => (
    <Icon>
      <circle cx="9" cy="9" r="5.2" />
      <path d="m13 13 4 4" />
    </Icon>
  ),
  auto: () => (
    <Icon>
      <circle cx="10" cy="10" r="6.5" />
      <path d="M10 3.5v13a6.5 6.5 0 0 0 0-13z" class="solid" />
    </Icon>
  ),
  light: () => (
    <Icon>
      <circle cx="10" cy="10" r="3.4" />
      <path d="M10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.3l1.5 1.5M14.2 14.2l1.5 1.5M15.7 4.3l-1.5 1.5M5.8 14.2l-1.5 1.5" />
    </Icon>
  ),
  dark: () => (
    <Icon>
      <path d="M16 12.2A6.7 6.7 0 0 1 7.8 4a6.5 6.5 0 1 0 8.2 8.2z" />
    </Icon>
  ),
  keys: () => (
    <Icon>
      <rect x="2.5" y="5" width="15" height="10" rx="2" />
      <path d="M5.5 8h.01M8.5 8h.01M11.5 8h.01M14.5 8h.01M6.5 12h7" />
    </Icon>
  ),
  docs: () => (
    <Icon>
      <path d="M5 2.5h7l3.5 3.5v11.5H5zM12 2.5V6h3.5M7.5 10h5M7.5 13h5" />
    </Icon>
  ),
  close: () => (
    <Icon>
      <path d="m5 5 10 10M15 5 5 15" />
    </Icon>
  ),
  copy: () => (
    <Icon>
      <rect x="7" y="7" width="9.5" height="9.5" rx="1.5" />
      <path d="M13 4.5v-1H3.5V13h1" />
    </Icon>
  ),
} as const;

export type IconName = keyof typeof icons;
