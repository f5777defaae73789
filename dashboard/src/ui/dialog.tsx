/** A modal dialog: the browser's own element traps the focus, we return it. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { icons } from "./icons";

interface DialogProps {
  readonly label: string;
  /** `side` stands at the right edge, `middle` in the middle. */
  readonly place: "side" | "middle";
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Dialog({ label, place, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      // A removed element takes the focus with it before the browser can return it.
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog dialog-${place}`}
      aria-label={label}
      onCancel={(e) => {
        e.preventDefault(); // the address decides what is open
        onClose();
      }}
      onClick={(e) => e.target === dialog.current && onClose()}
    >
      <div class="dialog-body">
        <button type="button" class="icon-button dialog-close" aria-label="Close" onClick={onClose}>
          <icons.close />
        </button>
        {children}
      </div>
    </dialog>
  );
}
