/** A modal dialog: the browser's own element traps the focus and returns it. */

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
    element?.showModal();
    return () => element?.close();
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
